"""P-256 key pairs in PEM, and what signs with them, by the package ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from watchword._kernel import thumbprint
from watchword.holder import keys


def generate() -> dict[str, str]:
    """A new pair: ``public_key`` as SubjectPublicKeyInfo, ``private_key`` as PKCS#8."""
    key = keys.new("ES256")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"public_key": public.decode(), "private_key": private.decode()}


def load(pem: bytes | str, form: Literal["der", "raw"]) -> tuple[str, Callable[[bytes], bytes]]:
    """A key's RFC 7638 thumbprint, and what signs with it: ``der`` (ASN.1) or ``raw`` (r and s side by side).

    Raises ``ValueError`` for anything but a P-256 private key without a password.
    """
    try:
        key = keys.load(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # What cryptography says of a file that it cannot read helps nobody, and is not ours to vouch for.
        raise ValueError("the private key must be a P-256 key in PEM (PKCS#8), without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the private key must be a P-256 key: agents sign by ES256")  # noqa: TRY004 - a file's content
    sign = keys.signer(key)
    if form == "der":
        return thumbprint(keys.public_jwk(key)), lambda data: key.sign(data, ECDSA(hashes.SHA256()))
    return thumbprint(keys.public_jwk(key)), sign
