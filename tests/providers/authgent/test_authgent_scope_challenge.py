"""The client's side of a 403: challenges parsed, and approval requested from a server that may misbehave."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from authgent_tokens import act

import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.scope_challenge import (
    ScopeChallenge,
    ScopeChallengeHandler,
    StepUpDeniedError,
    StepUpResult,
    StepUpTimeoutError,
    parse_scope_challenge,
)

HEADER = 'Bearer realm="authgent", error="insufficient_scope", scope="data:pii:read"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER, ScopeChallenge("data:pii:read", realm="authgent")),
        ('Bearer scope="db:delete" error="insufficient_scope"', None),  # commas are not optional
        ('Bearer scope="db:delete", error="insufficient_scope"', ScopeChallenge("db:delete")),
        ('bearer ERROR = insufficient_scope ,\tSCOPE\t=\t"a b"', ScopeChallenge("a b")),
        ('DPoP algs="ES256", error="insufficient_scope", scope="a"', ScopeChallenge("a")),
        ('Basic realm="x", Bearer error="insufficient_scope", scope="a"', ScopeChallenge("a")),
        ('Negotiate abc==, Bearer error="insufficient_scope", scope="a"', ScopeChallenge("a")),
        ('Bearer realm="a \\"b\\", scope=\\"x\\"", error="insufficient_scope", scope="y"', None),
        ('Bearer error="insufficient_scope", scope="a", scope="b"', ScopeChallenge("a")),
        ('Bearer error="invalid_token", error_description="not insufficient_scope", scope="a"', None),
        ('Basic error="insufficient_scope", scope="a"', None),
        ('Bearer error="insufficient_scope"', None),
        ('Bearer error="insufficient_scope", scope=""', None),
        ('error="insufficient_scope", scope="a"', None),
        ("Bearer", None),
        ("", None),
    ],
)
def test_challenges_are_parsed(header: str, expected: ScopeChallenge | None) -> None:
    if expected is None and "\\" in header:
        expected = ScopeChallenge("y", realm='a "b", scope="x"')
    if header.startswith('Bearer scope="db:delete" error'):
        # Authgent's own documentation writes it so, and there is only one way to read it.
        expected = ScopeChallenge("db:delete")
    assert parse_scope_challenge(header) == expected


@dataclass
class Answer:
    """What is used of an HTTP response."""

    status_code: int = 403
    headers: dict[str, str] = field(default_factory=lambda: {"WWW-Authenticate": HEADER})
    body: Any = None

    def json(self) -> Any:
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


class Server:
    """An HTTP client that is the server as well."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.posted: list[tuple[str, Any, Any]] = []
        self.got: list[tuple[str, Any]] = []

    async def post(self, url: str, *, json: Any, headers: Any) -> Any:
        self.posted.append((url, json, headers))
        return self._next()

    async def get(self, url: str, *, headers: Any) -> Any:
        self.got.append((url, headers))
        return self._next()

    def _next(self) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


ASKED = Answer(202, body={"id": "01J", "status": "pending"})
APPROVED = Answer(200, body={"id": "01J", "status": "approved"})


def handler(server: Server, **options: Any) -> ScopeChallengeHandler:
    given = {"client_id": "agnt_1", "client_secret": "sec_1", "poll_interval": 0, "timeout": 5, **options}
    return ScopeChallengeHandler(server_url="http://localhost:8000/", client=server, **given)


def test_the_documented_call() -> None:
    server = Server(ASKED, Answer(200, body={"status": "pending"}), APPROVED)
    call = handler(server).handle_scope_challenge(response=Answer(), action="access_pii", scope="data:pii:read")
    assert asyncio.run(call) == StepUpResult("01J", "approved")
    assert server.posted == [
        (
            "http://localhost:8000/stepup",
            {"agent_id": "agnt_1", "action": "access_pii", "scope": "data:pii:read"},
            {},
        )
    ]
    assert [url for url, _ in server.got] == ["http://localhost:8000/stepup/01J"] * 2
    assert "sec_1" not in json.dumps(server.posted + server.got)


