"""Where keys come from: memory, a file, HTTP.

:class:`KeySource` is what a Verifier gets keys from, :class:`Fetcher` what an HTTP source fetches with.
:class:`CacheSettings` sets how long keys are cached and how often they are fetched; :class:`KeyEvent` and
:class:`Stats` report what happened. The modules :mod:`~watchword.jwks.urls`, :mod:`~watchword.jwks.addresses` and
:mod:`~watchword.jwks.discovery` hold the rules for URLs, hosts and metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.jwks.clock import monotonic
from watchword.jwks.events import EventKind, KeyEvent, Listener, Stats
from watchword.jwks.memory import MemorySource
from watchword.jwks.settings import CacheSettings
from watchword.jwks.source import KeySource
from watchword.waiting import Pending

if TYPE_CHECKING:
    from watchword.jwks.fetch import (
        DefaultFetcher,
        Fetcher,
        FetchError,
        HttpxClient,
        HttpxFetcher,
        NotPublicError,
        PublicFetcher,
        Response,
    )

__all__ = [
    "CacheSettings",
    "DefaultFetcher",
    "EventKind",
    "FetchError",
    "Fetcher",
    "HttpxClient",
    "HttpxFetcher",
    "KeyEvent",
    "KeySource",
    "Listener",
    "MemorySource",
    "NotPublicError",
    "Pending",
    "PublicFetcher",
    "Response",
    "Stats",
    "monotonic",
]


def __getattr__(name: str) -> object:
    # Imported on first use: a process that fetches no keys needs no sockets.
    if name in __all__:
        from watchword.jwks import fetch

        return getattr(fetch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
