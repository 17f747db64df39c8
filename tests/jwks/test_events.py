"""What is reported to an operator: every event, every counter, and no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from endpoint import ISSUER, Clock, Key, Server, answer, eventually, jwks

from watchword import KeysUnavailableError, UnknownKeyError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, EventKind, KeyEvent
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


# Waiters are woken before events are reported, so that no callback delays them; hence ``eventually``.


def kinds(events: list[KeyEvent]) -> list[EventKind]:
    return [event.kind for event in events]


def test_the_life_of_a_set(server: Server, make: Callable[..., Verifier], clock: Clock, events: list[KeyEvent]) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    verifier.verify(TOKEN)
    eventually(lambda: kinds(events) == [EventKind.FETCH_STARTED, EventKind.FETCH_SUCCEEDED, EventKind.SET_CHANGED])
    assert (events[2].added, events[2].removed, events[2].url) == (("a",), (), f"{server.url}/jwks")

    events.clear()
    verifier.refresh()  # the same bytes again
    eventually(lambda: kinds(events) == [EventKind.FETCH_STARTED, EventKind.FETCH_SUCCEEDED])
    assert stats(verifier).not_modified == 1

    events.clear()
    renewed = Key("a")  # another key under the same kid
    server.routes["/jwks"] = answer(jwks(renewed, B))
    verifier.refresh()
    eventually(lambda: len(events) == 3)
    assert (events[-1].kind, events[-1].added, events[-1].removed) == (EventKind.SET_CHANGED, ("a", "b"), ("a",))

    events.clear()
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(KeysUnavailableError):
        verifier.refresh()
    eventually(lambda: kinds(events) == [EventKind.FETCH_STARTED, EventKind.FETCH_FAILED])
    assert "500" in events[-1].detail

    events.clear()
    clock.move(400)
    for _ in range(3):
        verifier.verify(renewed.token(ISSUER))
        eventually(lambda: not stats(verifier).fetching)
    assert kinds(events).count(EventKind.STALE_SET_USED) == 1
    assert stats(verifier).stale_uses == 3
    assert {event.issuer for event in events} == {ISSUER}

    found = stats(verifier)
    assert (found.set_changes, found.keys, found.rejected_keys, found.age) == (2, 2, 0, 400.0)
    assert found.failures >= 2
    assert found.failures == found.consecutive_failures
    assert found.fetches == server.count() == 3 + found.failures


def test_an_unknown_kid_tells_what_is_done_about_it(server: Server, make, events: list[KeyEvent]) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    verifier.verify(TOKEN)
    eventually(lambda: len(events) == 3)
    events.clear()
    for kid in ("b", "b", "c", "d"):
        with pytest.raises(UnknownKeyError):
            verifier.verify(B.token(ISSUER, kid=kid))
    reported = [(event.key_id, event.detail) for event in events if event.kind is EventKind.UNKNOWN_KEY]
    assert reported == [
        ("b", "a fetch has begun"),
        ("b", "no fetch: the endpoint did not know it within the cooldown"),
        ("c", "a fetch has begun"),
        ("d", "no fetch: within the cooldown or the back-off"),
    ]


def test_a_callback_that_raises_breaks_nothing_and_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.routes["/jwks"] = answer(jwks(A))

    def broken(event: KeyEvent) -> None:
        raise RuntimeError("the callback is broken")

    issuer = Issuer(ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)
    with caplog.at_level(logging.ERROR, "watchword"), Verifier([issuer], on_event=broken) as verifier:
        assert verifier.verify(TOKEN).key_id == "a"
        # The events that follow an answer are reported after the waiters are woken.
        eventually(lambda: "on_event raised for set_changed" in caplog.text)
    assert TOKEN not in caplog.text


def test_a_callback_may_ask_the_verifier(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    seen: list[int] = []
    verifiers: list[Verifier] = []

    def listen(event: KeyEvent) -> None:
        seen.append(verifiers[0].stats()[ISSUER].fetches)

    issuer = Issuer(ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)
    with Verifier([issuer], on_event=listen) as verifier:
        verifiers.append(verifier)
        verifier.verify(TOKEN)
        eventually(lambda: len(seen) == 3)
    assert seen == [1, 1, 1]


def test_a_slow_callback_does_not_delay_tokens_with_known_keys(server: Server) -> None:
    import threading

    server.routes["/jwks"] = answer(jwks(A))
    release = threading.Event()
    ended: list[KeyEvent] = []
    issuer = Issuer(ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)

    def slow(event: KeyEvent) -> None:
        if event.kind is EventKind.SET_CHANGED:
            release.wait(30)
            ended.append(event)

    with Verifier([issuer], on_event=slow) as verifier:
        for _ in range(10):
            verifier.verify(TOKEN)
        assert ended == []
        release.set()


def test_no_token_and_no_secret_is_reported(server: Server, make, clock: Clock, events: list[KeyEvent]) -> None:
    uri = f"{server.url}/jwks?code=SECRET"
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make(
        issuer=Issuer(ISSUER, jwks_uri=uri, allow_loopback_http=True, cache_settings=CacheSettings(cooldown=0))
    )
    verifier.verify(TOKEN)
    with pytest.raises(UnknownKeyError):
        verifier.verify(B.token(ISSUER))
    server.routes["/jwks"] = answer(status=500)
    with pytest.raises(KeysUnavailableError) as caught:
        verifier.refresh()
    reported = repr(events) + str(caught.value) + repr(caught.value) + repr(verifier) + repr(verifier.stats())
    assert server.requests[0].path == "/jwks?code=SECRET"
    for secret in ("SECRET", A.jwk["x"], TOKEN.split(".")[1], TOKEN.split(".")[2]):
        assert secret not in reported
