"""A loose maker of DPoP proofs: any header, any claims, any key, validly signed unless told."""

from __future__ import annotations

import hashlib
from typing import Any

import mint

import watchword as ww

URI = "https://api.example/orders"
METHOD = "POST"
NOW = mint.NOW


def jwk(name: str = "p256", **changes: Any) -> dict[str, Any]:
    """The public half of a test key, without a name."""
    return mint.public_jwk(name, **{"kid": mint.OMIT, **changes})


def jkt(name: str = "p256") -> str:
    return ww.thumbprint(jwk(name))


def ath(token: str) -> str:
    return mint.b64(hashlib.sha256(token.encode()).digest())


def header(key: str = "p256", algorithm: str = "ES256", **changes: Any) -> dict[str, Any]:
    return _without_omitted({"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk(key), **changes})


def claims(**changes: Any) -> dict[str, Any]:
    return _without_omitted({"jti": "proof-1", "htm": METHOD, "htu": URI, "iat": NOW, **changes})


def proof(
    payload: dict[str, Any] | bytes | None = None,
    head: dict[str, Any] | bytes | None = None,
    *,
    key: str | bytes = "p256",
    algorithm: str = "ES256",
    signature: bytes | None = None,
) -> str:
    """A proof over exactly these; good ones stand for ``None``."""
    if head is None:
        head = header(key if isinstance(key, str) else "p256", algorithm)
    return mint.token(claims() if payload is None else payload, head, key=key, algorithm=algorithm, signature=signature)


def judge(text: str | bytes, **arguments: Any) -> str | None:
    """The code of the verdict on a proof, ``None`` for a good one."""
    try:
        ww.dpop.verify_proof(text, **{"method": METHOD, "uri": URI, "now": NOW, **arguments})
    except ww.VerificationError as error:
        return error.code.value
    return None


def bound_token(name: str = "p256", **changes: Any) -> str:
    """An access token that is bound to a test key."""
    return mint.token(mint.claims(**{"cnf": {"jkt": jkt(name)}, **changes}))


def _without_omitted(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not mint.OMIT}
