"""What a server should not do: the documented exception, no repetition of what is not safe, no secret shown."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import endpoint
import mint
import pytest
from client_faults import FAULTS, Fault, Outcome
from endpoint import LONG, Server, answer

from watchword.client import CallSettings
from watchword.providers.clawauth import ClawAuth, ClawAuthAgent
from watchword.providers.clawauth.exceptions import ClawAuthError, RateLimitError

SETTINGS = CallSettings(timeout=LONG, max_retries=1, first_delay=0.0)
IMPATIENT = dataclasses.replace(SETTINGS, timeout=0.3)
PAIR = ClawAuthAgent.generate_keypair()
API_KEY = "svc_s3cr3t-s3cr3t"
REFRESH_TOKEN = "rf_s3cr3t-s3cr3t"
TOKEN = mint.token({"sub": "agent_1"}, {"alg": "ES256"}, key="p256", algorithm="ES256")
SECRETS = (API_KEY, REFRESH_TOKEN, *TOKEN.split(".")[1:], *PAIR["private_key"].splitlines()[1:-1])
CHALLENGE = {"challengeId": "chal_1", "nonce": "a3f1" * 16, "expiresAt": "2999-02-09T14:30:00Z"}


@dataclass(frozen=True)
class Verb:
    name: str
    path: str
    call: Callable[[ClawAuth, ClawAuthAgent, str], Any]
    is_repeatable: bool = False
    has_result: bool = True
    before: int = 0
    """How many requests precede that to ``path``."""

    def __str__(self) -> str:
        return self.name


def register(auth: ClawAuth, agent: ClawAuthAgent, suffix: str) -> Any:
    method = getattr(ClawAuthAgent, f"register{suffix}")
    return method("a@x.example", "A", PAIR["public_key"], agent._caller.base_url, call_settings=agent._caller._settings)


VERBS = (
    Verb("verify", "/auth/verify", lambda a, g, s: getattr(a, f"verify{s}")(TOKEN), is_repeatable=True),
    Verb("get_agent", "/agents/a", lambda a, g, s: getattr(a, f"get_agent{s}")("a"), is_repeatable=True),
    Verb("assign_role", "/agents/a/roles", lambda a, g, s: getattr(a, f"assign_role{s}")("a", "r"), has_result=False),
    Verb("revoke_role", "/agents/a/roles/r", lambda a, g, s: getattr(a, f"revoke_role{s}")("a", "r"), has_result=False),
    Verb("report_trust", "/agents/a/trust", lambda a, g, s: getattr(a, f"report_trust{s}")("a", 5), has_result=False),
    Verb("register", "/auth/register", register),
    Verb(
        "verify_email",
        "/auth/verify-email",
        lambda a, g, s: getattr(g, f"verify_email{s}")("reg_1", "123456", "9f3c-signature"),
        has_result=False,
    ),
    Verb("challenge", "/auth/challenge", lambda a, g, s: getattr(g, f"authenticate{s}")(), is_repeatable=True),
    Verb("authenticate", "/auth/authenticate", lambda a, g, s: getattr(g, f"authenticate{s}")(), before=1),
    Verb("refresh", "/auth/refresh", lambda a, g, s: getattr(g, f"refresh{s}")(REFRESH_TOKEN)),
)

#: An object without members is a good answer of a call without result.
ANY_OBJECT = ("no members", "members that are null")

#: These take as long as the time-out.
SLOW = ("silence", "a header byte now and then", "a body byte now and then")


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint.running() as started:
        started.routes["/auth/challenge"] = answer(json.dumps(CHALLENGE), Content_Type="application/json")
        yield started


def cases() -> Iterator[Any]:
    for verb in VERBS:
        for fault in FAULTS:
            for suffix in ("", "_async"):
                if suffix and verb.name not in ("verify", "refresh", "register"):
                    continue
                if fault.name in SLOW[1:] and verb.name not in ("verify", "refresh"):
                    continue
                yield pytest.param(verb, fault, suffix, id=f"{verb}{suffix}-{fault}")


@pytest.mark.parametrize(("verb", "fault", "suffix"), list(cases()))
def test_faults(server: Server, verb: Verb, fault: Fault, suffix: str) -> None:
    server.routes[verb.path] = fault.make(server.stop)
    settings = IMPATIENT if fault.name in SLOW else SETTINGS
    auth = ClawAuth("orders", API_KEY, server.url, call_settings=settings)
    agent = ClawAuthAgent("a", private_key=PAIR["private_key"], base_url=server.url, call_settings=settings)

    def call() -> Any:
        if not suffix:
            return verb.call(auth, agent, "")

        async def wait() -> Any:
            return await verb.call(auth, agent, suffix)

        return asyncio.run(wait())

    if not verb.has_result and fault.name in ANY_OBJECT:
        call()
    else:
        with pytest.raises(ClawAuthError) as caught:
            call()
        error = caught.value
        assert (type(error), error.code) == expected(fault)
        assert (error.__cause__, error.__context__) == (None, None)
        shown = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)
        assert not any(secret in shown for secret in SECRETS)
    assert server.count(verb.path) == fault.attempts(repeatable=verb.is_repeatable, max_retries=1)
    assert server.count() == server.count(verb.path) + verb.before


def expected(fault: Fault) -> tuple[type, str]:
    if fault.outcome is Outcome.LIMITED:
        return RateLimitError, "slow_down"
    if fault.outcome is Outcome.UNAVAILABLE:
        return ClawAuthError, "busy" if fault.name == "503" else "server_error"
    if fault.outcome is Outcome.INVALID:
        return ClawAuthError, "invalid_answer"
    return ClawAuthError, "timeout" if fault.name in SLOW else "no_answer"


def test_nobody_there() -> None:
    with endpoint.running() as gone:
        url = gone.url
    for verb in VERBS:
        auth = ClawAuth("orders", API_KEY, url, call_settings=SETTINGS)
        agent = ClawAuthAgent("a", private_key=PAIR["private_key"], base_url=url, call_settings=SETTINGS)
        with pytest.raises(ClawAuthError) as caught:
            verb.call(auth, agent, "")
        assert caught.value.code == "no_answer"


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.routes["/auth/refresh"] = answer(status=307, Location=f"{server.url}/elsewhere")
    agent = ClawAuthAgent("a", private_key=PAIR["private_key"], base_url=server.url, call_settings=SETTINGS)
    with pytest.raises(ClawAuthError, match="307"):
        agent.refresh(REFRESH_TOKEN)
    assert server.count() == 1


def test_a_retry_succeeds(server: Server) -> None:
    good = answer(json.dumps({"valid": False, "error": "expired"}), Content_Type="application/json")

    def behave(connection: Any, request: endpoint.Request) -> None:
        (endpoint.reset if server.count() == 1 else good)(connection, request)

    server.routes["/auth/verify"] = behave
    result = ClawAuth("orders", API_KEY, server.url, call_settings=SETTINGS).verify(TOKEN)
    assert (result.valid, result.error) == (False, "expired")
    assert server.count() == 2
