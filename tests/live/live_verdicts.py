"""One verdict in each way that a caller can obtain it, and changes that make a good token bad."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest

import watchword as ww

Verify = Callable[[ww.Verifier, str], ww.VerifiedToken]


def _sync(verifier: ww.Verifier, token: str) -> ww.VerifiedToken:
    return verifier.verify(token)


def _async(verifier: ww.Verifier, token: str) -> ww.VerifiedToken:
    return asyncio.run(verifier.verify_async(token))


#: For each test that asks for ``verify``: once through ``verify``, once through ``verify_async``.
both_ways = pytest.mark.parametrize("verify", [pytest.param(_sync, id="sync"), pytest.param(_async, id="async")])


def code(verify: Verify, verifier: ww.Verifier, token: str) -> ww.ErrorCode | None:
    """The code of the rejection; ``None`` is "accepted"."""
    try:
        verify(verifier, token)
    except ww.VerificationError as error:
        rejection = error
    else:
        return None
    assert token not in str(rejection)
    return rejection.code


def peer_claims(token: str, jwks_uri: str, audience: str) -> dict[str, Any]:
    """The claims of a good token as PyJWT, which must accept it too, reads them."""
    key = jwt.PyJWKClient(jwks_uri).get_signing_key_from_jwt(token).key
    algorithm = jwt.get_unverified_header(token)["alg"]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=[algorithm], audience=audience)
    return claims


def header_of(token: str) -> dict[str, Any]:
    return _decoded(token.partition(".")[0])


def lifetime(token: ww.VerifiedToken) -> float:
    """Seconds from ``iat`` to ``exp``, both of which must be there."""
    assert token.expires_at is not None
    assert token.issued_at is not None
    return token.expires_at - token.issued_at


def _decoded(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def with_header(token: str, **members: Any) -> str:
    """The token with other header members and the same signature."""
    header, payload, signature = token.split(".")
    return ".".join((_encoded(_decoded(header) | members), payload, signature))


def with_claims(token: str, **claims: Any) -> str:
    """The token with other claims and the same signature."""
    header, payload, signature = token.split(".")
    return ".".join((header, _encoded(_decoded(payload) | claims), signature))


def with_flipped_signature_bit(token: str) -> str:
    header, payload, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[len(raw) // 2] ^= 1
    return ".".join((header, payload, base64.urlsafe_b64encode(raw).rstrip(b"=").decode()))


#: What an attacker without the key can do to a token, and the verdict.
TAMPERINGS: dict[str, tuple[Callable[[str], str], ww.ErrorCode]] = {
    "flipped bit": (with_flipped_signature_bit, ww.ErrorCode.INVALID_SIGNATURE),
    "other subject": (lambda token: with_claims(token, sub="client:other"), ww.ErrorCode.INVALID_SIGNATURE),
    "more scope": (lambda token: with_claims(token, scope="admin"), ww.ErrorCode.INVALID_SIGNATURE),
    "longer life": (lambda token: with_claims(token, exp=4_000_000_000), ww.ErrorCode.INVALID_SIGNATURE),
    "other header": (lambda token: with_header(token, extra="member"), ww.ErrorCode.INVALID_SIGNATURE),
    "unsecured": (lambda token: with_header(token, alg="none"), ww.ErrorCode.ALGORITHM_NOT_ALLOWED),
    "symmetric": (lambda token: with_header(token, alg="HS256"), ww.ErrorCode.ALGORITHM_NOT_ALLOWED),
    "other kid": (lambda token: with_header(token, kid="no-such-key"), ww.ErrorCode.UNKNOWN_KEY),
    "critical extension": (
        lambda token: with_header(token, crit=["exp"]),
        ww.ErrorCode.UNSUPPORTED_CRITICAL_HEADER,
    ),
    "no signature": (lambda token: token.rsplit(".", 1)[0] + ".", ww.ErrorCode.INVALID_SIGNATURE),
    "white space": (lambda token: token + "\n", ww.ErrorCode.MALFORMED_TOKEN),
    "padding": (lambda token: token + "=", ww.ErrorCode.MALFORMED_TOKEN),
}

each_tampering = pytest.mark.parametrize(
    ("tamper", "verdict"), [pytest.param(*case, id=name) for name, case in TAMPERINGS.items()]
)
