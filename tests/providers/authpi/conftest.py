"""A programmable issuer, and the two forms of a client."""

from __future__ import annotations

from collections.abc import Iterator

import endpoint
import pytest

pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")

from authpi_server import FORMS, Idp


@pytest.fixture
def idp() -> Iterator[Idp]:
    with endpoint.running() as server:
        yield Idp(server)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)
