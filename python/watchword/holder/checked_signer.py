"""A signer of somebody else's, of which nothing is taken on trust: every signature is verified before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from inspect import getattr_static, iscoroutine
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from watchword._kernel import KeySet
from watchword.holder import jwk
from watchword.holder.ecdsa import ecdsa_from_der, ecdsa_to_der
from watchword.holder.key_pair import KeyPair
from watchword.holder.signer import Signer, SignerError

_T = TypeVar("_T")

#: Signed once to see whether a signer works. It is nobody's signing input.
_PROBE = b"Watchword checks this signer: the signature proves nothing"


def check_signer(signer: Signer) -> Signer:
    """Return a signer whose key is valid, and each of whose signatures is verified before it is used.

    A :class:`KeyPair` is returned as it is. Any other signer signs a probe first; its algorithm and its public key are
    read once. :class:`DpopProver` and :class:`ChallengeSigner` call this; call it yourself to share one signer among
    several of them, so that it signs one probe only.

    Raises ``TypeError`` if it is no signer, :class:`SignerError` if it fails, or what it returns is invalid.
    """
    return signer if isinstance(signer, (KeyPair, CheckedSigner)) else CheckedSigner(signer)


class CheckedSigner:
    """What :func:`check_signer` returns for a signer that is not a key pair, and raises as described there."""

    def __init__(self, signer: Signer) -> None:
        # Static, as a property of an adapter may call its service, and fail.
        missing = [name for name in ("algorithm", "public_jwk", "sign") if getattr_static(signer, name, None) is None]
        if missing or isinstance(signer, type):
            raise TypeError(
                f"{type(signer).__name__} is not a signer: it needs algorithm, public_jwk and sign, as "
                "watchword.holder.Signer describes; KeyPair(key) makes one of a key of the package cryptography"
            )
        self._signer = signer
        algorithm: object = _call("algorithm", lambda: signer.algorithm)
        if algorithm not in ("ES256", "EdDSA"):
            raise SignerError("algorithm of the signer must be 'ES256' or 'EdDSA'")
        self._algorithm = str(algorithm)
        self._public_jwk = _validated(_call("public_jwk", lambda: signer.public_jwk), self._algorithm)
        self._public_key = jwk.public_key(self._public_jwk)
        self.sign(_PROBE)

    @property
    def algorithm(self) -> str:
        """The signer's algorithm."""
        return self._algorithm

    @property
    def public_jwk(self) -> dict[str, str]:
        """The members of the public key's thumbprint, and no others: a new dict."""
        return dict(self._public_jwk)

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``. Raises :class:`SignerError` if it could not be made, or is invalid."""
        signature: object = _call("sign", lambda: self._signer.sign(data))
        if not isinstance(signature, (bytes, bytearray, memoryview)):
            if iscoroutine(signature):
                signature.close()
            raise SignerError(f"sign of the signer returned {type(signature).__name__}, not bytes")
        signature = bytes(signature)
        if not self._is_valid(data, signature):
            raise SignerError(self._why_invalid(data, signature))
        return signature

    def _is_valid(self, data: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            return False
        try:
            if isinstance(self._public_key, Ed25519PublicKey):
                self._public_key.verify(signature, data)
            else:
                self._public_key.verify(ecdsa_to_der(signature), data, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def _why_invalid(self, data: bytes, signature: bytes) -> str:
        """The mistakes that adapters make, the most frequent first."""
        if self._algorithm == "ES256":
            try:
                raw = ecdsa_from_der(signature)
            except ValueError:
                raw = signature
            else:
                if self._is_valid(data, raw):
                    return (
                        "sign of the signer returned ASN.1 (DER), as KMS APIs do, but JWS needs r and s concatenated, "
                        "64 bytes (RFC 7518 section 3.4): return watchword.holder.ecdsa_from_der(signature)"
                    )
            if self._is_valid(hashlib.sha256(data).digest(), raw):
                return "sign of the signer hashed the data twice: give a service that hashes the data, not its hash"
        if len(signature) != 64:
            return f"sign of the signer returned {len(signature)} bytes: an {self._algorithm} signature has 64"
        hashed = ", or of data that was not hashed with SHA-256 once" if self._algorithm == "ES256" else ""
        return f"the signer's signature is not valid under its public_jwk: it is of another key{hashed}"


def _call(name: str, function: Callable[[], _T]) -> _T:
    # Raised outside of ``except``, so that the exception of an adapter is not kept as the context.
    try:
        return function()
    except Exception as error:
        kind = type(error)
    raise SignerError(f"{name} of the signer raised {kind.__module__}.{kind.__qualname__}")


def _validated(given: object, algorithm: str) -> dict[str, str]:
    """The members of the key's thumbprint, and no others."""
    if not isinstance(given, Mapping) or "kty" not in given:
        raise SignerError("public_jwk of the signer must be a mapping: a public key as a JWK (RFC 7517)")
    document = _call("public_jwk", lambda: dict(given))
    reason = "it is not JSON"
    try:
        keys = KeySet.from_json(document)
        if not keys.rejected:
            (key,) = keys
            if algorithm in key.algorithms:
                return {name: value for name, value in key.to_jwk().items() if name in ("kty", "crv", "x", "y")}
            reason = f"it is not a key for {algorithm}"
        else:
            reason = keys.rejected[0].detail
    except (ValueError, TypeError):
        pass
    raise SignerError(f"public_jwk of the signer is invalid: {reason}")


__all__ = ["CheckedSigner", "check_signer"]
