"""Gates and their decisions, for tests of what an operator sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import watchword as ww
from watchword.gate import Decision, Gate, OnVerdict, Route

API = "https://api.example"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class FakeDecision:
    """A decision that a gate could make, for labels and errors that are hard to cause."""

    allowed: bool = False
    code: str = "expired"
    token: Any = None
    scheme: str | None = "Bearer"
    cached: bool = False
    issuer: str | None = "https://as.example"
    route: str | None = "/orders/{id}"
    trace_id: str = TRACE
    error: Any = None
    status: int = 401


def make_gate(verifier: ww.Verifier, on_verdict: OnVerdict | None = None) -> Gate:
    """A gate with one route, which requires the scope ``orders:read``."""
    return Gate(verifier, [Route("/orders/{id}", scopes=["orders:read"])], public_url=API, on_verdict=on_verdict)


def send(gate: Gate, token: str | None = None, **headers: str) -> Decision:
    """The decision on a request with this token."""
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return gate.check(method="GET", target="/orders/1", headers=headers)
