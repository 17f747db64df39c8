"""Private keys of a token's holder: Ed25519 and P-256, implemented by the package ``cryptography``."""

from __future__ import annotations

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

from watchword._kernel import KeySet

#: A private key of a kind that is supported.
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def new(name: str) -> PrivateKey:
    """Return a new key for the algorithm ``EdDSA`` or ``ES256``. Raises ``ValueError`` for any other."""
    if name == "EdDSA":
        return Ed25519PrivateKey.generate()
    if name == "ES256":
        return generate_private_key(SECP256R1())
    raise ValueError(f"algorithm is {name!r}: it must be 'ES256' or 'EdDSA'")


def load(key: PrivateKey | bytes | str) -> PrivateKey:
    """Return the key itself, or the key of a PEM text without a password.

    Raises ``ValueError`` or ``TypeError`` if it is not an Ed25519 or P-256 private key.
    """
    if isinstance(key, (bytes, str)):
        loaded = load_pem_private_key(key.encode() if isinstance(key, str) else key, password=None)
    else:
        loaded = key
    if isinstance(loaded, Ed25519PrivateKey):
        return loaded
    if isinstance(loaded, EllipticCurvePrivateKey) and isinstance(loaded.curve, SECP256R1):
        return loaded
    raise TypeError("private_key must be an Ed25519 or P-256 private key")


def algorithm(key: PrivateKey) -> str:
    """Return the JWS algorithm that the key signs with: ``EdDSA`` or ``ES256``."""
    return "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """Return the public key as a JWK with the members of its thumbprint (RFC 7638 section 3.2) and no others."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (known,) = KeySet.from_der(public)
    return known.to_jwk()


def signer(key: PrivateKey) -> Callable[[bytes], bytes]:
    """Return a function that signs bytes as JWS does: for ES256, r and s concatenated (RFC 7518 section 3.4)."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


__all__ = ["PrivateKey", "algorithm", "load", "new", "public_jwk", "signer"]
