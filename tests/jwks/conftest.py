from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import endpoint
import pytest
from endpoint import ISSUER

from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, KeyEvent
from watchword.verifier import Verifier


@pytest.fixture
def server() -> Iterator[endpoint.Server]:
    with endpoint.running() as server:
        yield server


@pytest.fixture
def clock() -> endpoint.Clock:
    """The clock by which keys age; it stands still until it is moved."""
    return endpoint.Clock()


@pytest.fixture
def events() -> list[KeyEvent]:
    """The events of the verifier of ``make``."""
    return []


@pytest.fixture
def make(server: endpoint.Server, clock: endpoint.Clock, events: list[KeyEvent]) -> Iterator[Callable[..., Verifier]]:
    """Return a verifier of the keys at ``/jwks``, closed at the end; keyword arguments are cache settings."""
    made: list[Verifier] = []

    def make(*, fetcher: Any = None, issuer: Issuer | None = None, monotonic: Any = None, **settings: Any) -> Verifier:
        issuer = issuer or Issuer(
            ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True, cache_settings=CacheSettings(**settings)
        )
        verifier = Verifier([issuer], fetcher=fetcher, on_event=events.append, monotonic=monotonic or clock)
        made.append(verifier)
        return verifier

    yield make
    for verifier in made:
        verifier.close()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """The threads that a test started end."""
    before = set(threading.enumerate())
    yield
    endpoint.eventually(
        lambda: all(thread in before or thread.name == "watchword-scheduler" for thread in threading.enumerate())
    )
