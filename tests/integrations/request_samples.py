"""An issuer on no network, a verifier of its tokens, and the headers of requests with them."""

from __future__ import annotations

from typing import Any

import watchword as ww
from watchword.holder import DpopProver
from watchword.testing import LocalIssuer

API = "https://api.example"
METADATA = "/.well-known/oauth-protected-resource"

ISSUER = LocalIssuer(audience=API, algorithms=("ES256",))
VERIFIER = ww.Verifier([ww.Issuer(ISSUER.issuer, jwks=ISSUER.jwks())], audience=API)
HOLDER = DpopProver()


def bearer(raw: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {raw}"}


def token(**claims: Any) -> dict[str, str]:
    """The headers of a request with a valid token."""
    return bearer(ISSUER.mint(**{"sub": "alice", **claims}))


def bound(target: str, method: str = "GET", **claims: Any) -> dict[str, str]:
    """The headers of a request with a token that is bound to a key, and a proof by it."""
    raw = ISSUER.mint(**{"sub": "alice", "cnf": {"jkt": HOLDER.jkt}, **claims})
    return {"Authorization": f"DPoP {raw}", "DPoP": HOLDER.proof(method, API + target, raw)}
