"""Private keys that follow from a seed: the same seed makes the same tokens, to the byte."""

from __future__ import annotations

import hashlib
import importlib.resources
import json

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from watchword import base64url
from watchword.testing.signing_key import PrivateKey, SigningKey, is_ecdsa, is_rsa

#: The order of P-256: private keys are smaller.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def seeded_key(algorithm: str, key_id: str, *, seed: int, rsa_index: int = 0) -> SigningKey:
    """Return the key of that algorithm and id under ``seed``: EdDSA, ES256 or RS256, with deterministic signatures.

    An RSA key does not depend on the seed, because making one takes too long: it is the one of the package with the
    number ``rsa_index``. Raises ``IndexError`` if there are fewer.
    """

    def make() -> PrivateKey:
        return _rsa(rsa_index) if is_rsa(algorithm) else _derived(algorithm, f"{seed}/{algorithm}/{key_id}")

    return SigningKey(algorithm, key_id, make, deterministic=True)


def _derived(algorithm: str, label: str) -> PrivateKey:
    digest = hashlib.sha512(label.encode()).digest()
    if is_ecdsa(algorithm):
        return ec.derive_private_key(int.from_bytes(digest, "big") % (_P256_ORDER - 1) + 1, ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.from_private_bytes(digest[:32])


def _rsa(index: int) -> PrivateKey:
    primes = json.loads(importlib.resources.files(__package__).joinpath("rsa_primes.json").read_text())["primes"][index]
    p, q = (int.from_bytes(base64url.decode(primes[name]), "big") for name in ("p", "q"))
    d = pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    ).private_key()
