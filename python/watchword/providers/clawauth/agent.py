"""The agent's side: its key pair, challenges signed with it, and its calls of ClawAuth's server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import Literal

from watchword import thumbprint
from watchword.client import AsyncHttpxClient, CallSettings, SyncHttpxClient, Verb
from watchword.holder import ChallengeSigner, Signer
from watchword.providers.clawauth import agent_calls
from watchword.providers.clawauth.arguments import check_text
from watchword.providers.clawauth.connection import BASE_URL, connect
from watchword.providers.clawauth.types import EmailVerification, Registration, Tokens
from watchword.providers.clawauth.wire import WireFormat


class ClawAuthAgent:
    """An agent with its P-256 private key; it may be used from any number of threads and event loops at once.

    The key is a file (``private_key_path``) that only its owner can access (mode 0600), or the content of one
    (``private_key``): PKCS#8 in PEM without a password, as :meth:`generate_keypair` makes it. ``private_key`` may also
    be a :class:`~watchword.holder.Signer`, such as a key in a KMS. ``base_url`` is the URL of ClawAuth's server. It
    must be the right one: whoever runs it can have another server's challenges signed.

    ``signature_format`` and ``nonce_encoding`` set how challenges are signed, since ClawAuth's documents are ambiguous:
    ``"der"`` (an ASN.1 ``ECDSA-Sig-Value``, as in their example) or ``"raw"`` (r and s, 64 bytes, as in their text);
    over the characters of the nonce (``"utf-8"``) or the bytes that they encode (``"hex"``).

    ``wire`` has what is not public of the API. ``call_settings`` are the limits of calls, and how often they are sent
    again; ``allow_http_hosts`` names the hosts to which http is allowed, besides loopback; ``http_client`` and
    ``async_http_client`` are clients of httpx or httpx2, for the methods of either kind, which their owner closes.
    ``clock`` returns Unix seconds: a challenge that has expired is not signed.

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
        wire: WireFormat | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        http_client: SyncHttpxClient | None = None,
        async_http_client: AsyncHttpxClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_text("agent_id", agent_id)
        if nonce_encoding not in ("utf-8", "hex"):
            raise ValueError(f'nonce_encoding is {nonce_encoding!r}: it must be "utf-8" or "hex"')
        signer = _signer(private_key_path, private_key)
        if signer.algorithm != "ES256":
            raise ValueError("the private key must be a P-256 key: agents sign with ES256")
        self._agent_id = agent_id
        self._jkt = thumbprint(signer.public_jwk)
        self._challenges = ChallengeSigner(
            signer, nonce_encoding=nonce_encoding, signature_format=signature_format, output="hex"
        )
        self._wire = wire or WireFormat()
        self._clock = clock
        self._caller = connect(
            base_url,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            http_client=http_client,
            async_http_client=async_http_client,
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

    @classmethod
    def register(
        cls,
        email: str,
        name: str,
        public_key: str,
        base_url: str = BASE_URL,
        *,
        wire: WireFormat | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        http_client: SyncHttpxClient | None = None,
    ) -> Registration:
        """Register a new agent, and return its registration.

        ``public_key`` is that of :meth:`generate_keypair`; the other arguments are as for the class. Raises
        ``ValueError`` or ``TypeError`` if it is not a P-256 public key, or an argument is invalid;
        :class:`~.exceptions.ClawAuthError` if the call fails. If there is no answer (``timeout``, ``no_answer``), the
        agent may have been registered; the call is not repeated.
        """
        caller = connect(
            base_url, call_settings=call_settings, allow_http_hosts=allow_http_hosts, http_client=http_client
        )
        return caller.run(agent_calls.register(email, name, public_key, wire or WireFormat()))

    @classmethod
    async def register_async(
        cls,
        email: str,
        name: str,
        public_key: str,
        base_url: str = BASE_URL,
        *,
        wire: WireFormat | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        async_http_client: AsyncHttpxClient | None = None,
    ) -> Registration:
        """As :meth:`register`, waiting without blocking the event loop."""
        caller = connect(
            base_url,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            async_http_client=async_http_client,
        )
        return await caller.run_async(agent_calls.register(email, name, public_key, wire or WireFormat()))

    def verify_email(self, registration_id: str, code: str, signature: str) -> EmailVerification:
        """Complete a registration with the code and the signature from ClawAuth's e-mail; return the server's answer.

        Raises :class:`~.exceptions.ClawAuthError` if the call fails; it is not repeated.
        """
        return self._caller.run(agent_calls.verify_email(registration_id, code, signature, self._wire))

    async def verify_email_async(self, registration_id: str, code: str, signature: str) -> EmailVerification:
        """As :meth:`verify_email`, waiting without blocking the event loop."""
        return await self._caller.run_async(agent_calls.verify_email(registration_id, code, signature, self._wire))

    def authenticate(self) -> Tokens:
        """Return new tokens: the server's challenge is signed with the private key.

        The result is a dictionary with ``access_token``, ``refresh_token``, and ``expires_in`` in seconds. Raises
        :class:`~.exceptions.ClawAuthError` if a call fails, or the challenge has expired (``challenge_expired``), or
        must not be signed (``challenge_refused``); :class:`~watchword.holder.SignerError` if the signer fails.
        """
        return self._caller.run(self._authenticate())

    async def authenticate_async(self) -> Tokens:
        """As :meth:`authenticate`, waiting for the server without blocking the event loop."""
        return await self._caller.run_async(self._authenticate())

    def refresh(self, refresh_token: str) -> Tokens:
        """Return new tokens, as :meth:`authenticate` does, for a refresh token, which is used up.

        Callers that come with the same refresh token at the same time, or up to 30 seconds later, get the result of one
        request, which ends even if they are cancelled. Raises :class:`~.exceptions.ClawAuthError` if the call fails; it
        is not repeated.
        """
        return self._caller.run(agent_calls.refresh(refresh_token, self._wire))

    async def refresh_async(self, refresh_token: str) -> Tokens:
        """As :meth:`refresh`, waiting without blocking the event loop."""
        return await self._caller.run_async(agent_calls.refresh(refresh_token, self._wire))

    def sign_challenge(self, nonce: str) -> str:
        """Return the signature (ECDSA with SHA-256) of a challenge's ``nonce``, in lower-case hexadecimal digits.

        Raises ``TypeError`` if the nonce is not a string, ``ValueError`` if it is empty, too long, cannot be decoded,
        or could pass as a token once it is signed (:class:`~watchword.holder.ChallengeError`).
        """
        return self._challenges.sign(nonce)

    def _authenticate(self) -> Verb[Tokens]:
        return agent_calls.authenticate(self._agent_id, self.sign_challenge, self._clock, self._wire)

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
