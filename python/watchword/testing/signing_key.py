"""An in-memory key pair, for one algorithm (RFC 7518 section 3, RFC 8037 section 3.1)."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from watchword import KeySet
from watchword.holder import ecdsa_from_der

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: Every algorithm of the issuers here: those that the kernel verifies.
ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

_DIGESTS: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}

# A key is made on first use, possibly by a thread that serves the set while another one signs.
_MAKING = threading.Lock()


class SigningKey:
    """One key pair with its ``key_id`` and ``algorithm``. Its repr shows no key parameters.

    With ``deterministic``, ECDSA has no random number (RFC 6979): like those of EdDSA and RSASSA-PKCS1-v1_5, the same
    signature every time. That needs OpenSSL 3.2, which the wheels of ``cryptography`` contain.
    """

    def __init__(
        self,
        algorithm: str,
        key_id: str,
        make: Callable[[], PrivateKey] | None = None,
        *,
        deterministic: bool = False,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"unknown algorithm {algorithm!r}: must be one of {', '.join(ALGORITHMS)}")
        self.algorithm = algorithm
        self.key_id = key_id
        self._deterministic = deterministic
        self._make = make or functools.partial(new_private_key, algorithm)
        self._private: PrivateKey | None = None

    @property
    def private(self) -> PrivateKey:
        """The private key, made on first use."""
        with _MAKING:
            if self._private is None:
                self._private = self._make()
            return self._private

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data`` in the form of JWS (for ES256 and ES384 r and s concatenated)."""
        return _sign(self.private, self.algorithm, data, deterministic=self._deterministic)

    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK with ``kid``, ``alg`` and ``use``."""
        common = {"kid": self.key_id, "alg": self.algorithm, "use": "sig"}
        public = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        (key,) = KeySet.from_der(public)
        return {**key.to_jwk(), **common}

    def public_pem(self) -> bytes:
        """Return the public key as a SubjectPublicKeyInfo in PEM."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def __repr__(self) -> str:
        return f"SigningKey(algorithm={self.algorithm!r}, key_id={self.key_id!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a SigningKey stays in the process that made it: it can't be pickled or copied")


def is_rsa(algorithm: str) -> bool:
    """Return whether ``algorithm`` signs with an RSA key."""
    return algorithm[:2] in ("RS", "PS")


def is_ecdsa(algorithm: str) -> bool:
    """Return whether ``algorithm`` is ECDSA."""
    return algorithm[:2] == "ES"


def new_private_key(algorithm: str) -> PrivateKey:
    """Return a new private key for ``algorithm``: RSA of 2,048 bits, or of the curve of the algorithm."""
    if is_rsa(algorithm):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if is_ecdsa(algorithm):
        return ec.generate_private_key(ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1())
    return ed25519.Ed25519PrivateKey.generate()


@functools.cache
def _attackers_private_key(kind: str) -> PrivateKey:
    return new_private_key(kind)


def attackers_key(algorithm: str, key_id: str) -> SigningKey:
    """Return a key for ``algorithm`` that no issuer publishes; one private key per process and kind."""
    return SigningKey(
        algorithm, key_id, functools.partial(_attackers_private_key, "RS256" if is_rsa(algorithm) else algorithm)
    )


def _sign(private: PrivateKey, algorithm: str, data: bytes, *, deterministic: bool) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        der = private.sign(data, ec.ECDSA(_digest(algorithm), deterministic_signing=deterministic))
        return ecdsa_from_der(der, size=private.key_size // 8)
    if isinstance(private, rsa.RSAPrivateKey):
        digest = _digest(algorithm)
        if algorithm.startswith("PS"):
            # RFC 7518 section 3.5: the salt is as long as the hash.
            return private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return private.sign(data, padding.PKCS1v15(), digest)
    return private.sign(data)


def _digest(algorithm: str) -> hashes.HashAlgorithm:
    return _DIGESTS[algorithm[2:]]()
