"""The registration of an agent: everything is checked before the first request, as each step uses something up."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.client import Answer, Request, Verb
from watchword.holder import ChallengeSigner, Signer, SignerError
from watchword.providers.agentwrit.answers import read_registered, require_success
from watchword.providers.agentwrit.crypto import ed25519_signer, export_public_key_b64, generate_keypair
from watchword.providers.agentwrit.errors import CryptoError
from watchword.providers.agentwrit.models import RegisterResult
from watchword.providers.agentwrit.narrowing import require_narrower, scope_list
from watchword.providers.agentwrit.session import AppSession
from watchword.providers.spiffe import SpiffeId
from watchword.waiting import Call

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NONCE = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, repr=False)
class Registration:
    """What an agent is registered as. It has been checked, and its key works."""

    orch_id: str
    task_id: str
    scope: list[str]
    agent_name: str
    max_ttl: int
    signer: Signer

    def register(self, session: AppSession) -> Verb[RegisterResult]:
        """Return the registered agent."""
        launch_token = yield from self._launch_token(session)
        answer: Answer = yield Request("GET", "/v1/challenge", repeatable=True)
        members = require_success(answer).members()
        nonce = members.text("nonce")
        if not _NONCE.fullmatch(nonce):
            raise members.invalid("nonce")
        # In another thread, if a task waits: a key in a KMS takes its time.
        signature: str = yield Call(functools.partial(self._signature, nonce))
        answer = yield Request(
            "POST",
            "/v1/register",
            json={
                "launch_token": launch_token,
                "nonce": nonce,
                "public_key": export_public_key_b64(self.signer),
                "signature": signature,
                "orch_id": self.orch_id,
                "task_id": self.task_id,
                "requested_scope": self.scope,
            },
        )
        return read_registered(require_success(answer, secrets=[launch_token]))

    def _launch_token(self, session: AppSession) -> Verb[str]:
        kept = session.kept
        token = kept or (yield from session.token())
        answer: Answer = yield self._launch_request(token)
        if answer.status == 401 and kept is not None:
            # The session has ended before its time: the token was revoked, or the broker has another key. Nothing has
            # been issued for a request that was not authenticated, so it is sent once more.
            session.forget(kept)
            token = yield from session.token()
            answer = yield self._launch_request(token)
        return require_success(answer, secrets=[token]).members().text("launch_token")

    def _launch_request(self, token: str) -> Request:
        body = {
            "agent_name": self.agent_name,
            "allowed_scope": self.scope,
            "max_ttl": self.max_ttl,
            "single_use": True,
        }
        return Request("POST", "/v1/app/launch-tokens", json=body, headers={"authorization": f"Bearer {token}"})

    def _signature(self, nonce: str) -> str:
        try:
            return ChallengeSigner(self.signer, nonce_encoding="hex", output="base64").sign(nonce)
        except SignerError as error:
            why = str(error)
        raise CryptoError(why)


def check_registration(
    orch_id: str,
    task_id: str,
    requested_scope: Iterable[str],
    *,
    private_key: Ed25519PrivateKey | Signer | None,
    max_ttl: int,
    label: str | None,
    ceiling: list[str] | None,
) -> Registration:
    """Return a registration whose parts have been checked.

    Raises ``TypeError``, ``ValueError``, :class:`~watchword.providers.agentwrit.CryptoError` if a signer fails, and
    :class:`~watchword.providers.agentwrit.AuthorizationError` if ``ceiling`` does not cover the scopes.
    """
    for what, value in (("orch_id", orch_id), ("task_id", task_id)):
        _check_segment(value, what=what)
    scope = scope_list(requested_scope, what="requested_scope")
    if ceiling is not None:
        require_narrower(scope, ceiling, than="the application's scope_ceiling", route="/v1/app/launch-tokens")
    if isinstance(max_ttl, bool) or not isinstance(max_ttl, int):
        raise TypeError(f"max_ttl must be int, not {type(max_ttl).__name__}")
    if max_ttl < 1:
        raise ValueError(f"max_ttl is {max_ttl}: it must be a number of seconds above 0")
    if label is not None and not isinstance(label, str):
        raise TypeError(f"label must be str, not {type(label).__name__}")
    try:
        signer = ed25519_signer(generate_keypair() if private_key is None else private_key)
    except SignerError as error:
        why = str(error)
    else:
        return Registration(orch_id, task_id, scope, label or f"{orch_id}/{task_id}", max_ttl, signer)
    raise CryptoError(why)


def _check_segment(value: str, *, what: str) -> None:
    """Check what becomes a segment of the agent's SPIFFE ID: the broker finds out when the launch token is used up."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    try:
        is_segment = SpiffeId.parse(f"spiffe://broker/{value}").path == (value,)
    except ValueError:
        is_segment = False
    if not is_segment:
        raise ValueError(
            f"{what} is {value!r}: it becomes a part of the agent's SPIFFE ID, so it must consist of ASCII letters,"
            ' digits, ".", "-" and "_", and be neither "." nor ".."'
        )


__all__ = ["Registration", "check_registration"]
