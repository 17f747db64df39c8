"""The agent's side: its key pair, and challenges signed with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

BASE_URL = "https://api.clawauth.com"


class ClawAuthAgent:
    """An agent with its P-256 private key; it may be used from any number of threads at once.

    The key is a file (``private_key_path``) or the content of one (``private_key``): PKCS#8 in PEM without a password,
    as :meth:`generate_keypair` makes it. ``base_url`` is ClawAuth's.

    ``signature_format`` and ``nonce_encoding`` set how challenges are signed, since ClawAuth's documents are ambiguous:
    ``"der"`` (an ASN.1 ``ECDSA-Sig-Value``, as in their example) or ``"raw"`` (r and s, 64 bytes, as in their text);
    over the characters of the nonce (``"utf-8"``) or the bytes that they encode (``"hex"``).

    Raises ``ValueError`` or ``TypeError`` unless exactly one P-256 private key is given, ``OSError`` if the file cannot
    be read.
    """

    def __init__(
        self,
        agent_id: str,
        private_key_path: str | os.PathLike[str] | None = None,
        private_key: bytes | str | None = None,
        base_url: str = BASE_URL,
        *,
        signature_format: Literal["der", "raw"] = "der",
        nonce_encoding: Literal["utf-8", "hex"] = "utf-8",
    ) -> None:
        if not isinstance(agent_id, str):
            raise TypeError(f"agent_id must be a string, not {type(agent_id).__name__}")
        if not agent_id:
            raise ValueError("agent_id must not be empty")
        if signature_format not in ("der", "raw"):
            raise ValueError(f'signature_format is {signature_format!r}: it must be "der" or "raw"')
        if nonce_encoding not in ("utf-8", "hex"):
            raise ValueError(f'nonce_encoding is {nonce_encoding!r}: it must be "utf-8" or "hex"')
        if (private_key_path is None) == (private_key is None):
            raise ValueError("give one of private_key_path and private_key")
        pem = Path(private_key_path).read_bytes() if private_key_path is not None else private_key
        if not isinstance(pem, (bytes, str)):
            raise TypeError("private_key must be PEM as bytes or str")
        from watchword.providers.clawauth import key_pair  # cryptography takes long to import

        self._agent_id = agent_id
        self._base_url = base_url
        self._nonce_encoding = nonce_encoding
        self._jkt, self._sign = key_pair.load(pem, signature_format)

    @property
    def agent_id(self) -> str:
        """The id of the agent at ClawAuth."""
        return self._agent_id

    @staticmethod
    def generate_keypair() -> dict[str, str]:
        """Return a new P-256 key pair: ``public_key`` (SubjectPublicKeyInfo) and ``private_key`` (PKCS#8), both in PEM.

        The private key has no password: keep it in a file that only its owner can read.
        """
        from watchword.providers.clawauth import key_pair

        return key_pair.generate()

    def sign_challenge(self, nonce: str) -> str:
        """Return the signature (ECDSA with SHA-256) of a challenge's ``nonce``, in lower-case hexadecimal digits.

        Raises ``TypeError`` if the nonce is not a string, ``ValueError`` if it is empty or cannot be decoded.
        """
        if not isinstance(nonce, str):
            raise TypeError(f"nonce must be a string, not {type(nonce).__name__}")
        if not nonce:
            raise ValueError("nonce must not be empty")
        try:
            data = bytes.fromhex(nonce) if self._nonce_encoding == "hex" else nonce.encode()
        except ValueError:
            raise ValueError(f"nonce must be {self._nonce_encoding}, as nonce_encoding says") from None
        return self._sign(data).hex()

    def __repr__(self) -> str:
        return f"ClawAuthAgent(agent_id={self._agent_id!r}, jkt={self._jkt!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a ClawAuthAgent cannot be pickled or copied: its private key stays in the process")
