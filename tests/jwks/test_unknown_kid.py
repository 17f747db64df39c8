"""Tokens that name keys nobody has: a rotation, or somebody who sends made-up kids."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable

import pytest
from endpoint import ISSUER, Clock, Hang, Key, Server, answer, eventually, jwks

from watchword import ErrorCode, UnknownKeyError
from watchword.jwks import EventKind, KeyEvent
from watchword.jwks.negative import UnknownKeyIds
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)
NEW_TOKEN = B.token(ISSUER)


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


@pytest.fixture
def warm(server: Server, make: Callable[..., Verifier], clock: Clock) -> Callable[..., Verifier]:
    """A verifier that has held key A for longer than the cooldown."""

    def warm(**settings) -> Verifier:
        server.routes["/jwks"] = answer(jwks(A))
        verifier = make(**settings)
        verifier.verify(TOKEN)
        clock.move(31)
        return verifier

    return warm


def test_a_new_key_is_fetched_when_a_token_names_it(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(jwks(A, B))
    assert verifier.verify(NEW_TOKEN).key_id == "b"
    assert (server.count(), stats(verifier).negative_size) == (2, 0)


def test_within_the_cooldown_the_answer_is_unknown_key_and_nothing_is_fetched(server: Server, make) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert (server.count(), stats(verifier).cooldown_refusals) == (1, 1)


def test_the_cooldown_counts_from_failed_attempts_too(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    server.routes["/jwks"] = answer(jwks(A, B))
    clock.move(29)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert server.count() == 2
    clock.move(1)
    eventually(lambda: _accepts(verifier, NEW_TOKEN))
    assert server.count() == 3


def _accepts(verifier: Verifier, token: str) -> bool:
    try:
        return bool(verifier.verify(token))
    except UnknownKeyError:
        return False


def test_1000_unknown_kids_make_one_fetch_a_cooldown(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    for round_ in range(3):
        for number in range(1000):
            with pytest.raises(UnknownKeyError):
                verifier.verify(A.token(ISSUER, kid=f"{round_}-{number}"))
        assert server.count() == 2 + round_
        clock.move(30)
    verifier.verify(TOKEN)
    assert stats(verifier).unknown_keys == 3000


def test_a_flood_at_once_makes_one_fetch_and_good_tokens_do_not_wait_for_it(server: Server, warm) -> None:
    verifier = warm()
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
    began = time.monotonic()
    verifier.verify(TOKEN)
    assert time.monotonic() - began < 2
    hang.released.set()
    for thread in threads:
        thread.join()
    assert codes == [ErrorCode.UNKNOWN_KEY] * 50
    assert server.count() == 2


def test_a_known_unknown_kid_costs_no_fetch_even_after_the_cooldown(server: Server, warm, clock: Clock) -> None:
    verifier = warm(ttl=3600, max_ttl=3600)
    for _ in range(4):
        with pytest.raises(UnknownKeyError):
            verifier.verify(NEW_TOKEN)
        clock.move(31)
    assert (server.count(), stats(verifier).negative_hits, stats(verifier).negative_size) == (2, 3, 1)
    clock.move(120)  # after which it may ask again
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert server.count() == 3


def test_a_key_that_appears_later_works_as_soon_as_the_set_brings_it(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 1
    server.routes["/jwks"] = answer(jwks(A, B))
    verifier.refresh()
    verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 0


def test_a_kid_is_not_remembered_as_unknown_where_the_endpoint_could_not_be_asked(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    assert stats(verifier).negative_size == 0


def test_an_answer_that_was_asked_for_before_the_kid_was_seen_says_nothing_about_it(
    server: Server, warm, clock: Clock
) -> None:
    """The key may have been published in between, so the kid is not remembered as unknown."""
    verifier = warm()
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    clock.move(210)
    verifier.verify(TOKEN)  # begins the refresh that is due
    server.wait_for(2)
    codes: list[ErrorCode] = []

    def send() -> None:
        with pytest.raises(UnknownKeyError) as caught:
            verifier.verify(NEW_TOKEN)
        codes.append(caught.value.code)

    thread = threading.Thread(target=send)
    thread.start()
    eventually(lambda: stats(verifier).waits == 2)
    server.routes["/jwks"] = answer(jwks(A, B))
    hang.released.set()
    thread.join()
    assert (codes, stats(verifier).negative_size) == ([ErrorCode.UNKNOWN_KEY], 0)
    clock.move(30)
    verifier.verify(NEW_TOKEN)


def test_unknown_kids_wait_no_longer_than_the_grace_while_the_endpoint_is_in_trouble(
    server: Server, warm, clock: Clock
) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(UnknownKeyError):
        verifier.verify(NEW_TOKEN)
    server.routes["/jwks"] = Hang()
    clock.move(61)
    began = time.monotonic()
    for number in range(5):
        with pytest.raises(UnknownKeyError):
            verifier.verify(A.token(ISSUER, kid=str(number)))
    assert time.monotonic() - began < 3
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
    assert (server.count(), stats(verifier).negative_size) == (2, 1)
    server.routes["/jwks"] = answer(jwks(Key(None)))
    verifier.refresh()
    assert stats(verifier).negative_size == 0


def test_good_keys_are_never_put_out(server: Server, make, clock: Clock) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make(negative_size=10, cooldown=0)
    verifier.verify(TOKEN)
    for number in range(50):
        with pytest.raises(UnknownKeyError):
            verifier.verify(A.token(ISSUER, kid=str(number)))
    verifier.verify(TOKEN)
    assert (stats(verifier).negative_size, stats(verifier).keys) == (10, 1)


def test_what_is_told_of_an_unknown_kid_can_not_forge_a_log_line(server: Server, warm, events: list[KeyEvent]) -> None:
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
        unknown = UnknownKeyIds(1024, 300)
        for number in range(20_000):
            unknown.add(f"{number}" * random.choice([1, 100]), 0.0)
        assert len(unknown) == 1024
        assert unknown.holds("19999", 0.0) or unknown.holds("19999" * 100, 0.0)
        assert sum(sys.getsizeof(digest) for digest in unknown._until) < 1024 * 64

    def test_forgets_after_its_time(self) -> None:
        unknown = UnknownKeyIds(2, 300)
        unknown.add("a", 0.0)
        assert unknown.holds("a", 299.9)
        assert not unknown.holds("a", 300.0)
        assert len(unknown) == 0

    def test_forgets_the_oldest_first(self) -> None:
        unknown = UnknownKeyIds(2, 300)
        for key_id in ("a", "b", "a", "c"):
            unknown.add(key_id, 0.0)
        assert [unknown.holds(key_id, 0.0) for key_id in "abc"] == [True, False, True]

    def test_tells_no_kid_from_an_empty_one(self) -> None:
        unknown = UnknownKeyIds(10, 300)
        unknown.add(None, 0.0)
        assert unknown.holds(None, 0.0)
        assert not unknown.holds("", 0.0)
        unknown.clear()
        assert not unknown.holds(None, 0.0)

    @pytest.mark.parametrize(("size", "ttl"), [(0, 300), (10, 0)])
    def test_may_be_switched_off(self, size: int, ttl: float) -> None:
        unknown = UnknownKeyIds(size, ttl)
        unknown.add("a", 0.0)
        assert not unknown.holds("a", 0.0)
