"""Key pairs of whoever holds a token: Ed25519 and P-256, by the package ``cryptography``."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey

_KINDS = "an Ed25519 or P-256 private key"


def new(name: str) -> PrivateKey:
    """A new key for this algorithm. Raises ``ValueError`` for another than ``EdDSA`` and ``ES256``."""
    if name == "EdDSA":
        return Ed25519PrivateKey.generate()
    if name == "ES256":
        return generate_private_key(SECP256R1())
    raise ValueError("algorithm must be 'ES256' or 'EdDSA'")


def load(key: PrivateKey | bytes | str) -> PrivateKey:
    """The key itself, or that of a PEM text. Raises ``ValueError`` or ``TypeError`` for another kind of key."""
    if isinstance(key, (bytes, str)):
        loaded = load_pem_private_key(key.encode() if isinstance(key, str) else key, password=None)
    else:
        loaded = key
    if isinstance(loaded, Ed25519PrivateKey):
        return loaded
    if isinstance(loaded, EllipticCurvePrivateKey) and isinstance(loaded.curve, SECP256R1):
        return loaded
    raise TypeError(f"private_key must be {_KINDS}")


def algorithm(key: PrivateKey) -> str:
    """The algorithm that the key signs by."""
    return "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """The public half as a JWK with the members that a thumbprint is made of, and no others."""
    if isinstance(key, Ed25519PrivateKey):
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _base64url(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
        }
    point = key.public_key().public_numbers()
    x, y = (_base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def signer(key: PrivateKey) -> Callable[[bytes], bytes]:
    """What signs as JWS has it: for ES256 r and s side by side (RFC 7518 section 3.4)."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


__all__ = ["PrivateKey", "algorithm", "load", "new", "public_jwk", "signer"]
