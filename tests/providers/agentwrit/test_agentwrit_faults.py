"""What brokers should not do, in every call: the documented exception, and no repetition of what is not safe."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import endpoint
import pytest
from client_faults import FAULTS, Fault, Outcome
from endpoint import Server, answer

from watchword.client import CallSettings
from watchword.providers.agentwrit import (
    Agent,
    AgentWritApp,
    AgentWritError,
    AsyncAgent,
    AsyncAgentWritApp,
    InvalidResponseError,
    ProblemResponseError,
    RateLimitError,
    TransportError,
)

SECRET, TOKEN, LAUNCH = "client-s3cret", "agent-t0ken-agent-t0ken", "1a2b" * 16
FAST = CallSettings(timeout=0.4, deadline=20, max_retries=1, first_delay=0.0)
ID = "spiffe://agentwrit.local/agent/o/t/1"
SCOPE = ["read:data:*"]

GOOD = {
    "/v1/app/auth": {"access_token": "app-t0ken", "expires_in": 1800},
    "/v1/app/launch-tokens": {"launch_token": LAUNCH},
    "/v1/challenge": {"nonce": "ab" * 32},
    "/v1/register": {"agent_id": ID, "access_token": TOKEN, "expires_in": 300},
}

#: The path that fails, the call, and whether it is safe to repeat.
CALLS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "/v1/app/auth": (lambda app, agent: app.create_agent("o", "t", SCOPE), True),
    "/v1/app/launch-tokens": (lambda app, agent: app.create_agent("o", "t", SCOPE), False),
    "/v1/challenge": (lambda app, agent: app.create_agent("o", "t", SCOPE), True),
    "/v1/register": (lambda app, agent: app.create_agent("o", "t", SCOPE), False),
    "/v1/token/renew": (lambda app, agent: agent.renew(), False),
    "/v1/token/release": (lambda app, agent: agent.release(), True),
    "/v1/delegate": (lambda app, agent: agent.delegate(ID, SCOPE), False),
    "/v1/token/validate": (lambda app, agent: app.validate(TOKEN), True),
    "/v1/health": (lambda app, agent: app.health(), True),
}

#: The slow ones are tried in one call of each kind; the client underneath is the same.
SLOW = ("silence", "a header byte now and then", "a body byte now and then", "10 MiB", "an endless body")
SLOW_CALLS = ("/v1/register", "/v1/health")
CASES = [(fault, path) for fault in FAULTS for path in CALLS if fault.name not in SLOW or path in SLOW_CALLS]


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint.running() as started:
        for path, document in GOOD.items():
            started.routes[path] = answer(json.dumps(document), Content_Type="application/json")
        yield started


def call(server: Server, path: str, form: str) -> Any:
    make, _ = CALLS[path]
    if form == "thread":
        app = AgentWritApp(server.url, "id", SECRET, call_settings=FAST)
        return make(app, Agent(app, ID, TOKEN, 300, SCOPE, "t", "o"))
    other = AsyncAgentWritApp(server.url, "id", SECRET, call_settings=FAST)

    async def run() -> Any:
        return await make(other, AsyncAgent(other, ID, TOKEN, 300, SCOPE, "t", "o"))

    return asyncio.run(run())


def expected(fault: Fault) -> type[AgentWritError]:
    if fault.outcome is Outcome.INVALID:
        return InvalidResponseError
    if fault.outcome is Outcome.LIMITED:
        return RateLimitError
    return ProblemResponseError if fault.outcome is Outcome.UNAVAILABLE else TransportError


@pytest.mark.parametrize(("fault", "path"), CASES, ids=str)
def test_faults(server: Server, form: str, fault: Fault, path: str) -> None:
    server.routes[path] = fault.make(server.stop)
    repeatable = CALLS[path][1]
    if path == "/v1/token/release" and fault.outcome is Outcome.INVALID:
        # A success has no body here; whatever it has is not read.
        assert call(server, path, form) is None
    else:
        with pytest.raises(AgentWritError) as failed:
            call(server, path, form)
        assert type(failed.value) is expected(fault)
        assert (failed.value.__cause__, failed.value.__context__) == (None, None)
        shown = "".join(traceback.format_exception(failed.value)) + repr(failed.value)
        assert not any(secret in shown for secret in (SECRET, TOKEN, LAUNCH, "app-t0ken"))
    assert server.count(path) == fault.attempts(repeatable=repeatable, max_retries=1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
@pytest.mark.parametrize("path", CALLS)
def test_a_broker_that_repeats_secrets_is_not_quoted(server: Server, form: str, path: str, status: int) -> None:
    def behave(connection: Any, request: endpoint.Request) -> None:
        said = f"{request.headers}\n{request.body.decode()}" + "x" * 5000
        body = json.dumps({"title": said, "detail": said, "hint": said, "error_code": "unauthorized\n"})
        kind = "application/problem+json" if request.method == "POST" else "text/plain"
        answer(body, status, Content_Type=kind)(connection, request)

    server.routes[path] = behave
    if path == "/v1/token/validate" and status == 400:
        result = call(server, path, form)
        assert result.valid is False
        shown = repr(result)
    else:
        with pytest.raises(ProblemResponseError) as failed:
            call(server, path, form)
        error = failed.value
        assert error.status_code == status
        shown = "".join(traceback.format_exception(error)) + repr(vars(error.problem))
        assert all(len(str(value)) <= 512 and str(value).isprintable() for value in vars(error.problem).values())
    assert not any(secret in shown for secret in (SECRET, TOKEN, LAUNCH, "app-t0ken"))


@pytest.mark.parametrize("path", [path for path in CALLS if path != "/v1/token/release"])
def test_a_redirect_is_not_followed(server: Server, form: str, path: str) -> None:
    server.routes[path] = answer("", 307, Location=f"{server.url}/elsewhere")
    with pytest.raises(ProblemResponseError) as failed:
        call(server, path, form)
    assert failed.value.status_code == 307
    assert server.count("/elsewhere") == 0


def test_nobody_there(form: str) -> None:
    with endpoint.running() as gone:
        pass
    with pytest.raises(TransportError, match=r"broker unreachable at http://127\.0\.0\.1"):
        call(gone, "/v1/health", form)
