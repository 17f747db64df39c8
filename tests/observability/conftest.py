from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import decisions
import pytest

import watchword as ww
from watchword.testing import LocalIssuer


@pytest.fixture(name="issuer", scope="session")
def _issuer() -> LocalIssuer:
    return LocalIssuer("https://as.example", audience=decisions.API)


@pytest.fixture(name="verifier")
def _verifier(issuer: LocalIssuer) -> Iterator[ww.Verifier]:
    with issuer.verifier(token_cache=ww.TokenCache(max_bytes=1 << 20)) as verifier:
        yield verifier


@pytest.fixture(name="gate")
def _gate(verifier: ww.Verifier) -> Any:
    return decisions.make_gate(verifier)


@pytest.fixture(name="good")
def _good(issuer: LocalIssuer) -> str:
    return issuer.mint(sub="alice", scope="orders:read")


@pytest.fixture(name="decide")
def _decide(gate: Any, issuer: LocalIssuer, good: str) -> Callable[[str], Any]:
    """Return the decision of a gate with this code; ``cached``: one that allows a request with a cached token."""

    def decide(code: str) -> Any:
        if code in {"allowed", "cached"}:
            if code == "cached":
                decisions.send(gate, good)
            return decisions.send(gate, good)
        if code == "missing_token":
            return decisions.send(gate)
        if code == "insufficient_scope":
            return decisions.send(gate, issuer.mint(sub="bob", scope="orders:write"))
        return decisions.send(gate, issuer.mint_bad(code))

    return decide
