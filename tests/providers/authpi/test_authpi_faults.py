"""Every call against everything that a server should not do: the documented error, and nothing sent again unsafely."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from authpi_server import ACCESS, CODE, FORMS, REFRESH, SECRET, VERIFIER, Idp
from client_faults import FAULTS, Fault, Outcome

from watchword.client import CallSettings
from watchword.providers.authpi import AuthenticatedAgent, OAuthError, RefreshError

#: The faults that only a time limit ends.
SLOW = ("silence", "a header byte now and then", "a body byte now and then")


def settings(fault: Fault) -> CallSettings:
    return CallSettings(timeout=0.3 if fault.name in SLOW else 20, first_delay=0.0, max_retries=1)


@dataclass(frozen=True)
class Verb:
    """A call, the endpoint that misbehaves, and what is documented of it."""

    path: str
    call: Callable[[Any, AuthenticatedAgent], Any]
    repeatable: bool
    code: str
    """The error code if the server names none."""
    kind: type[OAuthError] = OAuthError
    reads_body: bool = True


def hinted(agent: AuthenticatedAgent) -> dict[str, Any]:
    later = int(time.time()) + 3600
    return {"access_token": ACCESS, "expires_at": later, "subject_hint": agent.id}


VERBS = {
    "exchange_code": Verb(
        "/token", lambda client, agent: client.exchange_code(CODE, VERIFIER), repeatable=False, code="token_error"
    ),
    "exchange_callback": Verb(
        "/token",
        lambda client, agent: client.exchange_callback(
            {"code": CODE, "state": "the-state"}, {"code_verifier": VERIFIER, "state": "the-state", "nonce": "n"}
        ),
        repeatable=False,
        code="token_error",
    ),
    "refresh": Verb(
        "/token", lambda client, agent: client.refresh(agent), repeatable=False, code="refresh_error", kind=RefreshError
    ),
    "create_agent": Verb(
        "/token",
        lambda client, agent: client.create_agent(agent.tokens, auto_refresh=True),
        repeatable=False,
        code="refresh_error",
        kind=RefreshError,
    ),
    "create_agent with a hint": Verb(
        "/userinfo",
        lambda client, agent: client.create_agent(hinted(agent)),
        repeatable=True,
        code="userinfo_error",
    ),
    "get_user_info": Verb(
        "/userinfo", lambda client, agent: client.get_user_info(agent), repeatable=True, code="userinfo_error"
    ),
    "client_credentials": Verb(
        "/token", lambda client, agent: client.client_credentials(["a:b"]), repeatable=True, code="token_error"
    ),
    "revoke_token": Verb(
        "/revoke",
        lambda client, agent: client.revoke_token(REFRESH, "refresh_token"),
        repeatable=True,
        code="revocation_error",
        reads_body=False,
    ),
}

#: All calls in a thread; in a task, one that is repeated and one that is shared.
CASES = [
    pytest.param(form, name, fault, id=f"{form}-{name}-{fault}")
    for form in FORMS
    for name in VERBS
    for fault in FAULTS
    if form == "thread" or name in ("refresh", "get_user_info")
]


@pytest.mark.parametrize(("form", "name", "fault"), CASES)
def test_a_fault(idp: Idp, form: str, name: str, fault: Fault) -> None:
    verb = VERBS[name]
    agent = idp.call("thread", lambda client: client.create_agent(idp.stored(), auto_refresh=False))
    idp.server.routes[verb.path] = fault.make(idp.server.stop)
    if fault.outcome is Outcome.INVALID and not verb.reads_body:
        idp.call(form, lambda client: verb.call(client, agent), call_settings=settings(fault))
        assert idp.server.count() == 1
        return
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: verb.call(client, agent), call_settings=settings(fault))
    error = caught.value
    assert type(error) is verb.kind
    if fault.outcome is Outcome.NO_ANSWER:
        assert error.error == "temporarily_unavailable"
    elif fault.outcome in (Outcome.UNUSABLE, Outcome.INVALID):
        assert error.error == "server_error"
    else:
        # What the server calls it, if it does.
        assert error.error in ("busy", "slow_down", verb.code)
    if isinstance(error, RefreshError):
        status = {Outcome.INVALID: 200, Outcome.UNAVAILABLE: 503, Outcome.LIMITED: 429}.get(fault.outcome)
        assert error.status_code == (500 if "500" in fault.name else status)
    assert error.__cause__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error)
    secrets = (SECRET, REFRESH, ACCESS, CODE, VERIFIER, agent.tokens.id_token or "")
    assert not any(one in shown for one in secrets)
    assert idp.server.count() == fault.attempts(repeatable=verb.repeatable, max_retries=1)


def test_a_failed_renewal_is_not_kept(idp: Idp) -> None:
    """The next caller tries again, since nobody has new tokens."""
    agent = idp.call("thread", lambda client: client.create_agent(idp.stored(), auto_refresh=False))
    good = idp.server.routes["/token"]
    idp.refuses("/token", "temporarily_unavailable", 503)
    client = idp.client("thread")
    with pytest.raises(RefreshError):
        client.refresh(agent)
    idp.server.routes["/token"] = good
    assert client.refresh(agent).id == "usr_1"
    assert idp.server.count() == 2
