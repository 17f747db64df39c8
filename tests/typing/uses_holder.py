"""The holder's side as an application uses it, for the type checker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchword.holder import (
    ChallengeError,
    ChallengeSigner,
    DpopProver,
    KeyFileError,
    KeyPair,
    Signer,
    SignerError,
    check_signer,
    ecdsa_from_der,
    ecdsa_to_der,
)


class Adapter:
    """With plain attributes, as most adapters have them."""

    algorithm = "ES256"

    def __init__(self, key: KeyPair) -> None:
        self.public_jwk = key.public_jwk
        self._key = key

    def sign(self, data: bytes) -> bytes:
        return ecdsa_from_der(ecdsa_to_der(self._key.sign(data)))


class WithProperties:
    @property
    def algorithm(self) -> Literal["EdDSA"]:
        return "EdDSA"

    @property
    def public_jwk(self) -> Mapping[str, str]:
        return {}

    def sign(self, data: bytes) -> bytes:
        return data


def keys(path: Path) -> list[KeyPair]:
    key = KeyPair.generate("EdDSA")
    try:
        key.write(path, password="secret")
        found = KeyPair.from_file(str(path), b"secret")
    except KeyFileError as error:
        system: OSError = error
        raise system from None
    text: str = found.private_pem("secret") + found.public_pem + found.thumbprint
    jwk: dict[str, str] = found.private_jwk()
    return [KeyPair.from_pem(text), KeyPair.from_jwk(jwk), KeyPair(Ed25519PrivateKey.generate())]


def proofs(key: KeyPair) -> list[str]:
    signers: list[Signer] = [key, Adapter(key), WithProperties(), check_signer(Adapter(key))]
    provers = [DpopProver(signer=signer) for signer in signers] + [DpopProver("ES256", signer=Adapter(key))]
    return [prover.proof("GET", "https://api.example/") for prover in provers]


def challenge(key: KeyPair, nonce: str) -> str:
    try:
        return ChallengeSigner(key, nonce_encoding="utf-8", signature_format="der", output="base64url").sign(nonce)
    except ChallengeError as error:
        mistake: ValueError = error
        return str(mistake)
    except SignerError as error:
        return str(error)
