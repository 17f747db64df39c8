"""Sign tokens with any header, any payload and any key, without the code under test."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

NOW = 1_900_000_000
ISSUER = "https://as.example"
AUDIENCE = "https://api.example"

#: As the value of a member: the member is omitted.
OMIT: Any = object()

JWK = dict[str, Any]

_KEYS: dict[str, JWK] = json.loads(Path(__file__).with_name("keys.json").read_bytes())["keys"]
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}

#: The name of a test key, and an algorithm to sign with: every valid pair.
SIGNERS = (
    ("ed25519", "EdDSA"),
    ("ed25519", "Ed25519"),
    ("p256", "ES256"),
    ("p384", "ES384"),
    ("rsa", "RS256"),
    ("rsa", "RS384"),
    ("rsa", "RS512"),
    ("rsa", "PS256"),
    ("rsa", "PS384"),
    ("rsa", "PS512"),
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(unb64(text), "big")


def private_jwk(name: str) -> JWK:
    return {**_KEYS[name], "kid": name}


def public_jwk(name: str, **changes: Any) -> JWK:
    """Return the public half of a test key, its name as ``kid``, with members changed or (``OMIT``) omitted."""
    public: JWK = {
        member: _KEYS[name][member] for member in ("kty", "crv", "x", "y", "n", "e") if member in _KEYS[name]
    }
    return _without_omitted({**public, "kid": name, **changes})


def jwks(*keys: str | JWK) -> dict[str, list[JWK]]:
    return {"keys": [public_jwk(key) if isinstance(key, str) else key for key in keys]}


@functools.cache
def private_key(name: str) -> Any:
    jwk = _KEYS[name]
    if jwk["kty"] == "OKP":
        return ed25519.Ed25519PrivateKey.from_private_bytes(unb64(jwk["d"]))
    if jwk["kty"] == "EC":
        return ec.derive_private_key(number(jwk["d"]), _CURVES[jwk["crv"]])
    public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"]))
    parts = {member: number(jwk[member]) for member in ("p", "q", "d", "dp", "dq", "qi")}
    private = rsa.RSAPrivateNumbers(
        p=parts["p"], q=parts["q"], d=parts["d"], dmp1=parts["dp"], dmq1=parts["dq"], iqmp=parts["qi"],
        public_numbers=public,
    )  # fmt: skip
    return private.private_key(unsafe_skip_rsa_key_validation=True)


def sign(algorithm: str, key: str | bytes, data: bytes) -> bytes:
    """Return a signature over ``data`` by the test key of this name, or with ``bytes`` as an HMAC secret."""
    if algorithm.lower() == "none":
        return b""
    if isinstance(key, bytes):
        return hmac.new(key, data, hashlib.sha256).digest()
    private = private_key(key)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    digest = _HASHES[algorithm[2:5]] if algorithm[2:5] in _HASHES else hashes.SHA256()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
        size = (private.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert isinstance(private, rsa.RSAPrivateKey)
    if algorithm.startswith("PS"):
        return private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return private.sign(data, padding.PKCS1v15(), digest)


def header(key: str = "ed25519", algorithm: str = "EdDSA", **changes: Any) -> dict[str, Any]:
    return _without_omitted({"alg": algorithm, "kid": key, "typ": "JWT", **changes})


def claims(**changes: Any) -> dict[str, Any]:
    """Return a good claims set as of ``NOW``, with claims changed or (``OMIT``) omitted."""
    good = {
        "iss": ISSUER,
        "sub": "agent-7",
        "aud": AUDIENCE,
        "exp": NOW + 300,
        "nbf": NOW - 60,
        "iat": NOW - 60,
        "jti": "token-1",
        "scope": "read write",
    }
    return _without_omitted({**good, **changes})


def token(
    payload: dict[str, Any] | bytes | None = None,
    head: dict[str, Any] | bytes | None = None,
    *,
    key: str | bytes = "ed25519",
    algorithm: str = "EdDSA",
    signature: bytes | None = None,
) -> str:
    """Return a compact JWS over exactly these bytes; dictionaries are written as JSON, ``None`` as good ones.

    ``algorithm`` is what signs; what the header names is up to ``head``.
    """
    if head is None:
        head = header(key if isinstance(key, str) else "ed25519", algorithm)
    if payload is None:
        payload = claims()
    signing_input = f"{b64(encode(head))}.{b64(encode(payload))}"
    if signature is None:
        signature = sign(algorithm, key, signing_input.encode())
    return f"{signing_input}.{b64(signature)}"


def encode(document: dict[str, Any] | bytes) -> bytes:
    if isinstance(document, bytes):
        return document
    return json.dumps(document, separators=(",", ":")).encode()


def with_member(document: dict[str, Any], raw: str) -> bytes:
    """Return a JSON object with one more member, written by hand: ``with_member({}, '"a":1e400')``."""
    body = encode(document)[1:-1].decode()
    return ("{" + (body + "," if body else "") + raw + "}").encode("utf-8", "surrogatepass")


def _without_omitted(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not OMIT}
