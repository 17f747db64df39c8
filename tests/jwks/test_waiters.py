"""How many callers may wait for made-up keys, and that each frees its place."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from endpoint import ISSUER, LONG, Clock, Hang, Key, Server, answer, eventually, jwks

from watchword import ErrorCode, KeysUnavailableError, UnknownKeyError, VerificationError
from watchword.verifier import Verifier
from watchword.waiting import Gate, Pending, _Visit

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)
NEW_TOKEN = B.token(ISSUER)
# An attempt lasts longer than any test: a caller that is answered was not waiting for it.
SLOW = {"timeout": 2 * LONG, "min_ttl": 3 * LONG}


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


def unknown(number: int) -> str:
    return A.token(ISSUER, kid=f"made-up {number}")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A web server's worker threads."""
    with ThreadPoolExecutor(40) as pool:
        yield pool


@pytest.fixture
def slow(
    server: Server, make: Callable[..., Verifier], clock: Clock, pool: ThreadPoolExecutor
) -> Iterator[Callable[..., Verifier]]:
    """A verifier with key A, whose endpoint has become slow; it answers before the pool is shut down."""
    server.routes["/jwks"] = answer(jwks(A))
    hang = Hang(answer(jwks(A)))

    def slow(**settings) -> Verifier:
        verifier = make(**{**SLOW, **settings})
        verifier.verify(TOKEN)
        server.routes["/jwks"] = hang
        return verifier

    yield slow
    hang.released.set()


def code_of(verifier: Verifier, token: str) -> ErrorCode | None:
    try:
        verifier.verify(token)
    except VerificationError as error:
        return error.code
    return None


def test_unknown_kids_leave_worker_threads_for_good_tokens(server: Server, slow, pool: ThreadPoolExecutor) -> None:
    verifier = slow()
    bad = [pool.submit(code_of, verifier, unknown(number)) for number in range(40)]
    good = pool.submit(verifier.verify, TOKEN)
    assert good.result(LONG).key_id == "a"
    eventually(lambda: sum(one.done() for one in bad) == 36)
    assert {one.result() for one in bad if one.done()} == {ErrorCode.UNKNOWN_KEY}
    assert (stats(verifier).waits, stats(verifier).waits_rejected) == (1 + 4, 36)
    server.routes["/jwks"].released.set()
    assert {one.result(LONG) for one in bad} == {ErrorCode.UNKNOWN_KEY}


def test_unknown_kids_leave_tasks_for_good_tokens(server: Server, slow) -> None:
    verifier = slow(max_waiters=7)

    async def main() -> None:
        tasks = [asyncio.create_task(verifier.verify_async(unknown(number))) for number in range(200)]
        assert (await verifier.verify_async(TOKEN)).key_id == "a"
        while sum(task.done() for task in tasks) < 193:
            await asyncio.sleep(0)
        for task in tasks:
            if task.done():
                assert isinstance(task.exception(), UnknownKeyError)
            else:
                task.cancel()
        await asyncio.wait(tasks)

    asyncio.run(main())
    assert stats(verifier).waits_rejected == 193


def test_threads_and_tasks_share_the_places(server: Server, slow, pool: ThreadPoolExecutor) -> None:
    verifier = slow(max_waiters=3)
    waiting = [pool.submit(code_of, verifier, unknown(number)) for number in range(3)]
    eventually(lambda: stats(verifier).waits == 1 + 3)
    with pytest.raises(UnknownKeyError):
        asyncio.run(verifier.verify_async(unknown(4)))
    assert not any(one.done() for one in waiting)


def test_who_is_cancelled_leaves_the_place(server: Server, slow) -> None:
    verifier = slow()

    async def fill() -> list[asyncio.Task[object]]:
        before = stats(verifier).waits
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(verifier.verify_async(unknown(number))) for number in range(4)
        ]
        await asyncio.sleep(0)
        assert stats(verifier).waits == before + 4
        return tasks

    async def main() -> None:
        kept = []
        for _ in range(20):
            tasks = await fill()
            # Held on to, with their tracebacks and all that these refer to.
            kept += tasks
            for task in tasks[:2]:
                task.cancel()
            timed = [asyncio.create_task(asyncio.wait_for(task, 0.001)) for task in tasks[2:]]
            await asyncio.wait([*tasks, *timed])
            assert all(isinstance(task.exception(), TimeoutError | asyncio.TimeoutError) for task in timed)
        assert stats(verifier).waits_rejected == 0
        # And an event loop that ends keeps none.
        await fill()

    asyncio.run(main())
    asyncio.run(main())


def test_a_place_is_free_after_the_time_out(server: Server, slow, clock: Clock) -> None:
    verifier = slow(timeout=1, min_ttl=2, backoff_base=0.001, backoff_cap=0.001)
    for number in range(6):
        with pytest.raises(UnknownKeyError):
            verifier.verify(unknown(number))
        clock.move(30)
    assert stats(verifier).waits_rejected == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is the point
