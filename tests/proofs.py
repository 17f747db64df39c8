"""Sign DPoP proofs with any header, any claims and any key; the signature is valid by default."""

from __future__ import annotations

import hashlib
from typing import Any

import mint

import watchword as ww

URI = "https://api.example/orders"
METHOD = "POST"
NOW = mint.NOW


def jwk(name: str = "p256", **changes: Any) -> dict[str, Any]:
    """Return the public half of a test key, without a ``kid``."""
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
    """Return a proof over exactly these; ``None`` means good ones."""
    if head is None:
        head = header(key if isinstance(key, str) else "p256", algorithm)
    return mint.token(claims() if payload is None else payload, head, key=key, algorithm=algorithm, signature=signature)


def code_of(text: str | bytes, **arguments: Any) -> str | None:
    """Return the code of the error of a proof, ``None`` if it is valid."""
    try:
        ww.dpop.verify_proof(text, **{"method": METHOD, "uri": URI, "now": NOW, **arguments})
    except ww.VerificationError as error:
        return error.code.value
    return None


def bound_token(name: str = "p256", **changes: Any) -> str:
    """Return an access token that is bound to a test key."""
    return mint.token(mint.claims(**{"cnf": {"jkt": jkt(name)}, **changes}))


def _without_omitted(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not mint.OMIT}
