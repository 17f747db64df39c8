"""Threads, tasks and event loops that share one Verifier."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Callable

import pytest
from endpoint import ISSUER, LONG, Hang, Key, Server, answer, eventually, jwks

from watchword import KeysUnavailableError
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


def in_threads(count: int, call: Callable[[], object]) -> list[object]:
    """What so many threads at once get from ``call``: its value, or what it raises."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        barrier.wait(LONG)
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    return results


def test_50_threads_on_a_cold_cache_make_one_fetch(server: Server, make) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()
    threading.Thread(target=lambda: (server.wait_for(1), time.sleep(0.05), hang.released.set())).start()
    results = in_threads(50, lambda: verifier.verify(TOKEN).key_id)
    assert results == ["a"] * 50
    assert server.count() == 1


def test_200_tasks_on_a_cold_cache_make_one_fetch(server: Server, make) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()

    async def main() -> list[str | None]:
        tasks = [asyncio.create_task(verifier.verify_async(TOKEN)) for _ in range(200)]
        await asyncio.sleep(0)
        hang.released.set()
        return [token.key_id for token in await asyncio.gather(*tasks)]

    assert asyncio.run(main()) == ["a"] * 200
    assert server.count() == 1


def test_threads_and_two_event_loops_share_one_fetch(server: Server, make) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()

    async def tasks() -> list[str | None]:
        return [token.key_id for token in await asyncio.gather(*(verifier.verify_async(TOKEN) for _ in range(20)))]

    threading.Thread(target=lambda: (server.wait_for(1), time.sleep(0.05), hang.released.set())).start()
    kinds = iter([lambda: asyncio.run(tasks()), lambda: asyncio.run(tasks()), lambda: [verifier.verify(TOKEN).key_id]])

    def one_of_each() -> list[str | None]:
        return next(kinds)()

    assert sorted(in_threads(3, one_of_each), key=len) == [["a"], ["a"] * 20, ["a"] * 20]  # type: ignore[arg-type]
    assert server.count() == 1


def test_each_request_may_run_its_own_event_loop(server: Server, make) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    assert in_threads(16, lambda: asyncio.run(verifier.verify_async(TOKEN)).key_id) == ["a"] * 16
    assert server.count() == 1


def test_a_cancelled_waiter_cancels_no_other(server: Server, make) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()

    async def main() -> None:
        first, second, timed = (asyncio.create_task(verifier.verify_async(TOKEN)) for _ in range(3))
        waiting = asyncio.create_task(asyncio.wait_for(timed, 0.05))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(asyncio.TimeoutError):
            await waiting
        hang.released.set()
        assert (await second).key_id == "a"

    asyncio.run(main())
    assert server.count() == 1


def test_an_event_loop_that_ends_while_its_tasks_wait_does_no_harm(
    server: Server, make, caplog: pytest.LogCaptureFixture
) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()

    async def leave() -> None:
        task = asyncio.create_task(verifier.verify_async(TOKEN))
        await asyncio.sleep(0.02)
        assert not task.done()

    asyncio.run(leave())
    hang.released.set()
    assert verifier.verify(TOKEN).key_id == "a"
    assert server.count() == 1
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_event_loop_goes_on_while_a_cold_fetch_hangs(server: Server, make) -> None:
    """Nothing blocks it: not creating the client, nor the threads, nor 200 waiters."""
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make(timeout=25)

    async def main() -> None:
        tasks = [asyncio.create_task(verifier.verify_async(TOKEN)) for _ in range(200)]
        for _ in range(50):
            await asyncio.sleep(0.001)
        # A blocked loop would not get here before the fetch had ended.
        assert stats(verifier).fetching
        assert not any(task.done() for task in tasks)
        hang.released.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_async_callers_are_rejected_at_once_during_the_back_off(server: Server, make) -> None:
    server.routes["/jwks"] = answer(status=500)
    verifier = make(backoff_base=1000, backoff_cap=1000)

    async def main() -> None:
        results = await asyncio.gather(*(verifier.verify_async(TOKEN) for _ in range(50)), return_exceptions=True)
        assert all(isinstance(result, KeysUnavailableError) for result in results)

    asyncio.run(main())
    asyncio.run(main())
    assert server.count() == 1


def test_cold_threads_wait_side_by_side_not_in_a_row(server: Server, make) -> None:
    """PyJWT's five threads fail after one, two, three, four and five time-outs."""
    server.routes["/jwks"] = hang = Hang()
    verifier = make(timeout=25, backoff_base=1000, backoff_cap=1000)

    def release_when_all_wait() -> None:
        eventually(lambda: stats(verifier).waits == 8)
        hang.released.set()

    releasing = threading.Thread(target=release_when_all_wait)
    releasing.start()
    results = in_threads(8, lambda: verifier.verify(TOKEN))
    releasing.join()
    assert all(isinstance(result, KeysUnavailableError) for result in results)
    assert server.count() == 1


def test_keys_rotate_under_load(server: Server, make) -> None:
    """No good token is ever rejected while sets change."""
    keys = [Key(f"k{number}") for number in range(6)]
    server.routes["/jwks"] = answer(jwks(keys[0], keys[1]))
    verifier = make(monotonic=time.monotonic)
    verifier.refresh()
    stop = threading.Event()
    current = [keys[1]]
    done = [0] * 4
    failures: list[Exception] = []

    def run(number: int) -> None:
        while not stop.is_set():
            try:
                verifier.verify(current[0].token(ISSUER))
            except Exception as error:
                failures.append(error)
            done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for old, new in itertools.pairwise(keys[1:]):
            server.routes["/jwks"] = answer(jwks(old, new))
            verifier.refresh()
            current[0] = new
            before = done.copy()
            # Whoever still signs with the old key finishes first.
            eventually(lambda: all(now > then for now, then in zip(done, before, strict=True)))  # noqa: B023
    finally:
        stop.set()
        for thread in threads:
            thread.join(LONG)
    assert failures == []
    assert stats(verifier).set_changes == 5


def test_refresh_joins_the_fetch_in_flight(server: Server, make) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = make()
    threading.Thread(target=lambda: (server.wait_for(1), time.sleep(0.05), hang.released.set())).start()
    assert in_threads(10, verifier.refresh) == [None] * 10
    assert server.count() == 1


def test_refresh_async(server: Server, make) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()

    async def main() -> None:
        async with verifier:
            await verifier.refresh_async()
            await verifier.refresh_async()
            assert (await verifier.verify_async(TOKEN)).key_id == "a"

    asyncio.run(main())
    assert server.count() == 2
    eventually(lambda: not stats(verifier).fetching)
