"""A child of a fork uses its own connections to Redis."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from mint import NOW

from watchword.dpop import ReplayUnavailableError
from watchword.dpop.redis import RedisReplayStore

CHILDS = "a child's proof"
SERVER = Path(__file__).resolve().parents[1] / "dpop"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.syspath_prepend(str(SERVER))
    from redis_server import running

    with running(tmp_path) as server:
        yield server.url


def in_child(work: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
        child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that waits for ever is a failure, not a test that never ends
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def replay_id(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()


def clients(url: str) -> set[bytes]:
    """The names under which the server knows its connections."""
    with redis.Redis.from_url(url) as asking:
        return {client["id"] for client in asking.client_list()}


def test_a_child_keeps_lifetimes_and_the_latest_time(url: str) -> None:
    """What verifiers announced before the fork, and what expired before it, applies to its children too."""
    store = RedisReplayStore(url)
    store.retain_for(10)
    store.retain_for(300)
    assert store.consume(replay_id("parent's"), NOW + 60, NOW)

    def work() -> None:
        assert store.consume(replay_id(CHILDS), NOW + 10, NOW)
        with redis.Redis.from_url(url) as asking:
            kept = [asking.pttl(name) for name in asking.keys(f"*{replay_id(CHILDS).hex()}")]
        assert len(kept) == 1
        assert kept[0] > 60_000
        with pytest.raises(ReplayUnavailableError):
            store.consume(replay_id("old"), NOW - 1, NOW - 60)

    in_child(work)
    store.close()


def test_a_child_has_connections_of_its_own(url: str) -> None:
    """Also while another thread of the parent is in the middle of a question."""
    store = RedisReplayStore(url)
    stop = threading.Event()
    wrong: list[object] = []

    def ask(who: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            if not store.consume(replay_id((who, number)), NOW + 60, NOW):
                wrong.append((who, number))

    threads = [threading.Thread(target=ask, args=(f"parent {number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(20):

            def work(number: int = number) -> None:
                for place in range(50):
                    assert store.consume(replay_id(("child", number, place)), NOW + 60, NOW)
                    assert not store.consume(replay_id(("child", number, place)), NOW + 60, NOW)

            in_child(work)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        store.close()
    assert wrong == []


def test_an_event_loop_of_the_parent_does_not_take_its_connections_along(url: str) -> None:
    """One loop, used before the fork by the parent and after it by both: the connections are not the same."""
    store = RedisReplayStore(url)
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(store.consume_async(replay_id("before"), NOW + 60, NOW))
    before = clients(url)

    def work() -> None:
        async def consume() -> None:
            for place in range(50):
                assert await store.consume_async(replay_id(("child", place)), NOW + 60, NOW)
            await store.aclose()

        asyncio.run(consume())

    in_child(work)
    # The parent's connection is unchanged: open, and without answers for the child.
    assert before & clients(url)
    for place in range(50):
        assert loop.run_until_complete(store.consume_async(replay_id(("parent", place)), NOW + 60, NOW))
    assert not loop.run_until_complete(store.consume_async(replay_id("before"), NOW + 60, NOW))
    loop.run_until_complete(store.aclose())
    loop.close()
    store.close()
