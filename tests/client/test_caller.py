"""Calls of an API: faults, limits, what is sent and sent again."""

from __future__ import annotations

import asyncio
import threading
import traceback

import endpoint
import pytest
from client_calls import FAST, GOOD, SECRET, Failed, caller, run, token
from client_faults import FAULTS, Fault, Outcome
from endpoint import LONG, Hang, Server, answer

from watchword.client import (
    Answer,
    Caller,
    CallSettings,
    InvalidAnswerError,
    NoAnswerError,
    Request,
    Verb,
    path_segment,
)
from watchword.waiting import Call


def test_the_request_is_what_was_asked_for(server: Server, form: str) -> None:
    server.routes["/token"] = GOOD
    assert run(caller(server, headers={"x-api-key": "k"}), token(repeatable=False), form) == "abc"
    (sent,) = server.requests
    assert (sent.method, sent.path, sent.body) == ("POST", "/token", b"client_secret=s3cret-s3cret")
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.headers["user-agent"] == "tests/1"
    assert sent.headers["x-api-key"] == "k"
    assert sent.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("repeatable", [True, False], ids=["repeatable", "once"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_faults(server: Server, form: str, fault: Fault, repeatable: bool) -> None:
    server.routes["/token"] = fault.make(server.stop)
    settings = CallSettings(timeout=0.6, deadline=20, first_delay=0.0, max_retries=1)
    if fault.outcome in _STATUS:
        got = run(caller(server, settings), token(repeatable=repeatable), form)
        assert got == ("status 500" if "500" in fault.name else _STATUS[fault.outcome])
    else:
        with pytest.raises(Failed) as failed:
            run(caller(server, settings), token(repeatable=repeatable), form)
        kind = InvalidAnswerError if fault.outcome is Outcome.INVALID else NoAnswerError
        assert type(failed.value.error) is kind
        assert (failed.value.__cause__, failed.value.__context__) == (None, None)
        assert SECRET not in "".join(traceback.format_exception(failed.value))
    assert server.count() == fault.attempts(repeatable=repeatable, max_retries=1)


_STATUS = {Outcome.LIMITED: "status 429", Outcome.UNAVAILABLE: "status 503"}


def test_an_endpoint_elsewhere_and_a_repeated_parameter(server: Server, form: str) -> None:
    with endpoint.running() as elsewhere:
        elsewhere.routes["/a/token"] = GOOD
        resources = ["https://a.example", "https://b.example?x"]

        def verb() -> Verb[str]:
            got = yield Request("POST", "/token", form={"resource": resources}, base_url=f"{elsewhere.url}/a")
            return str(got.members().text("access_token"))

        assert run(caller(server), verb(), form) == "abc"
        (sent,) = elsewhere.requests
    assert sent.body == b"resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example%3Fx"
    assert server.count() == 0


def test_a_call_waits_for_something_else(server: Server, form: str) -> None:
    server.routes["/token"] = GOOD

    async def in_task() -> str:
        return f"task {threading.current_thread() is threading.main_thread()}"

    def verb() -> Verb[list[str]]:
        first = yield from token(repeatable=False)
        how = yield Call(lambda: "thread", in_task)
        try:
            yield Call(lambda: {}["missing"])
        except KeyError:
            return [first, how, "caught"]

    assert run(caller(server), verb(), form) == ["abc", "thread" if form == "thread" else "task True", "caught"]


def test_a_redirect_is_not_followed(server: Server, form: str) -> None:
    server.routes["/token"] = answer(status=307, Location=f"{server.url}/elsewhere")
    assert run(caller(server), token(repeatable=True), form) == "status 307"
    assert server.count() == 1


def test_nobody_there(form: str) -> None:
    with endpoint.running() as gone:
        url = gone.url
    unreachable = Caller(url, user_agent="t", raise_as=Failed, settings=FAST)
    with pytest.raises(Failed, match=r"no answer \(ConnectError\)"):
        run(unreachable, token(repeatable=True), form)


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_succeeds(server: Server, form: str, status: int) -> None:
    def behave(connection: object, request: endpoint.Request) -> None:
        (answer(status=status, Retry_After="0") if server.count() == 1 else GOOD)(connection, request)  # type: ignore[arg-type]

    server.routes["/token"] = behave
    assert run(caller(server), token(repeatable=True), form) == "abc"
    assert server.count() == 2


def test_a_delay_beyond_the_deadline_is_not_waited_for(server: Server, form: str) -> None:
    server.routes["/token"] = answer(status=429, Retry_After="3600")
    assert run(caller(server), token(repeatable=True), form) == "status 429"
    assert server.count() == 1


def test_headers_that_must_be_fresh_are_made_for_each_attempt(server: Server, form: str) -> None:
    server.routes["/token"] = answer(status=503)
    made = iter(range(10))

    def verb() -> Verb[int]:
        got = yield Request("POST", "/token", repeatable=True, fresh_headers=lambda: {"dpop": str(next(made))})
        return int(got.status)

    assert run(caller(server), verb(), form) == 503
    assert [one.headers["dpop"] for one in server.requests] == ["0", "1", "2"]


def test_fresh_headers_that_block_do_not_block_the_event_loop(server: Server) -> None:
    server.routes["/token"] = GOOD
    runs = threading.Event()

    def sign() -> dict[str, str]:
        return {"dpop": "waited" if runs.wait(LONG) else "blocked the loop"}

    def verb() -> Verb[Answer]:
        return (yield Request("POST", "/token", fresh_headers=sign))

    async def beside() -> None:
        asking = asyncio.ensure_future(caller(server).run_async(verb()))
        await asyncio.sleep(0)
        runs.set()
        await asking

    asyncio.run(beside())
    assert server.requests[0].headers["dpop"] == "waited"


def test_a_request_that_cannot_be_made_is_no_missing_answer(server: Server, form: str) -> None:
    def sign() -> dict[str, str]:
        raise LookupError("the signer's own error")

    requests: list[tuple[Request, type[Exception]]] = [
        (Request("GET", "/token", repeatable=True, fresh_headers=sign), LookupError),
        (Request("POST", "/token", json={"a": object()}), TypeError),
    ]
    for request, error in requests:

        def verb(request: Request = request) -> Verb[None]:
            yield request

        with pytest.raises(error):
            run(caller(server), verb(), form)
    assert server.count() == 0


def test_the_deadline_is_that_of_the_whole_call(server: Server, form: str) -> None:
    server.routes["/step"] = GOOD
    server.routes["/hang"] = Hang()

    def verb() -> Verb[None]:
        yield Request("GET", "/step")
        yield Request("GET", "/hang", repeatable=True)

    with pytest.raises(Failed, match="in time"):
        run(caller(server, CallSettings(timeout=30, deadline=0.5)), verb(), form)
    assert [one.path for one in server.requests] == ["/step", "/hang"]


@pytest.mark.parametrize("end", ["\n", "\r\nx-other: 1", "\u00e9", "\ud800"])
def test_a_header_that_cannot_be_sent_is_named_and_not_tried_again(server: Server, form: str, end: str) -> None:
    made = []

    def fresh() -> dict[str, str]:
        made.append(1)
        return {"authorization": f"Bearer {SECRET}{end}"}

    def verb() -> Verb[Answer]:
        return (yield Request("GET", "/token", fresh_headers=fresh, repeatable=True))

    with pytest.raises(Failed, match='cannot be sent: its header "authorization"') as caught:
        run(caller(server), verb(), form)
    assert len(made) == 1
    assert server.count() == 0
    assert SECRET not in repr((caught.value, caught.value.error, caught.value.__context__))


def test_what_cannot_be_encoded_is_not_quoted(server: Server, form: str) -> None:
    def verb() -> Verb[Answer]:
        return (yield Request("POST", "/token", form={"client_secret": SECRET + "\ud800"}, repeatable=True))

    with pytest.raises(ValueError, match="surrogate") as caught:
        run(caller(server), verb(), form)
    with pytest.raises(ValueError, match="request_id has a surrogate") as of_path:
        path_segment(SECRET + "\ud800", what="request_id")
    for error in (caught.value, of_path.value):
        assert SECRET not in repr((error, error.__context__, error.__cause__))
