"""The shared memory of proofs, against a real server: once for all processes, and closed when the server is away."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from proofs import METHOD, NOW, URI, claims, proof
from redis_server import LosesAnswers, Server, running

import watchword as ww
from watchword.dpop import DpopVerifier, ReplayedProofError, ReplayUnavailableError
from watchword.dpop.redis import RedisReplayStore


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def store(server: Server) -> Iterator[RedisReplayStore]:
    store = RedisReplayStore(server.url)
    yield store
    store.close()


def _id(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def _run(store: RedisReplayStore, work):  # type: ignore[no-untyped-def]
    async def whole():  # type: ignore[no-untyped-def]
        try:
            return await work
        finally:
            await store.aclose()

    return asyncio.run(whole())


def test_an_id_is_used_once_whoever_asks(server: Server, store: RedisReplayStore) -> None:
    other = RedisReplayStore(server.url)  # as another process
    assert [one.consume(_id(1), NOW + 65, NOW) for one in (store, store, other)] == [True, False, False]
    assert not _run(other, other.consume_async(_id(1), NOW + 65, NOW))
    assert _run(other, other.consume_async(_id(2), NOW + 65, NOW))
    assert not store.consume(_id(2), NOW + 65, NOW)
    other.close()


def test_prefixes_keep_users_of_one_server_apart(server: Server, store: RedisReplayStore) -> None:
    other = RedisReplayStore(server.url, prefix="other:")
    assert store.consume(_id(1), NOW + 65, NOW)
    assert other.consume(_id(1), NOW + 65, NOW)
    with redis.Redis(port=server.port) as client:
        assert sorted(key.split(b":")[0] for key in client.scan_iter()) == [b"other", b"watchword"]
    other.close()


def test_an_id_is_remembered_until_it_expires_and_no_longer(server: Server, store: RedisReplayStore) -> None:
    store.consume(_id(1), NOW + 65, NOW)
    with redis.Redis(port=server.port) as client:
        (key,) = client.keys()
        assert 60_000 < client.pttl(key) <= 65_001
        assert _id(1).hex().encode() in key
    # One that is about to expire is remembered for a moment, not for ever; one that has expired is not taken at all.
    assert store.consume(_id(2), NOW + 0.05, NOW)
    deadline = time.monotonic() + 10
    while not store.consume(_id(2), NOW + 0.05, NOW):
        assert time.monotonic() < deadline
    with pytest.raises(ReplayUnavailableError):
        store.consume(_id(3), NOW - 1, NOW)


def test_a_verifier_by_threads_and_by_an_event_loop(store: RedisReplayStore) -> None:
    verifier = DpopVerifier(replay=store, clock=lambda: NOW)
    verifier.verify(proof(), method=METHOD, uri=URI)
    with pytest.raises(ReplayedProofError):
        verifier.verify(proof(), method=METHOD, uri=URI)

    async def several() -> Counter[bool]:
        async def one(number: int) -> bool:
            try:
                await verifier.verify_async(proof(claims(jti=str(number))), method=METHOD, uri=URI)
            except ReplayedProofError:
                return False
            return True

        return Counter(await asyncio.gather(*(one(number % 50) for number in range(200))))

    # Each event loop has connections of its own.
    assert _run(store, several()) == {True: 50, False: 150}
    assert _run(store, several()) == {False: 200}


def test_many_threads_share_few_connections(server: Server) -> None:
    store = RedisReplayStore(server.url, connections=3, timeout=20)
    found: Counter[int] = Counter()
    lock = threading.Lock()

    def work(seed: int) -> None:
        numbers = list(range(100))
        random.Random(seed).shuffle(numbers)
        firsts = [number for number in numbers if store.consume(_id(number), NOW + 65, NOW)]
        with lock:
            found.update(firsts)

    _together(work, range(24))
    assert found == dict.fromkeys(range(100), 1)
    with redis.Redis(port=server.port) as client:
        assert len(client.client_list()) <= 4
    store.close()


def test_a_server_that_is_away_closes_the_door(server: Server, store: RedisReplayStore) -> None:
    assert store.consume(_id(1), NOW + 65, NOW)
    server.kill()
    with pytest.raises(ReplayUnavailableError) as caught:
        store.consume(_id(2), NOW + 65, NOW)
    assert caught.value.http_status == 503
    assert str(server.port) not in str(caught.value)
    with pytest.raises(ReplayUnavailableError):
        _run(store, store.consume_async(_id(2), NOW + 65, NOW))
    server.start()
    # The pooled connections are dead; nobody notices. What was used before is still used.
    assert store.consume(_id(2), NOW + 65, NOW)
    assert not store.consume(_id(1), NOW + 65, NOW)


def test_an_event_loops_connections_survive_a_restart(server: Server, store: RedisReplayStore) -> None:
    async def work() -> list[bool]:
        before = await store.consume_async(_id(1), NOW + 65, NOW)
        await asyncio.to_thread(server.kill)
        with pytest.raises(ReplayUnavailableError):
            await store.consume_async(_id(2), NOW + 65, NOW)
        await asyncio.to_thread(server.start)
        return [before, await store.consume_async(_id(1), NOW + 65, NOW), await store.consume_async(_id(2), NOW, NOW)]

    assert _run(store, work()) == [True, False, True]


def test_a_server_that_hangs_is_not_waited_for(server: Server) -> None:
    store = RedisReplayStore(server.url, timeout=0.2)
    assert store.consume(_id(1), NOW + 65, NOW)
    server.signal(signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(ReplayUnavailableError):
        store.consume(_id(2), NOW + 65, NOW)
    with pytest.raises(ReplayUnavailableError):
        _run(store, store.consume_async(_id(3), NOW + 65, NOW))
    # Far above the time-outs, far below waiting for it.
    assert time.monotonic() - started < 15
    server.signal(signal.SIGCONT)
    assert store.consume(_id(4), NOW + 65, NOW)
    store.close()


def test_an_operator_may_rather_be_open_than_down(server: Server) -> None:
    store = RedisReplayStore(server.url, when_unavailable="accept")
    assert store.consume(_id(1), NOW + 65, NOW)
    assert not store.consume(_id(1), NOW + 65, NOW)
    server.kill()
    assert store.consume(_id(1), NOW + 65, NOW)
    assert _run(store, store.consume_async(_id(1), NOW + 65, NOW))
    store.close()


@pytest.mark.parametrize("sync", [True, False])
def test_an_answer_that_is_lost_is_no_replay(server: Server, *, sync: bool) -> None:
    """The server has remembered the id, and we were not told: asking again must not look like a second use."""
    way = LosesAnswers(server.port, b"SET\r\n$", lost=1)
    store = RedisReplayStore(f"redis://127.0.0.1:{way.port}/0")
    ask = store.consume if sync else lambda *terms: _run(store, store.consume_async(*terms))
    assert ask(_id(1), NOW + 65, NOW)
    assert way.left == 0
    assert not ask(_id(1), NOW + 65, NOW)
    store.close()
    way.close()


def test_a_server_without_room_closes_the_door(server: Server, store: RedisReplayStore) -> None:
    assert store.consume(_id(1), NOW + 65, NOW)
    with redis.Redis(port=server.port) as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(ReplayUnavailableError):
            store.consume(_id(2), NOW + 65, NOW)
        client.config_set("maxmemory", "0")
    assert not store.consume(_id(1), NOW + 65, NOW)


@pytest.mark.slow
def test_killed_and_restarted_under_load_no_id_is_used_twice(server: Server) -> None:
    store = RedisReplayStore(server.url, timeout=2)
    found: Counter[int] = Counter()
    refused: Counter[str] = Counter()
    lock, stop = threading.Lock(), threading.Event()

    def work(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            number = rng.randrange(3000)
            try:
                first = store.consume(_id(number), NOW + 6500, NOW)
            except ReplayUnavailableError:
                with lock:
                    refused["unavailable"] += 1
                # A gateway answers 503 and goes on to the next request, which takes it a while.
                stop.wait(0.005)
                continue
            with lock:
                found.update([number] if first else [])

    def torment() -> None:
        try:
            for restarts in range(1, 4):
                _wait_until(lambda want=restarts * 400: sum(found.values()) >= want)
                with lock:
                    before = refused["unavailable"]
                server.kill()
                _wait_until(lambda seen=before: refused["unavailable"] > seen)
                server.start()
            _wait_until(lambda: sum(found.values()) >= 2000)
        finally:
            stop.set()

    tormentor = threading.Thread(target=torment)
    tormentor.start()
    _together(work, range(8))
    tormentor.join()
    assert refused["unavailable"]
    assert len(found) >= 2000
    assert set(found.values()) == {1}
    store.close()


@pytest.mark.parametrize(
    "options", [{"when_unavailable": "ignore"}, {"timeout": 0}, {"timeout": float("nan")}, {"connections": 0}]
)
def test_what_cannot_be_meant(options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        RedisReplayStore("redis://127.0.0.1:1", **options)  # type: ignore[arg-type]


def test_no_password_is_shown() -> None:
    store = RedisReplayStore("redis://:s3cret@127.0.0.1:1/0", timeout=0.5)
    assert repr(store) == "RedisReplayStore(when_unavailable='reject')"
    with pytest.raises(ww.DpopError) as caught:
        store.consume(_id(1), NOW, NOW)
    assert "s3cret" not in str(caught.value)
    store.close()


def test_a_clock_that_steps_back_is_noticed() -> None:
    store = RedisReplayStore("redis://127.0.0.1:1/0", timeout=0.5)
    with pytest.raises(ReplayUnavailableError, match="is unavailable"):
        store.consume(_id(1), NOW + 165, NOW + 100)
    with pytest.raises(ReplayUnavailableError, match="clock is behind"):
        store.consume(_id(2), NOW + 65, NOW)
    with pytest.raises(ReplayUnavailableError, match="clock is behind"):
        _run(store, store.consume_async(_id(2), NOW + 65, NOW))
    with pytest.raises(ReplayUnavailableError, match="is unavailable"):
        store.consume(_id(3), NOW + 165, NOW)
    store.close()


def test_an_id_is_kept_as_long_as_the_longest_verifier_asks(server: Server, store: RedisReplayStore) -> None:
    for max_age in (10, 300):
        DpopVerifier(replay=store, max_age=max_age, leeway=0)
    assert store.consume(_id(1), NOW + 10, NOW)
    client = redis.Redis.from_url(server.url)
    (name,) = client.keys("watchword:dpop:*")
    assert 290_000 < client.pttl(name) <= 300_001
    client.close()


def _wait_until(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _together(work, shares) -> None:  # type: ignore[no-untyped-def]
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
