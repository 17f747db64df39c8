"""Each library's whole verification of one token: signature and claims, with the key parsed beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import watchword
from watchword.testing import LocalIssuer

ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
AUDIENCE = "https://api.example"
CLAIMS = {
    "aud": AUDIENCE,
    "client_id": "agent-7f3a",
    "scope": "orders:read orders:write invoices:read",
    "agent_type": "autonomous",
    "agent_model": "planner-2",
    "tenant": "northwind",
    "session": "0b1e6f0c-9d51-4d5e-8f43-1f0a7b7d2c11",
}

Verify = Callable[[], Any]


class Token:
    """A token and the key that verifies it, as JWK."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.issuer = LocalIssuer("https://as.example", algorithms=(algorithm,))
        self.text = self.issuer.mint(CLAIMS)
        self.jwks = self.issuer.jwks()
        self.jwk = self.jwks["keys"][0]


def watchword_default(token: Token) -> Verify:
    return _watchword(token, "default")


def watchword_reference(token: Token) -> Verify:
    return _watchword(token, "reference")


def _watchword(token: Token, backend: Any) -> Verify:
    keys = watchword.KeySet.from_json(token.jwks, backend=backend)
    policy = watchword.Policy(issuer=token.issuer.issuer, audience=AUDIENCE, algorithms=[token.algorithm])
    return lambda: watchword.verify(token.text, keys, policy)


def pyjwt(token: Token) -> Verify:
    import jwt

    key = jwt.PyJWK(token.jwk).key
    algorithms = [token.algorithm]
    return lambda: jwt.decode(
        token.text, key, algorithms=algorithms, audience=AUDIENCE, issuer=token.issuer.issuer, leeway=5
    )


def joserfc(token: Token) -> Verify:
    from joserfc import jwk, jwt

    key = jwk.import_key(token.jwk)
    algorithms = [token.algorithm]
    claims = jwt.JWTClaimsRegistry(
        leeway=5,
        iss={"essential": True, "value": token.issuer.issuer},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    return lambda: claims.validate(jwt.decode(token.text, key, algorithms=algorithms).claims)


CONTENDERS: dict[str, Callable[[Token], Verify]] = {
    "watchword": watchword_default,
    "watchword reference": watchword_reference,
    "PyJWT": pyjwt,
    "joserfc": joserfc,
}
