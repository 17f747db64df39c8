"""Where keys come from: memory, a file, HTTP. ``source.py`` is the seam; ``freshness.py`` decides when to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.jwks.events import EventKind, KeyEvent, Stats
from watchword.jwks.settings import CacheSettings
from watchword.jwks.source import KeySource
from watchword.waiting import Pending

if TYPE_CHECKING:
    from watchword.jwks.fetch import Fetcher, FetchError, HttpxFetcher, PublicFetcher, Response

__all__ = [
    "CacheSettings",
    "EventKind",
    "FetchError",
    "Fetcher",
    "HttpxFetcher",
    "KeyEvent",
    "KeySource",
    "Pending",
    "PublicFetcher",
    "Response",
    "Stats",
]


def __getattr__(name: str) -> object:
    # Sockets are imported by those who fetch.
    if name in __all__:
        from watchword.jwks import fetch

        return getattr(fetch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
