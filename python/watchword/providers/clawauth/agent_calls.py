"""The calls of an agent at ClawAuth's server, each described once."""

from __future__ import annotations

import functools
from collections.abc import Callable

from watchword.client import Request, Shared, Verb, digest_of
from watchword.holder import ChallengeError
from watchword.providers.clawauth import answers
from watchword.providers.clawauth.arguments import check_public_key, check_text
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.types import EmailVerification, Registration, Tokens
from watchword.providers.clawauth.wire import WireFormat
from watchword.waiting import Call

#: For how many seconds the tokens of a refresh are kept, for those who come with the old refresh token a moment later.
_KEPT_SECONDS = 30.0

#: By how many seconds the clock of the server may be behind.
_LEEWAY = 5.0


def register(email: str, name: str, public_key: str, wire: WireFormat) -> Verb[Registration]:
    """Register an agent, with its public key in PEM."""
    body = {
        "email": check_text("email", email),
        "name": check_text("name", name),
        "publicKey": check_public_key(public_key),
    }
    answer = yield from answers.ask(Request("POST", "/auth/register", json=body), wire, ())
    return answers.registration(answer, wire)


def verify_email(registration_id: str, code: str, signature: str, wire: WireFormat) -> Verb[EmailVerification]:
    """Prove that the e-mail address of a registration is the agent's."""
    if registration_id == "":
        raise ValueError("registration_id must not be empty: the answer to the registration had none")
    arguments = {"registration_id": registration_id, "code": code, "signature": signature}
    request = wire.request("verify_email", arguments)
    return answers.email_verification((yield from answers.ask(request, wire, (code, signature))))


def authenticate(
    agent_id: str, sign: Callable[[str], str], clock: Callable[[], float], wire: WireFormat
) -> Verb[Tokens]:
    """Have a challenge made, sign it, and return the tokens."""
    # A challenge that nobody answers has no effect: another one may be asked for.
    asked = Request("POST", "/auth/challenge", json={"agentId": agent_id}, repeatable=True)
    challenge = (yield from answers.ask(asked, wire, ())).members()
    challenge_id = challenge.text("challengeId")
    nonce = challenge.text("nonce")
    if clock() >= challenge.time("expiresAt") + _LEEWAY:
        raise ClawAuthError(
            "the challenge has expired, and was not signed: is the clock of this machine right?", "challenge_expired"
        )
    # In another thread, if a task waits: a key in a KMS takes its time.
    signature: str = yield Call(functools.partial(_signature, sign, nonce))
    body = {"challengeId": challenge_id, "signature": signature}
    answer = yield from answers.ask(Request("POST", "/auth/authenticate", json=body), wire, tuple(body.values()))
    return answers.tokens(answer)


def refresh(refresh_token: str, wire: WireFormat) -> Verb[Tokens]:
    """Return new tokens. Concurrent callers share one request, which ends even if they are cancelled."""
    check_text("refresh_token", refresh_token)
    found: Tokens = yield Shared(digest_of(refresh_token), lambda: _refresh(refresh_token, wire), keep=_KEPT_SECONDS)
    return Tokens(found)


def _refresh(refresh_token: str, wire: WireFormat) -> Verb[Tokens]:
    request = Request("POST", "/auth/refresh", json={"refreshToken": refresh_token})
    return answers.tokens((yield from answers.ask(request, wire, (refresh_token,))))


def _signature(sign: Callable[[str], str], nonce: str) -> str:
    try:
        return sign(nonce)
    except ChallengeError as error:
        why = str(error)
    raise ClawAuthError(f"the challenge was not signed: {why}", "challenge_refused")


__all__ = ["authenticate", "refresh", "register", "verify_email"]
