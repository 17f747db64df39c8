"""The agent's side: its key pair, and challenges signed with it."""

from __future__ import annotations

import os
from typing import Literal

from watchword import thumbprint
from watchword.holder import ChallengeSigner, Signer

BASE_URL = "https://api.clawauth.com"


class ClawAuthAgent:
    """An agent with its P-256 private key; it may be used from any number of threads at once.

    The key is a file (``private_key_path``) that only its owner can access (mode 0600), or the content of one
    (``private_key``): PKCS#8 in PEM without a password, as :meth:`generate_keypair` makes it. ``private_key`` may also
    be a :class:`~watchword.holder.Signer`, such as a key in a KMS. ``base_url`` is ClawAuth's.

    ``signature_format`` and ``nonce_encoding`` set how challenges are signed, since ClawAuth's documents are ambiguous:
    ``"der"`` (an ASN.1 ``ECDSA-Sig-Value``, as in their example) or ``"raw"`` (r and s, 64 bytes, as in their text);
    over the characters of the nonce (``"utf-8"``) or the bytes that they encode (``"hex"``).

    Raises ``ValueError`` or ``TypeError`` unless exactly one P-256 private key is given, ``OSError`` if the file cannot
    be read, or others may access it (:class:`~watchword.holder.KeyFileError`).
    """

    def __init__(
        self,
        agent_id: str,
        private_key_path: str | os.PathLike[str] | None = None,
        private_key: bytes | str | Signer | None = None,
        base_url: str = BASE_URL,
        *,
        signature_format: Literal["der", "raw"] = "der",
        nonce_encoding: Literal["utf-8", "hex"] = "utf-8",
    ) -> None:
        if not isinstance(agent_id, str):
            raise TypeError(f"agent_id must be a string, not {type(agent_id).__name__}")
        if not agent_id:
            raise ValueError("agent_id must not be empty")
        if nonce_encoding not in ("utf-8", "hex"):
            raise ValueError(f'nonce_encoding is {nonce_encoding!r}: it must be "utf-8" or "hex"')
        signer = _signer(private_key_path, private_key)
        if signer.algorithm != "ES256":
            raise ValueError("the private key must be a P-256 key: agents sign with ES256")
        self._agent_id = agent_id
        self._base_url = base_url
        self._jkt = thumbprint(signer.public_jwk)
        self._challenges = ChallengeSigner(
            signer, nonce_encoding=nonce_encoding, signature_format=signature_format, output="hex"
        )

    @property
    def agent_id(self) -> str:
        """The id of the agent at ClawAuth."""
        return self._agent_id

    @staticmethod
    def generate_keypair() -> dict[str, str]:
        """Return a new P-256 key pair: ``public_key`` (SubjectPublicKeyInfo) and ``private_key`` (PKCS#8), both in PEM.

        The private key has no password: keep it in a file that only its owner can read.
        """
        from watchword.holder import KeyPair  # cryptography takes long to import

        pair = KeyPair.generate("ES256")
        return {"public_key": pair.public_pem, "private_key": pair.private_pem()}

    def sign_challenge(self, nonce: str) -> str:
        """Return the signature (ECDSA with SHA-256) of a challenge's ``nonce``, in lower-case hexadecimal digits.

        Raises ``TypeError`` if the nonce is not a string, ``ValueError`` if it is empty, too long, cannot be decoded,
        or could pass as a token once it is signed (:class:`~watchword.holder.ChallengeError`).
        """
        return self._challenges.sign(nonce)

    def __repr__(self) -> str:
        return f"ClawAuthAgent(agent_id={self._agent_id!r}, jkt={self._jkt!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a ClawAuthAgent cannot be pickled or copied: its private key stays in the process")


def _signer(path: str | os.PathLike[str] | None, key: bytes | str | Signer | None) -> Signer:
    from watchword.holder import KeyPair, check_signer  # cryptography takes long to import

    if path is not None and key is None:
        return KeyPair.from_file(path)
    if path is not None or key is None:
        raise ValueError("give one of private_key_path and private_key")
    if not isinstance(key, (bytes, str)):
        return check_signer(key)
    try:
        return KeyPair.from_pem(key)
    except ValueError:
        pass
    raise ValueError("the private key must be a P-256 key in PEM (PKCS#8), without a password")
