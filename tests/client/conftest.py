"""A server on loopback, and the two forms of a call."""

from __future__ import annotations

from collections.abc import Iterator

import endpoint
import pytest
from endpoint import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


@pytest.fixture(params=["thread", "task"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)
