"""In-memory ClawAuth: an issuer whose tokens, good and bad, are agents'."""

from __future__ import annotations

from typing import Any

from watchword.providers.clawauth import ClawAuth
from watchword.testing import LocalIssuer
from watchword.testing.draft import Draft
from watchword.testing.signing_key import SigningKey

BASE_URL = "https://api.clawauth.com"
SERVICE = "orders-service"

#: The claims of an agent's token besides the registered ones.
AGENT: dict[str, Any] = {
    "sub": "agent_abc123",
    "name": "Shopper",
    "email": "shopper@agents.example",
    "trust_score": 7.5,
    "roles": ["user", "admin"],
    "permissions": ["orders:read", "orders:write"],
}


class Claws(LocalIssuer):
    """Its bad tokens are agents', too, with one thing wrong."""

    def __init__(self, issuer: str = BASE_URL, algorithms: tuple[str, ...] = ("ES256", "RS256", "EdDSA")) -> None:
        super().__init__(issuer, audience=SERVICE, algorithms=algorithms)

    def _draft(self, key: SigningKey, expires_in: float | None) -> Draft:
        draft = super()._draft(key, expires_in)
        draft.header["typ"] = "JWT"
        del draft.claims["scope"]
        draft.claims.update(AGENT)
        return draft

    def token(self, **claims: Any) -> str:
        """Return a good token, with claims changed or (``None``) omitted."""
        return self.mint(claims)

    def service(self, **settings: Any) -> ClawAuth:
        """A service that has its keys."""
        return ClawAuth(SERVICE, "svc_secret-key", **{"jwks": self.jwks(), **settings})
