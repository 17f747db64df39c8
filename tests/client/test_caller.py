"""Calls of an API: faults, limits, what is sent again, what is shared."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import endpoint
import httpx
import httpx2
import pytest
from client_faults import FAULTS, Fault, Outcome
from endpoint import LONG, Hang, Server, answer

from watchword.client import (
    Answer,
    Caller,
    CallError,
    CallSettings,
    InvalidAnswerError,
    NoAnswerError,
    OriginNonces,
    Request,
    Shared,
    Verb,
    check_base_url,
    digest_of,
    path_segment,
    retry_after_seconds,
    server_text,
    shared,
)
from watchword.waiting import Call

SECRET = "s3cret-s3cret"
FAST = CallSettings(timeout=0.6, deadline=20, first_delay=0.0, max_delay=0.0)


class Failed(Exception):
    """What this client raises."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.detail)
        self.error = error


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


@pytest.fixture(params=["thread", "task"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def caller(server: Server, settings: CallSettings = FAST, **options: object) -> Caller:
    return Caller(server.url, user_agent="tests/1", raise_as=Failed, settings=settings, **options)  # type: ignore[arg-type]


def run(caller: Caller, verb: Verb[object], form: str) -> object:
    return caller.run(verb) if form == "thread" else asyncio.run(caller.run_async(verb))


def token(*, repeatable: bool) -> Verb[str]:
    got: Answer = yield Request("POST", "/token", form={"client_secret": SECRET}, repeatable=repeatable)
    if got.status != 200:
        return f"status {got.status}"
    return got.members().text("access_token")


GOOD = answer(json.dumps({"access_token": "abc", "new_member": 1}), Content_Type="application/json; charset=utf-8")


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


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_the_applications_own(server: Server, library: object) -> None:
    server.routes["/token"] = GOOD
    with library.Client(headers={"x-mine": "1"}) as client:  # type: ignore[attr-defined]
        assert caller(server, client=client).run(token(repeatable=True)) == "abc"
        assert not client.is_closed

    async def in_a_task() -> object:
        async with library.AsyncClient(headers={"x-mine": "1"}) as client:  # type: ignore[attr-defined]
            return await caller(server, async_client=client).run_async(token(repeatable=True))

    assert asyncio.run(in_a_task()) == "abc"
    assert [one.headers.get("x-mine") for one in server.requests] == ["1", "1"]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_an_applications_tests(library: Any) -> None:
    """``MockTransport``, whose responses have been read before they are streamed."""
    asked = []

    def handle(request: Any) -> Any:
        asked.append(request.content)
        return library.Response(200, json={"access_token": "abc"})

    transport = library.MockTransport(handle)
    options: dict[str, Any] = {"user_agent": "tests/1", "raise_as": Failed, "settings": FAST}
    with library.Client(transport=transport) as client:
        assert Caller("https://as.example", client=client, **options).run(token(repeatable=True)) == "abc"
        small = options | {"settings": CallSettings(max_bytes=4)}
        with pytest.raises(Failed, match="bytes"):
            Caller("https://as.example", client=client, **small).run(token(repeatable=True))

    async def in_a_task() -> object:
        async with library.AsyncClient(transport=transport) as client:
            asking = Caller("https://as.example", async_client=client, **options)
            return await asking.run_async(token(repeatable=True))

    assert asyncio.run(in_a_task()) == "abc"
    assert asked == [b"client_secret=s3cret-s3cret"] * 3


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_slow_body_on_a_pooled_connection_ends_at_the_deadline(library: object) -> None:
    """The socket of a reused connection is known from the response."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(endpoint.head(Content_Length=2) + b"{}")
            connection.recv(65536)
            connection.sendall(endpoint.head(Content_Length=2000))
            # Until the client has shut the connection down.
            while not stopped.wait(0.02):
                connection.sendall(b" ")

    def verb() -> Verb[int]:
        answer: Answer = yield Request("GET", "/")
        return answer.status

    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, library.Client() as client:  # type: ignore[attr-defined]
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = CallSettings(timeout=0.3, max_retries=0)
        asking = Caller(url, user_agent="t", raise_as=Failed, settings=settings, client=client)
        assert asking.run(verb()) == 200
        with pytest.raises(Failed, match="in time"):
            asking.run(verb())
        stopped.set()
        thread.join(LONG)
        assert not thread.is_alive()


def test_the_wrong_kind_of_client(server: Server) -> None:
    with httpx2.Client() as client, pytest.raises(TypeError, match="asynchronous client"):
        caller(server, async_client=client)
    with pytest.raises(TypeError, match="synchronous client"):
        caller(server, client=httpx2.AsyncClient())


def test_concurrent_callers_share_one_call(server: Server) -> None:
    hang = server.routes["/token"] = Hang(GOOD)
    asking = caller(server, CallSettings(timeout=LONG))

    def verb() -> Verb[str]:
        return (yield Shared("key", lambda: token(repeatable=False)))

    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(asking.run(verb()))) for _ in range(8)]

    async def tasks() -> list[str]:
        running = [asyncio.ensure_future(asking.run_async(verb())) for _ in range(8)]
        await asyncio.to_thread(server.wait_for, 1)
        hang.released.set()
        return await asyncio.gather(*running)

    for thread in threads:
        thread.start()
    server.wait_for(1)
    assert asyncio.run(tasks()) == ["abc"] * 8
    for thread in threads:
        thread.join(LONG)
    assert results == ["abc"] * 8
    assert server.count() == 1
    # The call is over: the next one is made.
    assert asking.run(verb()) == "abc"
    assert server.count() == 2


def test_a_shared_call_survives_its_cancelled_caller(server: Server) -> None:
    hang = server.routes["/token"] = Hang(GOOD)
    asking = caller(server, CallSettings(timeout=LONG))

    def verb() -> Verb[str]:
        return (yield Shared("key", lambda: token(repeatable=False), keep=LONG))

    async def cancelled() -> str:
        first = asyncio.ensure_future(asking.run_async(verb()))
        await asyncio.to_thread(server.wait_for, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        hang.released.set()
        return await asking.run_async(verb())

    assert asyncio.run(cancelled()) == "abc"
    # Kept for those who come a moment later, in whatever way.
    assert asking.run(verb()) == "abc"
    assert server.count() == 1


def test_a_shared_failure_is_raised_for_everybody_and_not_kept(server: Server, form: str) -> None:
    server.routes["/token"] = answer("{}", Content_Type="application/json")
    asking = caller(server)

    def verb() -> Verb[str]:
        return (yield Shared("key", lambda: token(repeatable=False), keep=LONG))

    for _ in range(2):
        with pytest.raises(Failed, match='has no "access_token"'):
            run(asking, verb(), form)
    assert server.count() == 2


class Refused(Exception):
    """What a call itself raises."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def test_a_shared_failure_has_the_context_of_no_other_caller(server: Server) -> None:
    asking = caller(server)
    go = asyncio.Event()

    def refused() -> Verb[str]:
        yield Call(lambda: None, go.wait)
        raise Refused("no", status=401)

    def verb() -> Verb[str]:
        return (yield Shared("key", refused))

    async def handling(secret: str) -> object:
        try:
            return int(secret)
        except ValueError:
            return await asking.run_async(verb())

    async def both() -> list[Any]:
        calls = [asyncio.ensure_future(one) for one in (handling(SECRET), asking.run_async(verb()))]
        await asyncio.sleep(0)
        go.set()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    first, second = asyncio.run(both())
    assert first is not second
    assert SECRET in "".join(traceback.format_exception(first))
    assert SECRET not in "".join(traceback.format_exception(second))
    assert (str(second), second.status) == ("no", 401)


def test_an_event_loop_that_ends_leaves_nobody_waiting(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.routes["/token"] = Hang(GOOD)
    asking = caller(server, CallSettings(timeout=LONG))
    waits = threading.Event()
    wait = shared.Future.exception

    def exception(future: shared.Future[object], timeout: float | None = None) -> BaseException | None:
        waits.set()
        return wait(future, timeout)

    monkeypatch.setattr(shared.Future, "exception", exception)

    def verb() -> Verb[str]:
        return (yield Shared("key", lambda: token(repeatable=False)))

    failures: list[BaseException] = []

    def follow() -> None:
        try:
            asking.run(verb())
        except Failed as error:
            failures.append(error)

    thread = threading.Thread(target=follow)

    async def leave() -> None:
        leading = asyncio.ensure_future(asking.run_async(verb()))
        await asyncio.to_thread(server.wait_for, 1)
        thread.start()
        assert await asyncio.to_thread(waits.wait, LONG)
        leading.cancel()

    asyncio.run(leave())
    thread.join(LONG)
    assert [str(error) for error in failures] == ["the event loop of the call has ended"]
    assert server.count() == 1


@pytest.mark.parametrize("end", ["cancelled before its first step", "closed without cancelling its tasks"])
def test_a_shared_call_whose_event_loop_has_ended_is_made_anew(server: Server, end: str) -> None:
    asking = caller(server, CallSettings(timeout=LONG))

    def for_ever() -> Verb[str]:
        return (yield Call(lambda: "abc", asyncio.Event().wait))

    def verb() -> Verb[str]:
        return (yield Shared("key", for_ever))

    async def leave() -> None:
        leading = asyncio.ensure_future(asking.run_async(verb()))
        await asyncio.sleep(0)
        if end.startswith("cancelled"):
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        else:
            await asyncio.sleep(0)
            leading.cancel()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert asking.run(verb()) == "abc"


def test_an_interrupt_while_the_thread_starts_loses_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.routes["/token"] = hang = Hang(GOOD)
    asking = caller(server, CallSettings(timeout=LONG))
    start = shared.start_daemon

    def interrupted(*arguments: Any) -> None:
        start(*arguments)
        server.wait_for(1)
        raise KeyboardInterrupt

    def verb() -> Verb[str]:
        return (yield Shared("key", lambda: token(repeatable=False), keep=LONG))

    monkeypatch.setattr(shared, "start_daemon", interrupted)
    with pytest.raises(KeyboardInterrupt):
        asking.run(verb())
    hang.released.set()
    assert asking.run(verb()) == "abc"
    assert server.count() == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sat, 22 Nov 2025 00:00:10 GMT", 10),
        ("Sat, 22 Nov 2025 00:00:00 GMT", 0),
        ("Fri, 21 Nov 2025 00:00:00 GMT", 0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("9" * 5000, 999_999_999_999),
        ("Sat, 22 Nov 99999999 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    got = Answer(429, {"retry-after": value}, b"", "/token")
    assert retry_after_seconds(got, now=1_763_769_600) == seconds


def test_the_last_nonce_of_each_origin() -> None:
    nonces = OriginNonces()
    for value, is_new in (
        ("one", True),
        ("one", False),
        ("two", True),
        ("a, b", False),
        ('"', False),
        ("x" * 2000, False),
    ):
        assert nonces.learn("https://as.example", Answer(401, {"dpop-nonce": value}, b"", "/token")) is is_new
    assert nonces.get("https://as.example") == "two"
    assert nonces.get("https://other.example") is None
    assert "two" not in repr(nonces)


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


@pytest.mark.parametrize("value", ["", ".", "..", None, 7])
def test_what_is_not_a_segment_of_a_path(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="agent_id"):
        path_segment(value, what="agent_id")  # type: ignore[arg-type]


def test_a_segment_is_escaped() -> None:
    assert path_segment("a/b?c#d%2e ü", what="x") == "a%2Fb%3Fc%23d%252e%20%C3%BC"


@pytest.mark.parametrize(
    ("url", "hosts", "found"),
    [
        ("https://as.example/", (), "https://as.example"),
        ("http://127.0.0.1:8000", (), "http://127.0.0.1:8000"),
        ("http://localhost:8000//", (), "http://localhost:8000"),
        ("http://broker.test", ("broker.test",), "http://broker.test"),
        ("http://broker.test", (), None),
        ("http://broker.test.evil.example", ("broker.test",), None),
        ("https://user:password@as.example", (), None),
        ("https://as.example/?a=b", (), None),
        ("ftp://as.example", (), None),
        ("", (), None),
    ],
)
def test_base_urls(url: str, hosts: tuple[str, ...], found: str | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="base_url"):
            check_base_url(url, http_hosts=hosts)
    else:
        assert check_base_url(url, http_hosts=hosts) == found


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": 1e10},
        {"deadline": 10**400},
        {"first_delay": 10**400},
        {"deadline": -1},
        {"max_retries": -1},
        {"max_retries": True},
        {"max_bytes": 0},
        {"max_delay": -1},
    ],
)
def test_invalid_settings(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        CallSettings(**options)  # type: ignore[arg-type]


def test_secrets_are_in_no_repr(server: Server) -> None:
    shown = [
        repr(Request("POST", "/token", form={"client_secret": SECRET}, headers={"authorization": SECRET})),
        repr(Answer(200, {"x": SECRET}, SECRET.encode(), "/token")),
        repr(Answer(200, {"content-type": "application/json"}, json.dumps({"a": SECRET}).encode(), "/token").members()),
        repr(caller(server, headers={"x-api-key": SECRET})),
    ]
    assert not any(SECRET in one for one in shown)


JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("the code has expired", "the code has expired"),
        ("  two\r\nlines\x00 and \x1b[31mcolour\u202e ", "two lines and [31mcolour"),
        ("x" * 10_000_000, "x" * 512),
        ("", None),
        (" \n", None),
        (None, None),
        (7, None),
        ({"a": "b"}, None),
        (f"the secret {SECRET} is wrong", None),
        (f"in JSON: {json.dumps(SECRET + chr(34))}", None),
        (f"the token {JWT} has expired", None),
        (f"claims {JWT.split('.')[1]}", None),
        ("agent", "agent"),
    ],
)
def test_a_servers_words_are_bounded_and_repeat_no_secret(value: object, found: str | None) -> None:
    assert server_text(value, [SECRET, SECRET + '"', JWT, "a.agent.b", None, ""]) == found


def test_a_key_of_a_shared_call_depends_on_where_one_text_ends() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("ab", "") != digest_of("ab")
    assert digest_of("\ud800") != digest_of("?")
