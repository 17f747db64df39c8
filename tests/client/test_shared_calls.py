"""Calls that concurrent callers share, in threads and in tasks."""

from __future__ import annotations

import asyncio
import threading
import traceback
from typing import Any

import pytest
from client_calls import GOOD, SECRET, Failed, caller, run, token
from endpoint import LONG, Hang, Server, answer

from watchword.client import CallSettings, Shared, Verb, digest_of, shared
from watchword.waiting import Call


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


def test_a_key_of_a_shared_call_depends_on_where_one_text_ends() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("ab", "") != digest_of("ab")
    assert digest_of("\ud800") != digest_of("?")
