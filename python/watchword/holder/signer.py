"""What signs for a holder: a key pair of this process, or a key that never leaves its KMS or PKCS#11 token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class SignerError(Exception):
    """A :class:`Signer` failed, or what it returned is invalid.

    The message names the class of the signer's exception, and neither its text nor the exception itself is kept: they
    may contain secrets. An adapter that wants to record more does so itself.
    """


class Signer(Protocol):
    """What signs with one private key: :class:`KeyPair`, or your own adapter of a KMS or a PKCS#11 token.

    ``sign`` is called from any number of threads at once, if its users are. It may block, and raise any exception,
    which becomes a :class:`SignerError`.
    """

    @property
    def algorithm(self) -> str:
        """The JWS algorithm of the key: ``"ES256"`` (P-256) or ``"EdDSA"`` (Ed25519)."""

    @property
    def public_jwk(self) -> Mapping[str, Any]:
        """The public key as a JWK (RFC 7517), without private members."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``, 64 bytes, in the form of JWS.

        For ES256, that is r and s concatenated (RFC 7518 section 3.4), over the SHA-256 hash of the data; for EdDSA,
        see RFC 8037 section 3.1.
        """


__all__ = ["Signer", "SignerError"]
