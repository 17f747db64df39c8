"""P-256 key pairs in PEM, with the package ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from watchword import thumbprint
from watchword.holder import keys


def generate() -> dict[str, str]:
    """Return a new pair: ``public_key`` as SubjectPublicKeyInfo, ``private_key`` as PKCS#8."""
    key = keys.new("ES256")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"public_key": public.decode(), "private_key": private.decode()}


def load(pem: bytes | str, form: Literal["der", "raw"]) -> tuple[str, Callable[[bytes], bytes]]:
    """Return a key's RFC 7638 thumbprint, and a function that signs with it.

    Signatures are ``der`` (ASN.1) or ``raw`` (r and s, 64 bytes). Raises ``ValueError`` unless the PEM has a P-256
    private key without a password.
    """
    try:
        key = keys.load(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The package's own messages do not help, and might quote the key.
        raise ValueError("the private key must be a P-256 key in PEM (PKCS#8), without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the private key must be a P-256 key: agents sign with ES256")  # noqa: TRY004 - a file's content
    sign = keys.signer(key)
    if form == "der":
        return thumbprint(keys.public_jwk(key)), lambda data: key.sign(data, ECDSA(hashes.SHA256()))
    return thumbprint(keys.public_jwk(key)), sign
