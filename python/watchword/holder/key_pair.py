"""A key pair in this process's memory, implemented by the package ``cryptography``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from watchword._kernel import thumbprint
from watchword.holder import jwk, key_file, pem
from watchword.holder.ecdsa import ecdsa_from_der
from watchword.holder.jwk import PrivateKey


@final
class KeyPair:
    """An Ed25519 or P-256 key pair: a :class:`Signer`. It may be used from any number of threads at once.

    ``private_key`` is an ``Ed25519PrivateKey`` or a P-256 ``EllipticCurvePrivateKey`` of the package ``cryptography``;
    :meth:`generate`, :meth:`from_file`, :meth:`from_pem` and :meth:`from_jwk` are the other ways to make one. The repr
    shows the algorithm and the thumbprint; a key pair cannot be pickled or copied.

    Raises ``TypeError`` if the key is of another kind.
    """

    def __init__(self, private_key: PrivateKey) -> None:
        if not _is_supported(private_key):
            raise TypeError("private_key must be an Ed25519 or P-256 private key of the package cryptography")
        self._key = private_key
        self._public_jwk = jwk.public_jwk(private_key)
        self._thumbprint = thumbprint(self._public_jwk)

    @classmethod
    def generate(cls, algorithm: Literal["ES256", "EdDSA"] = "ES256") -> KeyPair:
        """Return a new key pair: ``ES256`` is P-256, which more servers support, and ``EdDSA`` Ed25519.

        Raises ``ValueError`` for any other algorithm.
        """
        if algorithm == "EdDSA":
            return cls(Ed25519PrivateKey.generate())
        if algorithm == "ES256":
            return cls(generate_private_key(SECP256R1()))
        raise ValueError(f"algorithm is {algorithm!r}: it must be 'ES256' or 'EdDSA'")

    @classmethod
    def from_pem(cls, data: str | bytes, password: str | bytes | None = None) -> KeyPair:
        """Return the key pair of a private key in PEM: PKCS#8 (RFC 5958), plain or encrypted, or SEC 1 (RFC 5915).

        Raises ``ValueError`` if there is not exactly one Ed25519 or P-256 private key, or the password is wrong,
        missing or needless.
        """
        key = pem.read(data, password)
        if not _is_supported(key):
            raise ValueError("the private key must be an Ed25519 or P-256 key")
        return cls(key)  # type: ignore[arg-type]

    @classmethod
    def from_jwk(cls, data: str | bytes | Mapping[str, Any]) -> KeyPair:
        """Return the key pair of a private JWK (RFC 7517): a mapping, or JSON.

        Raises ``ValueError`` if it is not an Ed25519 or P-256 key with all of its members, in their exact form; if the
        public members are not those of the private one; or if ``alg``, ``use`` or ``key_ops`` do not allow to sign.
        """
        return cls(jwk.read(data))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], password: str | bytes | None = None) -> KeyPair:
        """Return the key pair of a key file, in PEM or a JWK, that nobody but its owner can access.

        The file must belong to the user of this process and have the mode 0600 or 0400; symbolic links are followed.
        (On Windows, owner and mode are not checked.)

        Raises :class:`KeyFileError` if it does not, or is not a regular file of at most 64 KiB; ``OSError`` if it
        cannot be read; ``ValueError`` as :meth:`from_pem` and :meth:`from_jwk` do.
        """
        content = key_file.read(path)
        try:
            if not content.lstrip().startswith(b"{"):
                return cls.from_pem(content, password)
            if password is None:
                return cls.from_jwk(content.strip())
            reason = "a JWK is not encrypted, but a password was given"
        except ValueError as error:
            reason = str(error)
        raise ValueError(f"{os.fsdecode(path)!r}: {reason}")

    @property
    def algorithm(self) -> Literal["ES256", "EdDSA"]:
        """The JWS algorithm that the key signs with."""
        return "EdDSA" if isinstance(self._key, Ed25519PrivateKey) else "ES256"

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK with the members of its thumbprint: a new dict."""
        return dict(self._public_jwk)

    @property
    def public_pem(self) -> str:
        """The public key as a SubjectPublicKeyInfo in PEM (RFC 7468 section 13)."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def thumbprint(self) -> str:
        """The RFC 7638 thumbprint of the public key: what a token is bound to (``cnf.jkt``, ``dpop_jkt``)."""
        return self._thumbprint

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``, 64 bytes, in the form of JWS (RFC 7518 section 3.4, RFC 8037)."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(data)
        return ecdsa_from_der(self._key.sign(data, ECDSA(SHA256())))

    def private_jwk(self) -> dict[str, str]:
        """Return the **private** key as a JWK. Whoever has it can sign as this holder."""
        return jwk.private_jwk(self._key)

    def private_pem(self, password: str | bytes | None = None) -> str:
        """Return the **private** key as PKCS#8 in PEM, encrypted if a password is given.

        Raises ``ValueError`` if the password is empty or longer than 1,023 bytes.
        """
        return pem.write(self._key, password)

    def write(self, path: str | os.PathLike[str], password: str | bytes | None = None) -> None:
        """Write :meth:`private_pem` to a new file that only its owner can access (mode 0600).

        The file appears under its name when it is complete and on the disk. An existing one is never overwritten.

        Raises ``FileExistsError`` if there is anything by that name, :class:`KeyFileError` if the file system cannot
        keep the file private, ``OSError`` if it cannot be written, ``ValueError`` as :meth:`private_pem` does.
        """
        key_file.create(path, self.private_pem(password).encode())

    def __repr__(self) -> str:
        """Return the algorithm and the thumbprint."""
        return f"KeyPair(algorithm={self.algorithm!r}, thumbprint={self._thumbprint!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Raise ``TypeError``: a private key stays in its process."""
        raise TypeError("a KeyPair stays in the process that made it: it cannot be pickled or copied")


def _is_supported(key: object) -> bool:
    if isinstance(key, EllipticCurvePrivateKey):
        return isinstance(key.curve, SECP256R1)
    return isinstance(key, Ed25519PrivateKey)


__all__ = ["KeyPair"]
