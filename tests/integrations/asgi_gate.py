"""An issuer and a gate for the tests of ASGI frameworks."""

from __future__ import annotations

from typing import Any

import watchword as ww
from watchword.gate import Gate, Route
from watchword.holder import DpopProver
from watchword.testing import LocalIssuer

API = "https://api.example"
METADATA = "/.well-known/oauth-protected-resource"

ISSUER = LocalIssuer(audience=API, algorithms=("ES256",))
VERIFIER = ww.Verifier([ww.Issuer(ISSUER.issuer, jwks=ISSUER.jwks())], audience=API)
HOLDER = DpopProver()

ROUTES = (
    Route("/health", public=True),
    Route("/catalogue", optional=True),
    Route("/admin", scopes=("admin",)),
    Route("/"),
    Route("/{path...}"),
)


def make_gate(routes: Any = ROUTES, *, verifier: ww.Verifier = VERIFIER) -> Gate:
    return Gate(verifier, routes, public_url=API)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token(**claims: Any) -> dict[str, str]:
    """The headers of a request with a valid token."""
    return bearer(ISSUER.mint(**{"sub": "alice", **claims}))


def bound(path: str, method: str = "GET", **claims: Any) -> dict[str, str]:
    """The headers of a request with a token that is bound to a key, and a proof of it."""
    raw = ISSUER.mint(**{"sub": "alice", "cnf": {"jkt": HOLDER.jkt}, **claims})
    return {"Authorization": f"DPoP {raw}", "DPoP": HOLDER.proof(method, API + path, raw)}


class BrokenGate:
    """A gate whose guards raise."""

    def __init__(self, gate: Gate, name: str) -> None:
        self._gate, self._name = gate, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    def guard(self, **requirements: Any) -> Any:
        inner, broken = self._gate.guard(**requirements), self._name

        class BrokenGuard:
            async def check_async(self, **arguments: Any) -> Any:
                if broken == "check_async":
                    raise RuntimeError(broken)
                return await inner.check_async(**arguments)

            def authorize(self, decision: Any, **arguments: Any) -> Any:
                raise RuntimeError(broken)

        return BrokenGuard()


__all__ = [
    "API",
    "HOLDER",
    "ISSUER",
    "METADATA",
    "ROUTES",
    "VERIFIER",
    "BrokenGate",
    "Route",
    "bearer",
    "bound",
    "make_gate",
    "token",
]
