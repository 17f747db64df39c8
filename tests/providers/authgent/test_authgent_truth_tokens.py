"""Recorded tokens of the published package, replayed with the same names."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mint
import proofs
import pytest
from authgent_rows import Row, compare, outcome, read
from authgent_tokens import ISSUER, KEYS, act, claims, now, sign

import watchword as ww
import watchword.providers.authgent as authgent


@pytest.fixture(name="rows", scope="module")
def _rows(shared: Path) -> dict[str, dict[str, Row]]:
    return read(shared)


def _claims(**changes: Any) -> dict[str, Any]:
    return claims(**{"sub": "client:a", "aud": "https://api", "scope": "read write", **changes})


def _token(**changes: Any) -> str:
    return sign(_claims(**changes))


def _headed(**changes: Any) -> str:
    return sign(_claims(), mint.header("p256", "ES256", **changes))


def _with_keys(jwk: dict[str, Any]) -> Callable[[], Any]:
    fetcher = Found(jwk)
    return lambda: verified(_token(), jwks_fetcher=fetcher)


@dataclasses.dataclass
class Found:
    """A fetcher that returns this key for every ``kid``, as in the rows."""

    jwk: dict[str, Any]

    async def get_key(self, kid: str) -> dict[str, Any]:
        return self.jwk


def verified(raw: Any, **arguments: Any) -> dict[str, Any]:
    """Return what the rows record of an identity. No audience was required there, which must be explicit here."""
    given = {"audience": ww.ANY_AUDIENCE, "jwks_fetcher": KEYS, **arguments}
    identity = asyncio.run(authgent.verify_token(raw, ISSUER, **given))
    return {
        "subject": identity.subject,
        "scopes": identity.scopes,
        "aud": identity.audience,
        "depth": identity.delegation_chain.depth,
    }


def _signature_changed(change: Callable[[bytes], str]) -> str:
    head, payload, signature = _token().split(".")
    return f"{head}.{payload}.{change(mint.unb64(signature))}"


def _der(signature: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return mint.b64(encode_dss_signature(*halves))


def _newline_inside() -> str:
    head, payload, signature = _token().split(".")
    return f"{head}.{payload[:9]}\n{payload[9:]}.{signature}"


def _unused_bits(signature: bytes) -> str:
    text = mint.b64(signature)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _twice() -> Any:
    raw = _token()
    verified(raw)
    return verified(raw)


TOKENS: dict[str, Callable[[], Any]] = {
    "valid": lambda: verified(_token()),
    "valid + matching audience": lambda: verified(_token(), audience="https://api"),
    "audience required but missing": lambda: verified(_token(aud=mint.OMIT), audience="https://api"),
    "expired 1s ago": lambda: verified(_token(exp=now() - 1)),
    "no exp": lambda: verified(_token(exp=mint.OMIT)),
    "no iat": lambda: verified(_token(iat=mint.OMIT)),
    "nbf in +10s": lambda: verified(_token(nbf=now() + 10)),
    "nbf +1s": lambda: verified(_token(nbf=now() + 2)),
    "exp float": lambda: verified(_token(exp=now() + 300.5)),
    "scope list in token": lambda: verified(_token(scope=["read", "write"])),
    "act.sub int in token": lambda: verified(_token(act={"sub": 5})),
    "missing kid": lambda: verified(_headed(kid=mint.OMIT)),
    "unknown kid": lambda: verified(_headed(kid="zz")),
    "kid int": lambda: verified(_headed(kid=5)),
    "kid empty string": lambda: verified(_headed(kid="")),
    "typ absent": lambda: verified(_headed(typ=mint.OMIT)),
    "alg none": lambda: verified(mint.token(_claims(), _none(), algorithm="none")),
    "EdDSA": lambda: verified(mint.token(_claims(), mint.header("p256", "EdDSA"), key="ed25519", algorithm="EdDSA")),
    "crit=['exp']": lambda: verified(_headed(crit=["exp"])),
    "crit=['http://x'] + member": lambda: verified(_headed(crit=["http://x"], **{"http://x": 1})),
    "crit=[] empty": lambda: verified(_headed(crit=[])),
    "b64=false w/o crit": lambda: verified(_headed(b64=False)),
    "DER-encoded ECDSA signature": lambda: verified(_signature_changed(_der)),
    "newline inside payload": lambda: verified(_newline_inside()),
    "empty": lambda: verified(""),
    "not ascii": lambda: verified("é.é.é"),
    "None": lambda: verified(None),
    "payload is JSON array": lambda: verified(sign(b"[]")),
    "non-canonical trailing bits in signature b64": lambda: verified(_signature_changed(_unused_bits)),
    "JWK with use=enc": _with_keys(mint.public_jwk("p256", use="enc")),
    "JWK crv=P-384 label with P-256 point": _with_keys(mint.public_jwk("p256", crv="P-384")),
    "JWK kty=RSA (no x/y)": _with_keys({"kty": "RSA", "kid": "p256"}),
    "DPoP-bound token (cnf.jkt) as plain bearer": lambda: verified(_token(cnf={"jkt": proofs.jkt()})),
    "act depth 50 accepted by verify_token": lambda: verified(_token(act=act(*["client:x"] * 50))),
    "replay same token twice #2": _twice,
}

TOKENS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "no exp": ("InvalidTokenError missing_claim", "an access token has exp (RFC 9068 section 2.2)"),
    "scope list in token": (
        {"subject": "client:a", "scopes": ["read", "write"], "aud": "https://api", "depth": 0},
        "an array of scopes has one meaning only; there it ends in an AttributeError",
    ),
    "JWK with use=enc": ("ServerError server_error", "RFC 7517 section 4.2: that key is for encryption"),
    "JWK crv=P-384 label with P-256 point": ("ServerError server_error", "no such point is on that curve"),
    "DPoP-bound token (cnf.jkt) as plain bearer": (
        "InvalidTokenError dpop_proof_required",
        "RFC 9449 section 7.1: a bound token needs its proof",
    ),
    "act depth 50 accepted by verify_token": ("InvalidTokenError malformed_claims", "JSON is 32 levels deep at most"),
}


def _none() -> dict[str, Any]:
    return mint.header("p256", "none")


def test_recorded_tokens(rows: dict[str, dict[str, Row]]) -> None:
    compare(
        rows["verify_token"],
        TOKENS,
        TOKENS_OTHERWISE,
        lambda row: row["value"] if row["outcome"] == "ok" else row["message"],
    )


def test_a_token_with_an_audience_is_rejected_if_none_is_given(rows: dict[str, dict[str, Row]]) -> None:
    # The rows' tokens name an API as audience, and no audience was given: "valid" there.
    assert rows["verify_token"]["valid"]["outcome"] == "ok"
    assert outcome(lambda: verified(_token(), audience=None)) == "InvalidTokenError wrong_audience"
