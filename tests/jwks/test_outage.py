"""The endpoint hangs, fails, returns invalid responses, recovers: the verdict on tokens with known keys meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from endpoint import ISSUER, Clock, Hang, Key, Server, answer, eventually, jwks, raw, reset

from watchword import KeysUnavailableError, UnknownKeyError
from watchword.jwks import EventKind, KeyEvent
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


@pytest.fixture
def warm(server: Server, make: Callable[..., Verifier]) -> Callable[..., Verifier]:
    """A verifier with key A."""

    def warm(**settings) -> Verifier:
        server.routes["/jwks"] = answer(jwks(A))
        verifier = make(**settings)
        verifier.verify(TOKEN)
        return verifier

    return warm


def test_keys_are_fetched_when_first_needed_and_once(server: Server, make: Callable[..., Verifier]) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    assert server.count() == 0
    for _ in range(3):
        assert verifier.verify(TOKEN).key_id == "a"
    assert server.count() == 1


def test_a_known_key_verifies_at_once_while_the_endpoint_hangs(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    server.routes["/jwks"] = Hang()
    for moment in (250, 40, 20, 3000):  # due for refresh; still; past its time; long past its time
        clock.move(moment)
        for _ in range(5):
            verifier.verify(TOKEN)
    server.wait_for(2)
    assert stats(verifier).waits == 1  # for the first set


def test_expires_in_counts_down_to_the_moment_from_which_tokens_are_rejected(
    server: Server, warm, make, clock: Clock
) -> None:
    cold = make()
    assert stats(cold).expires_in is None
    verifier = warm(ttl=300, max_stale=3600)
    assert stats(verifier).expires_in == 3900
    server.routes["/jwks"] = answer(status=500)
    clock.move(3899)
    eventually(lambda: not stats(verifier).fetching)
    assert stats(verifier).expires_in == 1
    assert verifier.verify(TOKEN).key_id == "a"
    clock.move(1)
    assert stats(verifier).expires_in == 0
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    clock.move(100)
    assert stats(verifier).expires_in == 0
    server.routes["/jwks"] = answer(jwks(A))
    verifier.refresh()
    assert stats(verifier).expires_in == 3900


def test_only_the_first_caller_after_a_long_sleep_waits_for_the_grace(server: Server, warm, clock: Clock) -> None:
    """Nobody has tried to renew the set when its time ran out, so the endpoint may well be there."""
    verifier = warm(grace=1.0, min_ttl=30)
    server.routes["/jwks"] = Hang()
    clock.move(400)
    before = stats(verifier).waits
    for _ in range(2):
        verifier.verify(TOKEN)
        assert stats(verifier).waits == before + 1


def test_the_grace_is_enough_for_a_working_endpoint(server: Server, warm, clock: Clock) -> None:
    verifier = warm(grace=4.0)
    server.routes["/jwks"] = answer(jwks(B))
    clock.move(400)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)


@pytest.mark.parametrize(
    "trouble",
    [
        answer(status=500),
        answer(status=404),
        answer(status=302, Location="/elsewhere"),
        answer("<!doctype html><title>Sign in</title>", Content_Type="text/html"),
        answer("{}"),
        answer("[]"),
        answer('{"keys": {}}'),
        answer('{"keys": []}'),
        answer(b""),
        answer(jwks(A)[:-1]),
        answer(b" " * (1024 * 1024) + jwks(A)),
        answer(jwks(*[A] * 257)),
        answer('{"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}'),
        answer(jwks(A), Content_Encoding="gzip"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + jwks(A)),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + jwks(A)),
        reset,
        raw(b""),
        answer("[" * 500_000),
    ],
)
def test_a_bad_answer_leaves_the_set_within_its_bounds(
    server: Server, warm, clock: Clock, events: list[KeyEvent], trouble
) -> None:
    verifier = warm()
    server.routes["/jwks"] = trouble
    with pytest.raises(KeysUnavailableError):
        verifier.refresh()
    assert stats(verifier).failures == 1
    eventually(lambda: events[-1].kind is EventKind.FETCH_FAILED)
    clock.move(3899)
    verifier.verify(TOKEN)
    clock.move(1)
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    assert server.count("/elsewhere") == 0


def test_max_stale_0(server: Server, warm, clock: Clock) -> None:
    verifier = warm(max_stale=0)
    server.routes["/jwks"] = answer(status=500)
    clock.move(299)
    verifier.verify(TOKEN)
    eventually(lambda: not stats(verifier).fetching)
    clock.move(1)
    with pytest.raises(KeysUnavailableError, match="returned HTTP 500"):
        verifier.verify(TOKEN)
    clock.move(60)
    server.routes["/jwks"] = answer(jwks(A))
    verifier.verify(TOKEN)


def test_an_operator_sets_the_bound(server: Server, warm, clock: Clock) -> None:
    verifier = warm(max_stale=7)
    server.routes["/jwks"] = answer(status=500)
    clock.move(306.9)
    verifier.verify(TOKEN)
    eventually(lambda: not stats(verifier).fetching)
    clock.move(0.1)
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)


def test_a_removed_key_stops_working_at_the_next_refresh(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(jwks(B))
    verifier.verify(TOKEN)
    verifier.refresh()
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)
    verifier.verify(B.token(ISSUER))


def test_a_refresh_in_the_background_takes_up_a_removed_key(server: Server, warm, clock: Clock) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(jwks(B))
    clock.move(250)  # due, and still good: this caller begins the refresh and does not wait
    verifier.verify(TOKEN)
    eventually(lambda: stats(verifier).set_changes == 2)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)


def test_an_idle_verifier_refreshes_by_itself(server: Server, make) -> None:
    """With the real clock: without callers, the keys are fetched before their lifetime ends."""
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make(monotonic=time.monotonic, ttl=0.6, min_ttl=0.6, timeout=0.5)
    verifier.refresh()
    server.routes["/jwks"] = answer(jwks(B))
    server.wait_for(3)
    eventually(lambda: stats(verifier).set_changes == 2)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)


def test_an_idle_verifier_recovers_by_itself(server: Server, make) -> None:
    server.routes["/jwks"] = answer(status=503)
    verifier = make(monotonic=time.monotonic, backoff_base=0.01)
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    server.routes["/jwks"] = answer(jwks(A))
    eventually(lambda: stats(verifier).keys == 1)
    verifier.verify(TOKEN)


def test_cold_callers_do_not_queue_for_time_outs(server: Server, make) -> None:
    server.routes["/jwks"] = Hang()
    verifier = make(monotonic=time.monotonic, timeout=0.5, min_ttl=1, backoff_base=1000, backoff_cap=1000)
    for _ in range(20):
        with pytest.raises(KeysUnavailableError, match="in time"):
            verifier.verify(TOKEN)
    assert server.count() <= 2  # a second one only if the random back-off was next to nothing
    assert stats(verifier).waits == server.count()


def test_an_invalid_token_causes_no_fetch(server: Server, make) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = make()
    from watchword import VerificationError

    for token in ("", "a.b.c", TOKEN + "=", "x" * 20000, TOKEN.replace(".", "..", 1)):
        with pytest.raises(VerificationError) as caught:
            verifier.verify(token)
        assert not isinstance(caught.value, (KeysUnavailableError, UnknownKeyError))
    assert server.count() == 0


def test_cache_control_within_bounds(server: Server, make, clock: Clock) -> None:
    server.routes["/jwks"] = answer(jwks(A), Cache_Control="public, max-age=1000", Age="100")
    verifier = make()
    verifier.verify(TOKEN)
    clock.move(640)
    verifier.verify(TOKEN)
    assert server.count() == 1
    clock.move(90)  # 80 % of 900 s, less up to a tenth
    verifier.verify(TOKEN)
    server.wait_for(2)


def test_not_modified_renews_the_set(server: Server, make, clock: Clock) -> None:
    def conditional(connection, request) -> None:
        if request.headers.get("if-none-match") == '"v1"':
            answer(status=304, ETag='"v1"')(connection, request)
        else:
            answer(jwks(A), ETag='"v1"')(connection, request)

    server.routes["/jwks"] = conditional
    verifier = make()
    verifier.refresh()
    clock.move(299)
    verifier.refresh()
    clock.move(299)
    verifier.verify(TOKEN)
    assert (stats(verifier).not_modified, stats(verifier).failures) == (1, 0)


def test_an_unsolicited_304_is_a_failure(server: Server, warm) -> None:
    verifier = warm()
    server.routes["/jwks"] = answer(status=304)
    with pytest.raises(KeysUnavailableError, match="304"):
        verifier.refresh()


def test_bad_keys_are_rejected_and_reported(server: Server, make, events: list[KeyEvent]) -> None:
    bad = {"kty": "oct", "kid": "secret\nkid", "k": "c2VjcmV0"}
    server.routes["/jwks"] = answer(json.dumps({"keys": [bad, A.jwk]}))
    verifier = make()
    verifier.verify(TOKEN)
    eventually(lambda: events[-1].kind is EventKind.KEYS_REJECTED)
    assert events[-1].detail == "key 0 (secret\\nkid): symmetric_key"
    assert (stats(verifier).keys, stats(verifier).rejected_keys) == (1, 1)


def test_a_slow_old_answer_never_replaces_a_newer_set(server: Server, make, events: list[KeyEvent]) -> None:
    """A fetcher that does not keep to its time-out: the attempt is given up, another one begun, and then it answers."""
    import threading

    from watchword.jwks.fetch import Response

    release = threading.Event()
    answers = iter([jwks(A), jwks(B)])

    class Slow:
        def get(self, url, *, headers, timeout, max_bytes) -> Response:
            body = next(answers)
            if body == jwks(A):
                release.wait(30)
            return Response(200, {}, body)

    verifier = make(fetcher=Slow(), monotonic=time.monotonic, timeout=0.3, min_ttl=1, backoff_base=0.01)
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    eventually(lambda: stats(verifier).keys == 1)
    release.set()
    eventually(lambda: stats(verifier).discarded == 1)
    verifier.verify(B.token(ISSUER))
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)
    eventually(lambda: EventKind.ANSWER_DISCARDED in [event.kind for event in events])


@pytest.mark.parametrize("error", [RuntimeError("secret"), SystemExit("secret"), KeyboardInterrupt("secret")])
def test_a_fetcher_may_raise_anything(make, error: BaseException) -> None:
    class Broken:
        def get(self, url, **_):
            raise error

    with pytest.raises(KeysUnavailableError, match=type(error).__name__) as caught:
        make(fetcher=Broken()).verify(TOKEN)
    assert "secret" not in str(caught.value)


def test_http_is_rejected_unless_it_is_loopback_and_asked_for(server: Server) -> None:
    from watchword.issuer import Issuer

    for uri in (f"{server.url}/jwks", "http://localhost/jwks"):
        with pytest.raises(ValueError, match="allow_loopback_http"):
            Issuer(ISSUER, jwks_uri=uri)
        Issuer(ISSUER, jwks_uri=uri, allow_loopback_http=True)
    with pytest.raises(ValueError, match="https"):
        Issuer(ISSUER, jwks_uri="http://as.example/jwks", allow_loopback_http=True)
    with pytest.raises(ValueError, match="https"):
        Issuer("http://as.example", allow_loopback_http=True)
