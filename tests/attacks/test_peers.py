"""The same hostile tokens, verified by four well-known libraries.

Every row is validly signed, or with a key that should not be used. Asserted is what must not change: the kernel
rejects each, and each of the four accepts at least one. What exactly they accept today is recorded with the test run
(``--junit-xml`` has it as properties, ``-s`` prints it): it is theirs to change.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import mint
import pytest
from paths import GOOD_KEYS, PATHS

Verify = Callable[[str, dict[str, Any]], object]


def spelled_with_unused_bits(token: str) -> str:
    last = token[-1]
    return token[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[last]


def wide_ecdsa() -> str:
    signed, _, signature = mint.token(key="p256", algorithm="ES256").rpartition(".")
    raw = mint.unb64(signature)
    return f"{signed}.{mint.b64(bytes(1) + raw[:32] + bytes(1) + raw[32:])}"


def pem_as_secret() -> str:
    from cryptography.hazmat.primitives import serialization

    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    secret = mint.private_key("rsa").public_key().public_bytes(encoding, form)
    return mint.token(head=mint.header("rsa", "HS256"), key=secret, algorithm="HS256")


HOSTILE: dict[str, tuple[str, dict[str, Any]]] = {
    name: (token, GOOD_KEYS)
    for name, token in {
        "alg none": mint.token(head=mint.header(algorithm="none"), signature=b""),
        "public key as HMAC secret": pem_as_secret(),
        "unknown crit": mint.token(head=mint.header(crit=["bork"], bork=True)),
        "empty crit": mint.token(head=mint.header(crit=[])),
        "b64 without crit": mint.token(head=mint.header(b64=True)),
        "repeated header member": mint.token(head=mint.with_member(mint.header(), '"typ":"JWT"')),
        "repeated claim": mint.token(mint.with_member(mint.claims(), '"sub":"root"')),
        "lone surrogate": mint.token(mint.with_member(mint.claims(), '"x":"\\ud800"')),
        "BOM before the claims": mint.token(b"\xef\xbb\xbf" + mint.encode(mint.claims())),
        "NaN in the claims": mint.token(mint.with_member(mint.claims(), '"x":NaN')),
        "padded signature": mint.token() + "==",
        "unused bits": spelled_with_unused_bits(mint.token()),
        "line break after the token": mint.token() + "\n",
        "exp a string": mint.token(mint.claims(exp=str(mint.NOW + 300))),
        "typ of a DPoP proof": mint.token(head=mint.header(typ="dpop+jwt")),
        "bound token as bearer": mint.token(mint.claims(cnf={"jkt": "x" * 43})),
        "halves of 33 bytes": wide_ecdsa(),
        "header of 1 MB": mint.token(head=mint.header(pad="x" * 1_000_000)),
        "nested 5,000 deep": mint.token(mint.with_member(mint.claims(), '"x":' + "[" * 5_000 + "]" * 5_000)),
    }.items()
} | {
    "RSA of 1024 bits": (mint.token(key="rsa-1024", algorithm="RS256"), mint.jwks("rsa-1024")),
    "ROCA modulus": (mint.token(key="rsa-roca", algorithm="RS256"), mint.jwks("rsa-roca")),
    "key for encryption": (mint.token(key="rsa", algorithm="RS256"), mint.jwks(mint.public_jwk("rsa", use="enc"))),
    "key_ops without verify": (mint.token(), mint.jwks(mint.public_jwk("ed25519", key_ops=["sign"]))),
    "private key in the set": (mint.token(), {"keys": [mint.private_jwk("ed25519")]}),
}


#: Rows about claims: a JWS layer does not read them, and a library that is used as one is not tested with them.
ABOUT_CLAIMS = {
    "repeated claim", "lone surrogate", "BOM before the claims", "NaN in the claims", "exp a string",
    "bound token as bearer",
    "nested 5,000 deep",
}  # fmt: skip


def named_key(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """Return the key that the header names, as a careful caller would."""
    kid = json.loads(mint.unb64(token.partition(".")[0]))["kid"]
    return next(jwk for jwk in jwks["keys"] if jwk["kid"] == kid)


ALLOWED = ["EdDSA", "ES256", "RS256", "PS256"]


def pyjwt(token: str, jwks: dict[str, Any]) -> object:
    import jwt

    # Its clock cannot be set: the caller checks times.
    options: Any = {"verify_exp": True, "verify_nbf": False, "verify_iat": False}
    key = jwt.PyJWK(named_key(token, jwks)).key
    return jwt.decode(token, key, algorithms=ALLOWED, audience=mint.AUDIENCE, issuer=mint.ISSUER, options=options)


def joserfc(token: str, jwks: dict[str, Any]) -> object:
    from joserfc import jwt
    from joserfc.jwk import import_key

    decoded = jwt.decode(token, import_key(named_key(token, jwks)), algorithms=ALLOWED)
    jwt.JWTClaimsRegistry(now=mint.NOW, aud={"value": mint.AUDIENCE}).validate(decoded.claims)
    return decoded


def jwcrypto(token: str, jwks: dict[str, Any]) -> object:
    from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
    from jwcrypto.jws import JWS  # type: ignore[import-untyped]

    jws = JWS()
    jws.allowed_algs = ALLOWED
    jws.deserialize(token, JWK(**named_key(token, jwks)))
    return jws.payload


def authlib(token: str, jwks: dict[str, Any]) -> object:
    from authlib.jose import JsonWebSignature  # type: ignore[import-untyped]

    return JsonWebSignature(ALLOWED).deserialize_compact(token, named_key(token, jwks))["payload"]


#: Module to import, how to call it, and whether it is used as a JWS layer.
PEERS: dict[str, tuple[str, Verify, bool]] = {
    "PyJWT": ("jwt", pyjwt, False),
    "joserfc": ("joserfc", joserfc, False),
    "jwcrypto": ("jwcrypto", jwcrypto, True),
    "Authlib": ("authlib", authlib, True),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_kernel_rejects(name: str) -> None:
    token, jwks = HOSTILE[name]
    for path in PATHS:
        rejected = path.verdict(token, jwks=jwks) is not None
        assert rejected == (path.reads_claims or name not in ABOUT_CLAIMS), path


@pytest.mark.parametrize("peer", PEERS)
def test_each_other_library_accepts_some(peer: str, record_property: Callable[[str, object], None]) -> None:
    module, verify, jws_only = PEERS[peer]
    pytest.importorskip(module, reason="the other libraries are test dependencies")
    accepted = []
    # Ignored, and recorded too: one of them resets the filters when it is imported.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        assert verify(mint.token(), GOOD_KEYS), "the good token must be accepted"
        for name, (token, jwks) in HOSTILE.items():
            if jws_only and name in ABOUT_CLAIMS:
                continue
            try:
                verify(token, jwks)
            except Exception:
                continue
            accepted.append(name)
    record_property(peer, accepted)
    print(f"{peer} accepts: {', '.join(accepted)}")
    assert accepted
