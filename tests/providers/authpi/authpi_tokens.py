"""An issuer of ID tokens, and token sets that contain them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from shaped_issuer import ShapedIssuer

pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")

from watchword.providers.authpi import IdTokenVerifier, TokenSet

ISSUER = "https://idp.authpi.example/iss_1"
CLIENT = "cli_1"
ACCESS_TOKEN = "opaque-access-token-0123456789"

#: As version 1.1.2 of the package reads it, and as 0.3.0 did.
ORGANIZATIONS = [
    {"id": "org_a", "title": "Admin", "scopes": ["projects:**", "users:read"], "joined_at": 1_700_000_000},
    {"id": "org_b", "title": None, "scopes": ["owner", "admin", "billing:*"], "joined_at": 1_700_000_001},
]
ORGANIZATIONS_BY_ID = {one["id"]: {name: one[name] for name in one if name != "id"} for one in ORGANIZATIONS}


def _id_token(claims: dict[str, Any]) -> dict[str, Any]:
    kept = {name: claims[name] for name in ("iss", "aud", "iat", "exp") if name in claims}
    return {**kept, "sub": "usr_1", "email": "ada@example.com", "email_verified": True, "organizations": ORGANIZATIONS}


ISSUING = ShapedIssuer(_id_token, issuer=ISSUER, audience=CLIENT, algorithms=("EdDSA", "ES256", "RS256"))
OTHER = ShapedIssuer(_id_token, issuer=ISSUER, audience=CLIENT, algorithms=("EdDSA",))


def verifier(**options: Any) -> IdTokenVerifier:
    return IdTokenVerifier(ISSUER, CLIENT, **{"jwks": ISSUING.jwks(), **options})


def tokens(id_token: str | None, **changes: Any) -> TokenSet:
    return TokenSet(
        **{"access_token": ACCESS_TOKEN, "expires_at": int(time.time()) + 3600, "id_token": id_token, **changes}
    )
