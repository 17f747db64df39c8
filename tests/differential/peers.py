"""Other libraries, used as the kernel is: same keys, same policy, same time."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import mint

Peer = Callable[[str, dict[str, Any]], bool]

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
LEEWAY = 5


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> FixedClock:
        return cls.fromtimestamp(mint.NOW, tz)


def pyjwt(token: str, jwks: dict[str, Any]) -> bool:
    import jwt

    with warnings.catch_warnings(), mock.patch("jwt.api_jwt.datetime", FixedClock):
        warnings.simplefilter("ignore")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            keys = [jwk for jwk in jwks["keys"] if jwk.get("kid") == kid or kid is None]
        except Exception:
            return False
        for jwk in keys:
            try:
                key = jwt.PyJWK(jwk)
                allowed = [name for name in ALGORITHMS if name.startswith(_family(jwk))]
                jwt.decode(
                    token,
                    key.key,
                    algorithms=allowed,
                    audience=mint.AUDIENCE,
                    issuer=mint.ISSUER,
                    leeway=LEEWAY,
                    options={"require": ["exp", "iss", "aud"]},
                )
            except Exception:
                continue
            return True
    return False


def joserfc(token: str, jwks: dict[str, Any]) -> bool:
    from joserfc import jws, jwt
    from joserfc.jwk import import_key

    essential: Any = {"essential": True}
    claims_registry = jwt.JWTClaimsRegistry(
        now=mint.NOW,
        leeway=LEEWAY,
        exp=essential,
        iss={"essential": True, "value": mint.ISSUER},
        aud={"essential": True, "value": mint.AUDIENCE},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
        except Exception:
            return False
        for jwk in jwks["keys"]:
            if kid not in (None, jwk.get("kid")):
                continue
            try:
                allowed = [name for name in ALGORITHMS if name.startswith(_family(jwk))]
                # By default it rejects every header member that it does not know.
                registry = jws.JWSRegistry(algorithms=allowed, strict_check_header=False)
                claims_registry.validate(jwt.decode(token, import_key(jwk), registry=registry).claims)
            except Exception:
                continue
            return True
    return False


def _family(jwk: dict[str, Any]) -> tuple[str, ...]:
    """The algorithms that a careful caller of PyJWT would allow for this key."""
    if jwk.get("crv") == "P-256":
        return ("ES256",)
    if jwk.get("crv") == "P-384":
        return ("ES384",)
    return ("RS", "PS") if jwk.get("kty") == "RSA" else ("Ed",)


PEERS: dict[str, Peer] = {"PyJWT": pyjwt, "joserfc": joserfc}
