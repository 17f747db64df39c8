"""A proof is used once: the replay cache is exact, bounded, and rejects proofs when it is full."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import threading
from collections import Counter
from collections.abc import Iterable

import mint
import proofs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import METHOD, NOW, URI, claims, proof

import watchword as ww
from watchword.dpop import (
    DpopVerifier,
    MemoryReplayStore,
    ReplayedProofError,
    ReplayUnavailableError,
    TooManyProofsError,
)


def _id(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def _verify(verifier: DpopVerifier, text: str, **changes: object) -> ww.DpopProof:
    return verifier.verify(text, **{"method": METHOD, "uri": URI, "now": NOW, **changes})  # type: ignore[arg-type]


def test_a_proof_is_accepted_once() -> None:
    verifier = DpopVerifier()
    _verify(verifier, proof())
    with pytest.raises(ReplayedProofError):
        _verify(verifier, proof())
    _verify(verifier, proof(claims(jti="proof-2")))


def test_the_same_id_of_another_key_is_another_proof() -> None:
    verifier = DpopVerifier()
    _verify(verifier, proof())
    _verify(verifier, proof(key="ed25519", algorithm="EdDSA"))


def test_the_same_id_is_used_up_for_every_request() -> None:
    verifier = DpopVerifier()
    _verify(verifier, proof())
    other = proof(claims(htm="GET", htu="https://api.example/other", iat=NOW + 1))
    with pytest.raises(ReplayedProofError):
        _verify(verifier, other, method="GET", uri="https://api.example/other")


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "GET"},
        {"uri": "https://api.example/other"},
        {"now": NOW + 61},
        {"now": NOW - 6},
        {"access_token": "another"},
        {"expected_jkt": "another"},
    ],
)
def test_a_bad_proof_uses_nothing_up(wrong: dict[str, object]) -> None:
    verifier = DpopVerifier()
    with pytest.raises(ww.DpopError):
        _verify(verifier, proof(), **wrong)
    _verify(verifier, proof())


def test_verify_proof_takes_a_store() -> None:
    store = MemoryReplayStore()
    assert proofs.code_of(proof(), replay=store, method="GET") == "dpop_wrong_method"
    assert len(store) == 0
    assert [proofs.code_of(proof(), replay=store) for _ in range(3)] == [None, "dpop_replayed", "dpop_replayed"]


def test_without_a_replay_store_a_proof_can_be_reused() -> None:
    verifier = DpopVerifier(replay=None)
    assert [_verify(verifier, proof()).token_id for _ in range(2)] == ["proof-1", "proof-1"]


def test_an_id_is_kept_while_the_proof_is_valid() -> None:
    store = MemoryReplayStore()
    verifier = DpopVerifier(replay=store, max_age=60, leeway=5)
    ahead = proof(claims(iat=NOW + 5))
    _verify(verifier, ahead)
    for later in (0, 5, 64.9, 65):
        with pytest.raises(ReplayedProofError):
            _verify(verifier, ahead, now=NOW + later)
    with pytest.raises(ww.dpop.ProofExpiredError):
        _verify(verifier, ahead, now=NOW + 65.1)
    # Once it has expired for every clock, there is room for others.
    _verify(verifier, proof(claims(jti="later", iat=NOW + 100)), now=NOW + 100)
    store.consume(_id(0), NOW + 200, NOW + 100)
    assert len(store) <= 3


def test_a_full_replay_cache_rejects_and_forgets_nothing() -> None:
    store = MemoryReplayStore(capacity=3)
    for number in range(3):
        assert store.consume(_id(number), NOW + 10, NOW)
    with pytest.raises(ReplayUnavailableError) as caught:
        store.consume(_id(3), NOW + 10, NOW)
    assert (caught.value.http_status, caught.value.www_authenticate()) == (503, None)
    assert [store.consume(_id(number), NOW + 10, NOW) for number in range(3)] == [False] * 3
    # It has room again when they have expired, and the one that was rejected was not used up.
    assert store.consume(_id(3), NOW + 30, NOW + 12)
    assert len(store) == 1


def test_a_flood_never_passes_the_bound() -> None:
    store = MemoryReplayStore(capacity=1000)
    rejected = 0

    def flood(start: int) -> int:
        count = 0
        for number in range(start, start + 2000):
            try:
                assert store.consume(_id(number), NOW + 60, NOW)
            except ReplayUnavailableError:
                count += 1
            assert len(store) <= 1000
        return count

    rejected = sum(_in_threads(flood, [2000 * thread for thread in range(8)]))
    assert (rejected, len(store)) == (15_000, 1000)


def test_exactly_one_of_each_of_100_000_concurrent_uses() -> None:
    store = MemoryReplayStore()
    rng = random.Random(9449)
    # 40,000 ids, each at least once, shuffled among as many threads as a gateway may have.
    numbers = [*range(40_000), *(rng.randrange(40_000) for _ in range(60_000))]
    rng.shuffle(numbers)
    shares = [numbers[thread::16] for thread in range(16)]
    ids = {number: _id(number) for number in set(numbers)}
    firsts = Counter(
        number
        for share in _in_threads(lambda share: [n for n in share if store.consume(ids[n], NOW + 65, NOW)], shares)
        for number in share
    )
    assert set(firsts) == set(range(40_000))
    assert set(firsts.values()) == {1}


@pytest.mark.slow
def test_exactly_one_of_each_of_100_000_concurrent_proofs() -> None:
    prover = ww.dpop.DpopProver("EdDSA", clock=lambda: NOW)
    made = [prover.proof(METHOD, URI) for _ in range(10_000)]
    verifier = DpopVerifier(clock=lambda: NOW)
    shares = []
    for thread in range(10):
        share = made.copy()
        random.Random(thread).shuffle(share)
        shares.append(share)

    def accepted(share: list[str]) -> list[str]:
        found = []
        for text in share:
            try:
                verifier.verify(text, method=METHOD, uri=URI)
            except ReplayedProofError:
                continue
            found.append(text)
        return found

    firsts = Counter(text for share in _in_threads(accepted, shares) for text in share)
    assert set(firsts) == set(made)
    assert set(firsts.values()) == {1}


class _Model:
    """The plain meaning: a dictionary, without a bound."""

    def __init__(self) -> None:
        self.until: dict[int, float] = {}

    def consume(self, number: int, expires_at: float, now: float) -> bool:
        if self.until.get(number, now - 1) >= now:
            return False
        self.until[number] = expires_at
        return True


uses = st.lists(st.tuples(st.integers(0, 20), st.floats(0, 30), st.floats(0, 10)), max_size=60)


@given(uses)
def test_it_answers_as_a_dictionary_does(several: Iterable[tuple[int, float, float]]) -> None:
    store, model, now = MemoryReplayStore(), _Model(), float(NOW)
    for number, lifetime, step in several:
        now += step
        assert store.consume(_id(number), now + lifetime, now) == model.consume(number, now + lifetime, now)
        assert len(store) >= sum(until >= now for until in model.until.values())


def test_a_clock_that_steps_back_lets_nothing_through_twice() -> None:
    store = MemoryReplayStore()
    assert store.consume(_id(1), NOW + 60, NOW)
    assert not store.consume(_id(1), NOW + 60, NOW - 1000)
    assert not store.consume(_id(1), NOW + 60, NOW)


def test_no_time_that_a_caller_gives_lets_a_used_proof_in_again() -> None:
    """A clock that steps back, or a per-call ``now``: what was forgotten at a later time stays rejected."""
    verifier = DpopVerifier()
    _verify(verifier, proof())
    # So many that every part of the cache has had something to do at the later time, and has forgotten the first.
    for number in range(200):
        assert verifier.replay is not None
        verifier.replay.consume(_id(number), NOW + 1000, NOW + 900)  # type: ignore[union-attr]  # it is no async one
    for now in (NOW, NOW + 60, NOW - 5):
        with pytest.raises(ww.DpopError) as caught:
            _verify(verifier, proof(), now=now)
        assert caught.value.code.value in ("dpop_replayed", "dpop_replay_unavailable")
    # An unused one cannot be distinguished from it, and the clock is at fault.
    with pytest.raises(ReplayUnavailableError, match="clock is behind") as rejected:
        _verify(verifier, proof(claims(jti="never used")), now=NOW)
    assert rejected.value.http_status == 503
    _verify(verifier, proof(claims(jti="fresh", iat=NOW + 900)), now=NOW + 900)


times = st.lists(st.tuples(st.integers(0, 5), st.floats(-200, 200), st.sampled_from([15.0, 65.0, 305.0])), max_size=40)


@given(times)
def test_no_proof_is_used_twice_at_any_time_and_lifetime(several: Iterable[tuple[int, float, float]]) -> None:
    """Proofs made at ``NOW``, used at any time at which some verifier accepts them."""
    store = MemoryReplayStore()
    used: Counter[int] = Counter()
    for number, moment, lifetime in several:
        store.retain_for(lifetime)
        if moment > lifetime:
            # Too old for this one, who uses others.
            with contextlib.suppress(ReplayUnavailableError):
                store.consume(_id(1000 + number), NOW + moment + lifetime, NOW + moment)
            continue
        with contextlib.suppress(ReplayUnavailableError):
            used[number] += store.consume(_id(number), NOW + lifetime, NOW + moment)
    assert all(count <= 1 for count in used.values())


@pytest.mark.parametrize("long_first", [True, False])
def test_verifiers_of_different_ages_keep_a_proof_as_long_as_the_longer_wants_it(long_first: bool) -> None:
    store = MemoryReplayStore()
    ages = (300, 10) if long_first else (10, 300)
    verifiers = {age: DpopVerifier(replay=store, max_age=age, leeway=0) for age in ages}
    _verify(verifiers[10], proof())
    for number in range(200):
        store.consume(_id(number), NOW + 110, NOW + 100)
    with pytest.raises(ReplayedProofError):
        _verify(verifiers[300], proof(), now=NOW + 100)
    # Nobody else's proof of that age is rejected for it.
    _verify(verifiers[300], proof(claims(jti="another")), now=NOW + 100)


def test_a_longer_age_that_comes_later_lets_no_forgotten_proof_in() -> None:
    store = MemoryReplayStore()
    assert proofs.code_of(proof(), replay=store, max_age=10, leeway=0) is None
    for number in range(200):
        store.consume(_id(number), NOW + 110, NOW + 100)
    late = {"now": NOW + 100, "max_age": 300, "leeway": 0}
    assert proofs.code_of(proof(), replay=store, **late) == "dpop_replay_unavailable"
    with pytest.raises(ReplayUnavailableError):
        _verify(DpopVerifier(replay=store, max_age=300), proof(), now=NOW + 100)
    # From now on it is known how long to keep them.
    assert proofs.code_of(proof(claims(iat=NOW + 95)), replay=store, **late) is None
    assert proofs.code_of(proof(claims(iat=NOW + 95)), replay=store, **{**late, "now": NOW + 390}) == "dpop_replayed"


def test_a_store_of_ones_own_need_not_ask_for_how_long() -> None:
    verifier = DpopVerifier(replay=_OnlySync(), max_age=300)
    _verify(verifier, proof())
    assert proofs.code_of(proof(), replay=_OnlySync()) is None


def test_one_key_takes_no_more_than_its_share() -> None:
    """Otherwise the holder of one token could have everybody else rejected."""
    store = MemoryReplayStore(capacity=80)
    verifier = DpopVerifier(replay=store)
    assert store.capacity_per_key == 10

    def of_the_greedy(number: int, now: float = NOW) -> str:
        return proof(claims(jti=str(number), iat=now), key="ed25519", algorithm="EdDSA")

    for number in range(10):
        _verify(verifier, of_the_greedy(number))
    for number in range(10, 110):
        with pytest.raises(TooManyProofsError) as caught:
            _verify(verifier, of_the_greedy(number))
    assert (caught.value.http_status, caught.value.www_authenticate()) == (429, None)
    assert len(store) == 10
    # Seven others of its kind have room, and the eighth finds the cache full.
    for _ in range(7):
        other = ww.dpop.DpopProver("EdDSA", clock=lambda: NOW)
        for _ in range(10):
            _verify(verifier, other.proof(METHOD, URI))
    with pytest.raises(ReplayUnavailableError):
        _verify(verifier, proof())
    # It is freed as proofs expire.
    _verify(verifier, of_the_greedy(110, NOW + 70), now=NOW + 70)


def test_a_share_may_be_the_whole() -> None:
    assert MemoryReplayStore(3).capacity_per_key == 1
    assert MemoryReplayStore().capacity_per_key == 125_000
    assert MemoryReplayStore(10, share_per_key=1).capacity_per_key == 10


@pytest.mark.parametrize("share", [0, -1, 1.01, float("nan"), 10])
def test_a_share_is_a_fraction(share: float) -> None:
    with pytest.raises(ValueError, match="share_per_key"):
        MemoryReplayStore(share_per_key=share)


def test_an_id_names_its_key_first() -> None:
    def replay_id(jti: str, key: str, algorithm: str) -> bytes:
        text = proof(claims(jti=jti), key=key, algorithm=algorithm)
        return ww.dpop.verify_proof(text, method=METHOD, uri=URI, now=NOW).replay_id

    one, other = (replay_id(jti, "p256", "ES256") for jti in ("1", "2"))
    assert one[:16] == other[:16] == mint.unb64(proofs.jkt())[:16]
    assert one[16:] != other[16:]
    foreign = replay_id("1", "ed25519", "EdDSA")
    assert foreign[:16] != one[:16]
    assert foreign[16:] != one[16:]


@pytest.mark.parametrize("capacity", [0, -1])
def test_the_replay_cache_has_a_capacity(capacity: int) -> None:
    with pytest.raises(ValueError):
        MemoryReplayStore(capacity)


def test_ids_and_moments_are_checked() -> None:
    store = MemoryReplayStore()
    with pytest.raises(ValueError, match="32"):
        store.consume(b"short", NOW, NOW)
    with pytest.raises(ValueError):
        store.consume(_id(1), float("nan"), NOW)


class _OnlySync:
    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.threads: set[int] = set()

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        self.threads.add(threading.get_ident())
        first = replay_id not in self.seen
        self.seen.add(replay_id)
        return first


class _OnlyAsync:
    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        await asyncio.sleep(0)
        first = replay_id not in self.seen
        self.seen.add(replay_id)
        return first


async def _twice(verifier: DpopVerifier) -> list[str | None]:
    codes: list[str | None] = []
    for _ in range(2):
        try:
            await verifier.verify_async(proof(), method=METHOD, uri=URI, now=NOW)
            codes.append(None)
        except ww.DpopError as error:
            codes.append(error.code.value)
    return codes


def test_event_loops() -> None:
    store = _OnlySync()
    for verifier in (DpopVerifier(), DpopVerifier(replay=_OnlyAsync()), DpopVerifier(replay=store)):
        assert asyncio.run(_twice(verifier)) == [None, "dpop_replayed"]
    # A store that may block is called in another thread.
    assert threading.get_ident() not in store.threads
    assert asyncio.run(_twice(DpopVerifier(replay=None))) == [None, None]


def test_a_store_for_event_loops_cannot_be_asked_without_one() -> None:
    with pytest.raises(TypeError, match="_async"):
        _verify(DpopVerifier(replay=_OnlyAsync()), proof())


@pytest.mark.parametrize("mistake", [{"replay": object()}, {"nonces": "nonce"}])
def test_a_verifier_of_something_else(mistake: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        DpopVerifier(**mistake)  # type: ignore[arg-type]


def _in_threads(work, shares):  # type: ignore[no-untyped-def]
    results = [None] * len(shares)
    start = threading.Barrier(len(shares))

    def run(index: int) -> None:
        start.wait()
        results[index] = work(shares[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(shares))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
