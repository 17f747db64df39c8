"""What the gateway should not answer: the documented exception, no repetition that is not safe, and no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from client_faults import FAULTS, Fault, Outcome
from endpoint import Server, answer
from paphwey_client_calls import (
    ASKED,
    AUDIENCE,
    CREATE,
    EMAIL,
    FAST,
    PRESENT,
    TOKEN,
    VERIFY,
    Client,
    assert_silent,
    challenge,
    grant,
    says,
)
from paphwey_gateway import AGENT
from standins.paphwey import API_KEY

from watchword.client import CallSettings
from watchword.providers.paphwey import GatewayApi
from watchword.providers.paphwey.errors import (
    PaphweyError,
    PaphweyPolicyError,
    PaphweyRateLimitError,
    PaphweyTransportError,
    PaphweyVerificationError,
)
from watchword.providers.paphwey.verify import ClaimNames

Verb = Callable[[Client], Any]
#: Each call with its path, and whether it may be sent again.
VERBS: dict[str, tuple[Verb, str, bool]] = {
    "create": (lambda client: client.create(grant()), CREATE, True),
    "present": (lambda client: client.present("dlg_1", challenge()), PRESENT, True),
    "verify": (lambda client: client.verify(**ASKED), VERIFY, False),
}

_CLASSES: Mapping[Outcome, type[PaphweyError]] = {
    Outcome.UNAVAILABLE: PaphweyError,
    Outcome.LIMITED: PaphweyRateLimitError,
}


def settings(max_retries: int = 1) -> CallSettings:
    return CallSettings(timeout=0.3, deadline=20, max_retries=max_retries, first_delay=0.0, max_delay=0.0)


@pytest.mark.parametrize(("verb", "form"), [("create", "thread"), ("present", "task"), ("verify", "thread")])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_faults(server: Server, fault: Fault, verb: str, form: str) -> None:
    call, path, repeatable = VERBS[verb]
    server.routes[path] = fault.make(server.stop)
    with pytest.raises(PaphweyError) as caught:
        call(Client(form, server.url, call_settings=settings()))
    error = caught.value
    assert type(error) is _CLASSES.get(fault.outcome, PaphweyTransportError)
    if fault.outcome is Outcome.INVALID:
        assert error.code == "invalid_response"
    elif fault.outcome is Outcome.UNAVAILABLE:
        assert error.code == ("busy" if error.status == 503 else "http_500")
    assert server.count(path) == server.count() == fault.attempts(repeatable=repeatable, max_retries=1)
    assert_silent(error)


@pytest.mark.parametrize("form", ["thread", "task"])
def test_nobody_there(server: Server, form: str) -> None:
    client = Client(form, server.url, call_settings=settings())
    server.close()
    with pytest.raises(PaphweyTransportError, match="ConnectError") as caught:
        client.create(grant())
    assert_silent(caught.value)


def test_a_time_out_has_its_own_code(server: Server) -> None:
    server.routes[CREATE] = lambda connection, request: server.stop.wait() and None
    with pytest.raises(PaphweyTransportError) as caught:
        Client("thread", server.url, call_settings=settings(0)).create(grant())
    assert caught.value.code == "timeout"


# Members of answers.


def test_new_members_are_kept_and_not_shown(server: Server) -> None:
    delegation = says(server, CREATE, {"delegation_id": "dlg_1", "status": "active", "token": "s3cret"}).create(grant())
    assert delegation.token == "s3cret"
    assert delegation.model_extra == {"token": "s3cret"}
    body = {"approval_url": "https://www.paphwey.com/a/1#c=2", "status": "pending", "model_dump": 1, "self": {"a": 1}}
    opened = says(server, PRESENT, body).present("dlg_1", challenge())
    assert (opened.status, opened.challenge_id) == ("pending", None)
    assert opened.model_extra["self"] == {"a": 1}
    for shown in (repr(delegation), str(delegation), repr(opened)):
        assert "s3cret" not in shown
        assert "/a/1" not in shown


@pytest.mark.parametrize(
    "body",
    [
        {"status": "active"},
        {"delegation_id": "dlg_1"},
        {"delegation_id": "", "status": "active"},
        {"delegation_id": 7, "status": "active"},
        {"delegation_id": "dlg_1", "status": ["active"]},
        '{"delegation_id": "\\ud800", "status": "active"}',
    ],
    ids=str,
)
def test_what_a_delegation_lacks(server: Server, body: object) -> None:
    with pytest.raises(PaphweyTransportError) as caught:
        says(server, CREATE, body).create(grant())
    assert caught.value.code == "invalid_response"
    assert_silent(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "http://www.paphwey.com/approve/1",
        "javascript:alert(1)",
        "sms:+4412345?body=x",
        "//www.paphwey.com/approve",
        "https://user@www.paphwey.com/approve",
        "https://www.paphwey.com\\@evil.example/",
        "https://www.paphwey.com/a b",
        "https://www.paphwey.com/a\nhttps://evil.example",
        "https://www.paphwey.com/#a b",
        "https://www.paphwey.com/#\u202e",
        "https://p\u0430phwey.com/",
        "https://www.paphwey.com/" + "a" * 2048,
    ],
)
def test_an_approval_url_that_nobody_should_open(server: Server, url: object) -> None:
    with pytest.raises(PaphweyTransportError) as caught:
        says(server, PRESENT, {"approval_url": url}).present("dlg_1", challenge())
    assert caught.value.code == "invalid_response"
    assert "approve" not in str(caught.value)
    assert_silent(caught.value)


def test_plain_http_to_loopback_is_for_gateways_on_loopback(server: Server) -> None:
    body = {"approval_url": "http://127.0.0.1:8000/approve/1"}
    assert says(server, PRESENT, body).present("dlg_1", challenge()).approval_url == body["approval_url"]


# Errors.


@pytest.mark.parametrize(
    ("body", "code", "trace_id"),
    [
        ({"code": "SPEND_CAP_EXCEEDED", "trace_id": "tr-1"}, "SPEND_CAP_EXCEEDED", "tr-1"),
        ({"error": {"code": "cap", "trace_id": "tr-1", "message": EMAIL}}, "cap", "tr-1"),
        ({"error": "cap"}, "cap", None),
        ({"code": f"bad {TOKEN}", "trace_id": TOKEN}, "policy_violation", None),
        ({"code": API_KEY, "trace_id": API_KEY}, "policy_violation", None),
        ({"code": f"bad:{API_KEY.partition('.')[2]}", "trace_id": API_KEY.partition(".")[2]}, "policy_violation", None),
        ({"code": "a\nb", "trace_id": "x" * 129}, "policy_violation", None),
        ({"code": 7, "trace_id": {"a": 1}}, "policy_violation", None),
        ("<html>", "policy_violation", None),
        ("[]", "policy_violation", None),
    ],
    ids=str,
)
def test_where_errors_have_their_code(server: Server, body: object, code: str, trace_id: str | None) -> None:
    with pytest.raises(PaphweyPolicyError) as caught:
        says(server, CREATE, body, 422).create(grant())
    assert (caught.value.code, caught.value.trace_id, caught.value.status) == (code, trace_id, 422)
    assert_silent(caught.value)


@pytest.mark.parametrize("status", [200, 422, 503])
def test_no_part_of_an_attestation_is_a_code(server: Server, status: int) -> None:
    part = TOKEN.partition(".")[0]
    client = says(server, VERIFY, {"valid": False, "code": part, "trace_id": f"tr-{part}"}, status)
    with pytest.raises(PaphweyError) as caught:
        client.verify(**ASKED)
    assert caught.value.trace_id is None
    assert_silent(caught.value)


@pytest.mark.parametrize("status", [302, 307, 304, 405, 410, 418])
def test_other_statuses_are_a_plain_error(server: Server, status: int) -> None:
    server.routes["/elsewhere"] = answer("{}")
    with pytest.raises(PaphweyError, match=f"the gateway answered {status}") as caught:
        says(server, CREATE, "", status, Location="/elsewhere").create(grant())
    assert type(caught.value) is PaphweyError
    assert server.count() == 1


@pytest.mark.parametrize(
    ("member", "seconds"), [(30, 30), (1.2, 2), (0, 0), (-1, 1), (True, 1), ("30", 1), (10**400, 1), (None, 1)], ids=str
)
def test_the_seconds_to_wait_may_be_a_member(server: Server, member: object, seconds: int) -> None:
    client = says(server, VERIFY, json.dumps({"retry_after_seconds": member}), 429)
    with pytest.raises(PaphweyRateLimitError) as caught:
        client.verify(**ASKED)
    assert caught.value.retry_after_seconds == seconds


# Names that are not public.


def test_every_name_is_a_setting(server: Server) -> None:
    api = GatewayApi(
        present_path="/v2/challenges",
        verify_path="/v2/verify",
        delegation_id="id",
        status="state",
        approval_url="url",
        challenge_id="cid",
        valid="ok",
        claims="body",
        delegation="grant",
        actor_chain="actors",
        receipt_id="receipt",
        cnf_jwk="key",
        error_code=("problem.kind",),
        trace_id=("problem.id",),
        retry_after_seconds=("problem.wait",),
        invalid_attestation_statuses=(422,),
    )
    client = Client("thread", server.url, call_settings=FAST, api=api, claim_names=ClaimNames(delegation_id="dlg"))

    def routes(path: str, body: object, status: int = 200) -> None:
        server.routes[path] = answer(json.dumps(body), status, Content_Type="application/json")

    # A member with the name that another one has here is not mistaken for it.
    routes(CREATE, {"id": "dlg_1", "state": "active", "status": "other"})
    assert client.create(grant()).model_dump() == {"delegation_id": "dlg_1", "status": "active"}
    routes("/v2/challenges", {"url": "https://www.paphwey.com/1", "cid": "chl_1"})
    assert client.present("dlg_1", challenge()).challenge_id == "chl_1"
    assert json.loads(server.requests[-1].body)["delegation_id"] == "dlg_1"
    claims = {"aud": AUDIENCE, "dlg": "dlg_1"}
    body = {"ok": True, "body": claims, "grant": {"dlg": "dlg_1"}, "actors": {"a": 1}, "receipt": "r", "key": AGENT.jwk}
    routes("/v2/verify", body)
    outcome = client.verify(**ASKED)
    assert outcome.model_dump() == {
        "valid": True,
        "claims": claims,
        "delegation": {"dlg": "dlg_1"},
        "actor_chain": {"a": 1},
        "receipt_id": "r",
        "cnf_jwk": AGENT.jwk,
        "code": None,
    }
    routes("/v2/verify", {"problem": {"kind": "expired", "id": "tr-1"}}, 422)
    with pytest.raises(PaphweyVerificationError) as invalid:
        client.verify(**ASKED)
    assert (invalid.value.code, invalid.value.trace_id, invalid.value.status) == ("expired", "tr-1", 422)
    routes(CREATE, {"problem": {"kind": "slow", "wait": 9}}, 429)
    with pytest.raises(PaphweyRateLimitError, match="slow") as limited:
        client.create(grant())
    assert limited.value.retry_after_seconds == 9
