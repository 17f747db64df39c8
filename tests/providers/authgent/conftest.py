"""The keys of the default session, each test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from watchword.providers.authgent import DEFAULT_SESSION


@pytest.fixture(autouse=True)
def _close_session() -> Iterator[None]:
    # Otherwise the keys of servers that are gone would be fetched in the background of all later tests.
    yield
    DEFAULT_SESSION.close()
