"""Keys, and adapters of signing services as users write them, with their mistakes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from watchword.holder import KeyPair, ecdsa_to_der

#: Made once: hundreds of tests use them.
ES256 = KeyPair.generate("ES256")
EDDSA = KeyPair.generate("EdDSA")
OTHER = KeyPair.generate("ES256")
PAIRS = {"ES256": ES256, "EdDSA": EDDSA}


class Adapter:
    """A signer that is not a KeyPair, and counts how often its service is called."""

    def __init__(self, pair: KeyPair = ES256, sign: Callable[[bytes], Any] | None = None, **changes: Any) -> None:
        self.algorithm: Any = changes.get("algorithm", pair.algorithm)
        self.public_jwk: Any = changes.get("public_jwk", pair.public_jwk)
        self.signed: list[bytes] = []
        self._sign = sign or pair.sign

    def sign(self, data: bytes) -> Any:
        self.signed.append(data)
        return self._sign(data)


class FakeKms:
    """The two calls of the client for AWS KMS that an adapter needs, with their real arguments and answers."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.requests: list[dict[str, Any]] = []

    def get_public_key(self, *, KeyId: str) -> dict[str, Any]:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"KeyId": KeyId, "PublicKey": der, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, Any]:
        assert SigningAlgorithm == "ECDSA_SHA_256"
        self.requests.append({"KeyId": KeyId, "Message": Message, "MessageType": MessageType})
        if MessageType == "DIGEST":
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

            return {"Signature": self._key.sign(Message, ec.ECDSA(Prehashed(hashes.SHA256())))}
        assert MessageType == "RAW"
        assert len(Message) <= 4096  # as the service has it
        return {"Signature": ecdsa_to_der(KeyPair(self._key).sign(Message))}


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
