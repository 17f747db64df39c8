"""Tokens with unknown kids: a rotation, or an attacker with made-up kids."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable

import pytest
from endpoint import ISSUER, Clock, Hang, Key, Server, answer, eventually, jwks

from watchword import ErrorCode, UnknownKeyError
from watchword.jwks import EventKind, KeyEvent
from watchword.jwks.negative import MAX_KEY_IDS, UnknownKeyIds
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)
NEW_TOKEN = B.token(ISSUER)


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


@pytest.fixture
def warm(server: Server, make: Callable[..., Verifier], clock: Clock) -> Callable[..., Verifier]:
    """A verifier that fetched key A a second ago."""

    def warm(**settings) -> Verifier:
        server.routes["/jwks"] = answer(jwks(A))
        verifier = make(**settings)
        verifier.verify(TOKEN)
        clock.move(1)
        return verifier

    return warm


def test_a_new_key_is_fetched_when_a_token_names_it(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(jwks(A, B))
    assert verifier.verify(NEW_TOKEN).key_id == "b"
    assert (server.count(), stats(verifier).negative_size) == (2, 0)


def test_a_key_that_appears_right_after_a_fetch_is_accepted_at_the_first_try(server: Server, warm) -> None:
    """Keycloak makes the key of an algorithm when it is first used."""
    verifier = warm()
    with pytest.raises(UnknownKeyError):
        verifier.verify(A.token(ISSUER, kid="made-up"))
    server.routes["/jwks"] = answer(jwks(A, B))
    assert verifier.verify(NEW_TOKEN).key_id == "b"
    assert server.count() == 3


def test_a_newer_set_without_the_key_does_not_make_it_unknown(server: Server, warm) -> None:
    """Between the look-up and the request the set was replaced."""
    verifier = warm()
    source = verifier._table.entries[ISSUER].source
    seen = source.current()
    server.routes["/jwks"] = answer(jwks(A, Key("c")))
    verifier.refresh()
    server.routes["/jwks"] = answer(jwks(A, B, Key("c")))
    newer = source.request_newer(seen, ("b",)).result()
    assert newer is not None
    assert "b" in newer


def test_when_the_fetches_are_spent_the_answer_is_unknown_key_and_nothing_is_fetched(server: Server, warm) -> None:
    verifier = warm()
    for kid in ("x", "y", "z"):
        with pytest.raises(UnknownKeyError):
            verifier.verify(A.token(ISSUER, kid=kid))
    assert (server.count(), stats(verifier).cooldown_rejections) == (3, 1)


def test_the_cooldown_counts_from_failed_attempts_too(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=500)
    for seconds in (0, 3, 1):  # past the back-off, which is 2 s and then 4 s at most
        clock.move(seconds)
        with pytest.raises(UnknownKeyError):
            verifier.verify(NEW_TOKEN)
    spent = server.count()
    server.routes["/jwks"] = answer(jwks(A, B))
    clock.move(25)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert server.count() == spent == 3
    clock.move(1)
    eventually(lambda: _accepts(verifier, NEW_TOKEN))
    assert server.count() == 4


def _accepts(verifier: Verifier, token: str) -> bool:
    try:
        return bool(verifier.verify(token))
    except UnknownKeyError:
        return False


def test_1000_unknown_kids_cost_two_fetches_and_one_more_with_each_cooldown(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    for round_ in range(3):
        for number in range(1000):
            with pytest.raises(UnknownKeyError):
                verifier.verify(A.token(ISSUER, kid=f"{round_}-{number}"))
        assert server.count() == 3 + round_
        clock.move(30)
    verifier.verify(TOKEN)
    assert stats(verifier).unknown_keys == 3000


def test_a_flood_at_once_makes_two_fetches_and_good_tokens_do_not_wait_for_it(server: Server, warm) -> None:
    verifier = warm(timeout=25)
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    codes: list[ErrorCode] = []

    def send(number: int) -> None:
        try:
            verifier.verify(A.token(ISSUER, kid=str(number)))
        except UnknownKeyError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    server.wait_for(2)
    verifier.verify(TOKEN)
    assert stats(verifier).fetching
    hang.released.set()
    for thread in threads:
        thread.join()
    assert codes == [ErrorCode.UNKNOWN_KEY] * 50
    assert server.count() <= 3


def test_one_kid_that_is_sent_again_and_again_leaves_a_fetch_for_a_new_key(server: Server, warm, clock: Clock) -> None:
    """A client whose key is long gone, and which does not know."""
    verifier = warm(ttl=3600, max_ttl=3600)
    old = A.token(ISSUER, kid="long gone")
    for _ in range(5):
        for _ in range(10):
            with pytest.raises(UnknownKeyError):
                verifier.verify(old)
        clock.move(30)
    assert (server.count(), stats(verifier).negative_hits) == (1 + 5, 45)
    with pytest.raises(UnknownKeyError):
        verifier.verify(old)
    server.routes["/jwks"] = answer(jwks(A, B))
    verifier.verify(NEW_TOKEN)


def test_a_guessed_kid_does_not_keep_the_real_key_out_beyond_the_cooldown(server: Server, warm, clock: Clock) -> None:
    """An attacker sends a kid just before the issuer publishes that key."""
    verifier = warm(ttl=3600, max_ttl=3600)
    header, claims, _ = NEW_TOKEN.split(".")
    with pytest.raises(UnknownKeyError):
        verifier.verify(f"{header}.{claims}.{'A' * 86}")
    assert stats(verifier).negative_size == 1
    server.routes["/jwks"] = answer(jwks(A, B))
    clock.move(30)
    assert stats(verifier).negative_size == 0
    assert verifier.verify(NEW_TOKEN).key_id == "b"


def test_a_kid_is_worth_a_fetch_in_every_cooldown(server: Server, warm, clock: Clock) -> None:
    verifier = warm(ttl=3600, max_ttl=3600)
    for number in range(10):
        with pytest.raises(UnknownKeyError):
            verifier.verify(NEW_TOKEN)
        assert server.count() == 2 + number
        clock.move(30)


def test_a_key_that_appears_later_works_as_soon_as_the_set_brings_it(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 1
    server.routes["/jwks"] = answer(jwks(A, B))
    verifier.refresh()
    verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 0


def test_a_kid_is_not_cached_as_unknown_if_the_fetch_failed(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 0


def test_a_fetch_begun_before_the_kid_was_seen_does_not_make_it_unknown(server: Server, warm, clock: Clock) -> None:
    """The key may have been published in between: it gets a fetch of its own, for which its caller keeps waiting."""
    verifier = warm()
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    clock.move(240)
    verifier.verify(TOKEN)  # begins the refresh that is due
    server.wait_for(2)
    accepted: list[str | None] = []
    thread = threading.Thread(target=lambda: accepted.append(verifier.verify(NEW_TOKEN).key_id))
    thread.start()
    eventually(lambda: stats(verifier).waits == 2)
    server.routes["/jwks"] = answer(jwks(A, B))
    hang.released.set()
    thread.join()
    assert (accepted, server.count(), stats(verifier).negative_size) == (["b"], 3, 0)


def test_a_fetch_begun_after_the_kid_was_seen_makes_it_unknown(server: Server, warm) -> None:
    """Whoever shares the second fetch needs no third."""
    verifier = warm()
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    threads = [
        threading.Thread(target=lambda number=number: _accepts(verifier, A.token(ISSUER, kid=str(number))))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: stats(verifier).waits == 1 + 4)
    hang.released.set()
    for thread in threads:
        thread.join()
    assert server.count() == 3
    # Each of them was answered by a fetch that began after it came.
    assert stats(verifier).negative_size == 4


def test_unknown_kids_wait_no_longer_than_the_grace_while_the_endpoint_is_in_trouble(
    server: Server, warm, clock: Clock
) -> None:
    verifier = warm(timeout=25)
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    server.routes["/jwks"] = Hang()
    clock.move(60)
    for number in range(5):
        with pytest.raises(UnknownKeyError):
            verifier.verify(A.token(ISSUER, kid=str(number)))
    assert stats(verifier).fetching
    assert server.count() == 3


def test_tokens_and_keys_without_kid(server: Server, warm, clock: Clock) -> None:
    """A token without kid tries every key of its algorithm; one whose algorithm no key has is of an unknown key."""
    verifier = warm(ttl=3600, max_ttl=3600)
    assert verifier.verify(A.token(ISSUER, kid=None)).key_id == "a"
    header = '{"alg":"RS256"}'
    from endpoint import b64

    token = f"{b64(header.encode())}.{TOKEN.split('.')[1]}.{b64(b'x' * 256)}"
    for _ in range(3):
        with pytest.raises(UnknownKeyError):
            verifier.verify(token)
        clock.move(31)
    assert (server.count(), stats(verifier).negative_size) == (4, 0)
    with pytest.raises(UnknownKeyError):
        verifier.verify(token)
    assert stats(verifier).negative_size == 1
    server.routes["/jwks"] = answer(jwks(Key(None)))
    verifier.refresh()
    assert stats(verifier).negative_size == 0


def test_good_keys_are_never_evicted_by_unknown_kids(server: Server, make, clock: Clock) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    verifier.verify(TOKEN)
    for number in range(50):
        with pytest.raises(UnknownKeyError):
            verifier.verify(A.token(ISSUER, kid=str(number)))
    verifier.verify(TOKEN)
    assert (stats(verifier).negative_size, stats(verifier).keys) == (2, 1)


def test_the_negative_cache_of_a_batch_is_bounded(server: Server, warm) -> None:
    verifier = warm()
    codes = verifier.verify_many([A.token(ISSUER, kid=str(number)) for number in range(MAX_KEY_IDS + 100)]).codes()
    assert set(codes) == {ErrorCode.UNKNOWN_KEY}
    assert (server.count(), stats(verifier).negative_size) == (2, MAX_KEY_IDS)


def test_an_unknown_kid_cannot_forge_a_log_line(server: Server, warm, events: list[KeyEvent]) -> None:
    verifier = warm()
    kid = "x\n2026-01-01 all is well\x1b[2J" + "y" * 500
    with pytest.raises(UnknownKeyError):
        verifier.verify(A.token(ISSUER, kid=kid))
    (event,) = [event for event in events if event.kind is EventKind.UNKNOWN_KEY]
    assert event.key_id is not None
    assert event.key_id.startswith("x\\n2026-01-01 all is well\\x1b[2Jy")
    assert len(event.key_id) < 100


class TestNegativeCache:
    def test_is_bounded_whatever_is_sent(self) -> None:
        unknown = UnknownKeyIds(300)
        for number in range(20_000):
            unknown.add(f"{number}" * random.choice([1, 100]), 0.0)
        assert unknown.count(0.0) == MAX_KEY_IDS
        assert unknown.contains("19999", 0.0) or unknown.contains("19999" * 100, 0.0)
        assert sum(sys.getsizeof(digest) for digest in unknown._until) < MAX_KEY_IDS * 64

    def test_forgets_after_the_cooldown(self) -> None:
        unknown = UnknownKeyIds(30)
        unknown.add("a", 5.0)
        assert unknown.contains("a", 34.9)
        assert not unknown.contains("a", 35.0)
        assert unknown.count(34.9) == 0  # it was removed at the look-up

    def test_the_later_answer_sets_the_lifetime(self) -> None:
        unknown = UnknownKeyIds(30)
        unknown.add("a", 5.0)
        unknown.add("a", 1.0)
        assert unknown.contains("a", 34.9)

    def test_forgets_the_oldest_first(self) -> None:
        unknown = UnknownKeyIds(30)
        for number in range(MAX_KEY_IDS):
            unknown.add(str(number), 0.0)
        unknown.add("0", 0.0)
        unknown.add("one more", 0.0)
        assert [unknown.contains(key_id, 0.0) for key_id in ("0", "1", "2")] == [True, False, True]

    def test_tells_no_kid_from_an_empty_one(self) -> None:
        unknown = UnknownKeyIds(30)
        unknown.add(None, 0.0)
        assert unknown.contains(None, 0.0)
        assert not unknown.contains("", 0.0)
        unknown.clear()
        assert not unknown.contains(None, 0.0)

    def test_is_not_there_without_a_cooldown(self) -> None:
        unknown = UnknownKeyIds(0)
        unknown.add("a", 0.0)
        assert not unknown.contains("a", 0.0)
