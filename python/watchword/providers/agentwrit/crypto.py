"""The functions of ``agentwrit.crypto``: an agent's Ed25519 key, and the broker's challenge.

``create_agent`` does all of this itself.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from watchword import base64url
from watchword.holder import ChallengeSigner, Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def generate_keypair() -> Ed25519PrivateKey:
    """Return a new Ed25519 private key of the package ``cryptography``."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # slow to import

    return Ed25519PrivateKey.generate()


def sign_nonce(private_key: Ed25519PrivateKey | Signer, nonce_hex: str) -> bytes:
    """Return the signature, 64 bytes, over the bytes that the nonce's hexadecimal digits stand for.

    Raises ``TypeError`` unless the key is an Ed25519 private key or a :class:`~watchword.holder.Signer`, ``ValueError``
    if it is a key for another algorithm or the nonce is malformed (:class:`~watchword.holder.ChallengeError`).
    """
    signer = ChallengeSigner(ed25519_signer(private_key), nonce_encoding="hex", output="hex")
    return bytes.fromhex(signer.sign(nonce_hex))


def export_public_key_b64(private_key: Ed25519PrivateKey | Signer) -> str:
    """Return the public key, 32 bytes, in base64 (RFC 4648 section 4).

    Raises ``TypeError`` or ``ValueError`` for a key that is not an Ed25519 one.
    """
    return base64.b64encode(base64url.decode(ed25519_signer(private_key).public_jwk["x"])).decode()


def encode_signature_b64(signature: bytes) -> str:
    """Return a signature in base64 (RFC 4648 section 4)."""
    return base64.b64encode(signature).decode()


def ed25519_signer(private_key: Ed25519PrivateKey | Signer) -> Signer:
    """Return the signer of an Ed25519 private key, or a signer of the caller's own, checked.

    Raises ``TypeError`` if it is neither, ``ValueError`` if it is for another algorithm,
    :class:`~watchword.holder.SignerError` if it fails.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from watchword.holder import KeyPair, check_signer

    signer = KeyPair(private_key) if isinstance(private_key, Ed25519PrivateKey) else check_signer(private_key)
    if signer.algorithm != "EdDSA":
        raise ValueError("private_key must be an Ed25519 key: a broker accepts no other")
    return signer


__all__ = ["encode_signature_b64", "export_public_key_b64", "generate_keypair", "sign_nonce"]