def test_the_published_call() -> None:
    server = Server(ASKED, Answer(200, body={"status": "approved", "step_up_token": "tok"}))
    chain = authgent.AgentIdentity.from_claims({"act": act("client:a", "client:b")}).delegation_chain
    for given in (chain, [{"sub": "client:a"}, {"sub": "client:b"}]):
        server.answers = [ASKED, Answer(200, body={"status": "approved", "step_up_token": "tok"})]
        result = asyncio.run(
            handler(server, hitl_scopes=["data:pii:read"]).handle_challenge(
                response=Answer(),
                agent_id="agent:my-agent",
                resource="https://mcp.example",
                delegation_chain=given,
                access_token="a.b.c",
            )
        )
        assert result == StepUpResult("01J", "approved", "tok")
        _, body, headers = server.posted[-1]
        assert body == {
            "agent_id": "agent:my-agent",
            "action": "scope_escalation",
            "scope": "data:pii:read",
            "resource": "https://mcp.example",
            "delegation_chain": {"actors": [{"sub": "client:a"}, {"sub": "client:b"}]},
        }
        assert headers == server.got[-1][1] == {"Authorization": "Bearer a.b.c"}


def test_only_the_scopes_of_the_list_are_for_human_beings() -> None:
    one = ScopeChallengeHandler("http://localhost:8000", ["data:pii:read", "bank:transfer"])
    assert one.is_scope_challenge(Answer())
    assert not one.is_scope_challenge(Answer(401))
    assert not one.is_scope_challenge(Answer(headers={}))
    assert not ScopeChallengeHandler("http://localhost:8000", ["other"]).is_scope_challenge(Answer())
    assert not ScopeChallengeHandler("http://localhost:8000").is_scope_challenge(Answer())


def test_without_a_challenge_nobody_is_asked() -> None:
    server = Server(ASKED)
    for answer in (Answer(headers={}), Answer(headers={"WWW-Authenticate": "Basic"})):
        assert asyncio.run(handler(server).handle_challenge(answer, "agent")) is None
        assert asyncio.run(handler(server).handle_scope_challenge(answer, "action")) is None
    assert asyncio.run(handler(server).handle_scope_challenge(Answer(401), "action")) is None
    assert server.posted == []


@pytest.mark.parametrize(
    ("answers", "expected", "code"),
    [
        ([ASKED, Answer(200, body={"status": "denied"})], StepUpDeniedError, "step_up_denied"),
        ([ASKED, Answer(200, body={"status": "expired"})], StepUpTimeoutError, "step_up_timeout"),
        ([Answer(400, body={})], authgent.ServerError, "server_error"),
        ([Answer(202, body=[])], authgent.ServerError, "server_error"),
        ([Answer(202, body={})], authgent.ServerError, "server_error"),
        ([Answer(202, body={"id": 5})], authgent.ServerError, "server_error"),
        ([Answer(202, body=ValueError("no JSON"))], authgent.ServerError, "server_error"),
        ([OSError("secret")], authgent.ServerError, "server_error"),
    ],
)
def test_any_failure_of_the_server_is_an_authgent_error(answers: list[Any], expected: type, code: str) -> None:
    with pytest.raises(expected) as caught:
        asyncio.run(handler(Server(*answers)).handle_challenge(Answer(), "agent"))
    assert caught.value.error_code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [Answer(200, body={"status": "pending"}), Answer(500), OSError(), Answer(200, body=5)]
)
def test_who_waits_does_not_wait_for_ever(answer: Any) -> None:
    with pytest.raises(StepUpTimeoutError):
        asyncio.run(handler(Server(ASKED, answer), timeout=0.05, poll_interval=0.01).handle_challenge(Answer(), "a"))


def test_an_outage_between_two_looks_is_no_answer() -> None:
    server = Server(ASKED, OSError(), Answer(500), APPROVED)
    assert asyncio.run(handler(server).handle_challenge(Answer(), "agent")) == StepUpResult("01J", "approved")


def test_an_id_of_the_servers_stays_within_the_path() -> None:
    server = Server(Answer(202, body={"id": "../token?x=1"}), APPROVED)
    asyncio.run(handler(server).handle_challenge(Answer(), "agent"))
    assert server.got[0][0] == "http://localhost:8000/stepup/..%2Ftoken%3Fx%3D1"


def test_invalid_arguments_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="client_id"):
        asyncio.run(handler(Server(ASKED), client_id=None).handle_scope_challenge(Answer(), "action"))
    for url in ("http://elsewhere.example", "localhost", ""):
        with pytest.raises(ValueError, match="server_url"):
            ScopeChallengeHandler(url)
