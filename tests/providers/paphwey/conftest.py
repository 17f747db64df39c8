from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import endpoint
import pytest
from paphwey_gateway import AUDIENCE, DELEGATION_ID, Gateway

from watchword.providers.paphwey.verify import OfflineVerifier


@pytest.fixture(scope="session")
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture(scope="session")
def verifier(gateway: Gateway) -> OfflineVerifier:
    return gateway.offline()


@pytest.fixture
def server() -> Iterator[endpoint.Server]:
    with endpoint.running() as server:
        yield server


@pytest.fixture(scope="session")
def asked() -> dict[str, Any]:
    """The arguments of every call besides its token."""
    return {"audience": AUDIENCE, "expected_delegation_id": DELEGATION_ID}
