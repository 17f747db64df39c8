"""A served issuer, a configuration that trusts it, and the server of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import API, Served, configuration, serving

from watchword.testing import LocalIssuer, ServedIssuer


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[ServedIssuer]:
    with LocalIssuer(audience=API, algorithms=("EdDSA",)).serve() as served:
        yield served


@pytest.fixture(name="config")
def _config(tmp_path: Path, issuer: ServedIssuer) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(configuration(issuer.issuer))
    return path


@pytest.fixture(name="server")
def _server(config: Path) -> Iterator[Served]:
    with serving(config) as server:
        yield server