def test_a_forked_child_has_all_the_places(server: Server, slow, pool: ThreadPoolExecutor) -> None:
    verifier = slow()
    source = verifier._table.entries[ISSUER].source
    for number in range(4):
        pool.submit(code_of, verifier, unknown(number))
    eventually(lambda: stats(verifier).waits == 1 + 4)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            visits = [_Visit() for _ in range(5)]
            if [visit.may_wait(source._gate) for visit in visits] == [True] * 4 + [False]:  # type: ignore[attr-defined]
                status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(UnknownKeyError):
        verifier.verify(unknown(5))


def test_a_new_key_is_waited_for_in_the_same_place_until_its_own_fetch(server: Server, slow, clock: Clock) -> None:
    """No other caller gets the place between the in-flight fetch and the one with the key."""
    verifier = slow(max_waiters=1)
    clock.move(245)
    hang = server.routes["/jwks"]
    verifier.verify(TOKEN)  # begins the refresh that is due
    server.wait_for(2)
    accepted: list[str | None] = []
    thread = threading.Thread(target=lambda: accepted.append(verifier.verify(NEW_TOKEN).key_id))
    thread.start()
    eventually(lambda: stats(verifier).waits == 2)
    server.routes["/jwks"] = second = Hang(answer(jwks(A, B)))
    hang.released.set()
    server.wait_for(3)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    second.released.set()
    thread.join()
    assert accepted == ["b"]


def test_two_fetches_are_waited_for_no_longer_than_one_may_last(server: Server, slow, clock: Clock) -> None:
    verifier = slow()
    clock.move(245)
    hang = server.routes["/jwks"]
    verifier.verify(TOKEN)  # begins the refresh that is due
    server.wait_for(2)
    code: list[ErrorCode | None] = []
    thread = threading.Thread(target=lambda: code.append(code_of(verifier, NEW_TOKEN)))
    thread.start()
    eventually(lambda: stats(verifier).waits == 2)
    clock.move(2 * LONG - 0.1)  # of the time-out
    server.routes["/jwks"] = second = Hang(answer(jwks(A, B)))
    hang.released.set()
    server.wait_for(3)
    thread.join(LONG)
    assert code == [ErrorCode.UNKNOWN_KEY]
    second.released.set()


def test_none_waits_for_an_unknown_kid_if_none_may(server: Server, slow) -> None:
    verifier = slow(max_waiters=0)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    server.wait_for(2)  # and the key is fetched for later callers
    assert verifier.verify(TOKEN).key_id == "a"


def test_a_cold_start_has_everybody_wait(server: Server, make, pool: ThreadPoolExecutor) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make(**SLOW)
    started = [pool.submit(code_of, verifier, TOKEN) for _ in range(40)]
    eventually(lambda: stats(verifier).waits == 40)
    hang.released.set()
    assert {one.result(LONG) for one in started} == {None}
    assert (server.count(), stats(verifier).waits_rejected) == (1, 0)


def test_after_a_failed_first_fetch_only_a_few_wait(
    server: Server, make, pool: ThreadPoolExecutor, clock: Clock
) -> None:
    """Otherwise attackers could block all threads of a process whose other issuers work."""
    server.routes["/jwks"] = answer(status=500)
    verifier = make(**SLOW)
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    clock.move(61)
    calls: list[Future[ErrorCode | None]] = [pool.submit(code_of, verifier, TOKEN) for _ in range(40)]
    eventually(lambda: sum(one.done() for one in calls) == 36)
    assert {one.result() for one in calls if one.done()} == {ErrorCode.KEYS_UNAVAILABLE}
    hang.released.set()
    assert sum(one.result(LONG) is None for one in calls) == 4


class TestGate:
    def test_counts_exactly(self) -> None:
        gate = Gate(2)
        with _Visit() as one, _Visit() as two, _Visit() as three:
            assert [visit.may_wait(gate) for visit in (one, two, three)] == [True, True, False]
            assert one.may_wait(gate)  # it is inside
        assert (gate.admitted, gate.rejected) == (2, 1)
        with _Visit() as four:
            assert four.may_wait(gate)

    def test_who_never_came_to_leaving_is_not_counted(self) -> None:
        gate = Gate(1)
        lost = _Visit()
        assert lost.may_wait(gate)
        del lost
        gc.collect()
        with _Visit() as visit:
            assert visit.may_wait(gate)

    def test_who_is_interrupted_while_waiting_leaves(self) -> None:
        gate = Gate(1)

        def settle() -> None:
            raise KeyboardInterrupt

        future: Future[None] = Future()
        future.set_result(None)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                Pending(settle, future, 1.0, gate).result()
        assert gate.rejected == 0

    def test_a_pending_that_is_not_awaited_takes_no_place(self) -> None:
        gate = Gate(1)
        future: Future[None] = Future()
        kept = [Pending(lambda: None, future, 1.0, gate) for _ in range(10)]
        future.set_result(None)
        kept[0].result()
        assert (gate.admitted, gate.rejected) == (1, 0)
