from __future__ import annotations

from collections.abc import Iterator

import endpoint
import pytest


@pytest.fixture
def server() -> Iterator[endpoint.Server]:
    with endpoint.running() as server:
        yield server
