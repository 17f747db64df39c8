"""``WATCHWORD_TEST_CLOCK=late``: modules are collected, and shared fixtures set up, an hour before the tests run.

A test that fails under it uses a token, a nonce or a certificate that was made long before and has expired since: on a
slow machine, or alone at the end of a long run, it would fail without it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from typing import Any

import pytest

HOUR = 3600.0


class LateClock:
    """A pytest plugin that replaces ``time.time``, which must happen before anything else imports it."""

    def __init__(self) -> None:
        self._now = time.time
        self._behind = HOUR
        time.time = lambda: self._now() - self._behind

    @contextlib.contextmanager
    def _an_hour_ago(self) -> Iterator[None]:
        before, self._behind = self._behind, HOUR
        try:
            yield
        finally:
            self._behind = before

    def pytest_collection_finish(self) -> None:
        self._behind = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        with contextlib.nullcontext() if fixturedef.scope == "function" else self._an_hour_ago():
            return (yield)
