"""What the logger ``watchword`` says of an outage: each thing once, by default, and nothing that is secret."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from endpoint import ISSUER, LONG, Clock, Key, Server, answer, eventually, jwks

from watchword import KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, EventKind, KeyEvent
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)

# Waiters are woken before anything is logged, so that no handler holds them up; hence ``eventually``.


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged, less what all of it begins with; all of it at WARNING by the logger ``watchword``."""
    start = f"the keys of {ISSUER} "

    def said() -> list[str]:
        for record in caplog.records:
            assert (record.name, record.levelno) == ("watchword", logging.WARNING)
        assert all(record.getMessage().startswith(start) for record in caplog.records)
        return [record.getMessage().removeprefix(start) for record in caplog.records]

    return said


@pytest.fixture
def warm(server: Server, make: Callable[..., Verifier]) -> Callable[..., Verifier]:
    def warm(**settings) -> Verifier:
        server.routes["/jwks"] = answer(jwks(A))
        verifier = make(**settings)
        verifier.verify(TOKEN)
        return verifier

    return warm


def fail(verifier: Verifier) -> None:
    with pytest.raises(KeysUnavailableError):
        verifier.refresh()


def test_an_outage_from_its_beginning_to_its_end(
    server: Server, warm, clock: Clock, said, events: list[KeyEvent]
) -> None:
    verifier = warm()
    url = f"({server.url}/jwks)"
    assert said() == []
    server.routes["/jwks"] = answer(status=503)
    for _ in range(5):
        fail(verifier)
    eventually(lambda: said() == [f"could not be fetched: the key endpoint returned HTTP 503 {url}"])

    clock.move(301)
    for _ in range(5):
        verifier.verify(TOKEN)
        eventually(lambda: not stats(verifier).fetching)
        clock.move(61)
    assert said()[1:] == [
        "are past their lifetime and still in use: the key endpoint returned HTTP 503",
    ]

    clock.move(3600)
    for _ in range(5):
        with pytest.raises(KeysUnavailableError):
            verifier.verify(TOKEN)
        eventually(lambda: not stats(verifier).fetching)
        clock.move(61)
    assert said()[2:] == [
        "have expired; tokens are rejected as keys_unavailable until a fetch succeeds: the key endpoint returned "
        "HTTP 503"
    ]

    failures = stats(verifier).consecutive_failures
    server.routes["/jwks"] = answer(jwks(A))
    for _ in range(5):
        verifier.refresh()
    eventually(lambda: said()[3:] == [f"are available again: after {failures} failed attempts {url}"])

    # The next outage is another one.
    server.routes["/jwks"] = answer(status=500)
    for _ in range(3):
        fail(verifier)
    eventually(lambda: said()[4:] == [f"could not be fetched: the key endpoint returned HTTP 500 {url}"])

    kinds = [event.kind for event in events]
    for kind in (EventKind.STALE_SET_USED, EventKind.SET_EXPIRED, EventKind.RECOVERED):
        assert kinds.count(kind) == 1


def test_each_thing_once_with_50_threads(server: Server, warm, clock: Clock, said) -> None:
    verifier = warm(backoff_base=0.001, backoff_cap=0.001)

    def at_once(moment: float) -> None:
        clock.move(moment)
        barrier = threading.Barrier(50)

        def run() -> None:
            barrier.wait(LONG)
            for _ in range(5):
                with contextlib.suppress(KeysUnavailableError):
                    verifier.verify(TOKEN)

        threads = [threading.Thread(target=run) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        eventually(lambda: not stats(verifier).fetching)

    server.routes["/jwks"] = answer(status=503)
    at_once(250)
    at_once(60)
    at_once(3600)
    server.routes["/jwks"] = answer(jwks(A))
    at_once(60)
    eventually(lambda: len(said()) == 4)
    assert sorted(line.split(":")[0].split(";")[0] for line in said()) == [
        "are available again",
        "are past their lifetime and still in use",
        "could not be fetched",
        "have expired",
    ]


def test_stale_use_is_reported_although_the_background_came_first(server: Server, warm, clock: Clock, said) -> None:
    verifier = warm(backoff_base=0.001, backoff_cap=0.001)
    source = verifier._table.entries[ISSUER].source
    server.routes["/jwks"] = answer(status=503)
    for seconds in (250, 60):
        clock.move(seconds)
        source.wake()
        eventually(lambda: not stats(verifier).fetching)
    eventually(said)
    assert len(said()) == 1  # nobody has used it yet
    for _ in range(3):
        verifier.verify(TOKEN)
    assert [line.split(":")[0] for line in said()[1:]] == ["are past their lifetime and still in use"]


def test_an_outage_at_start_up(server: Server, make, said) -> None:
    server.routes["/jwks"] = answer(status=404)
    verifier = make(backoff_base=1000, backoff_cap=1000)
    for _ in range(10):
        with pytest.raises(KeysUnavailableError):
            verifier.verify(TOKEN)
    eventually(said)
    assert said() == [f"could not be fetched: the key endpoint returned HTTP 404 ({server.url}/jwks)"]


def test_an_endpoint_that_is_well_is_not_spoken_of(server: Server, warm, clock: Clock, said) -> None:
    """Nor is a set that merely was not needed for long: a laptop that slept is no outage."""
    verifier = warm()
    for _ in range(3):
        clock.move(30)
        with pytest.raises(Exception, match="unknown_key"):
            verifier.verify(B.token(ISSUER))
    clock.move(10_000)
    verifier.verify(TOKEN)
    assert said() == []


def test_with_on_event_it_is_logged_too_and_a_listener_that_raises_does_not_hide_it(
    server: Server, make, caplog: pytest.LogCaptureFixture
) -> None:
    server.routes["/jwks"] = answer(status=500)

    def broken(event: KeyEvent) -> None:
        raise RuntimeError

    issuer = Issuer(ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)
    with Verifier([issuer], on_event=broken) as verifier, pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    eventually(lambda: sum("could not be fetched" in record.getMessage() for record in caplog.records) == 1)


def test_it_is_silenced_as_any_log_is(server: Server, make, said) -> None:
    logger = logging.getLogger("watchword")
    logger.setLevel(logging.ERROR)
    try:
        server.routes["/jwks"] = answer(status=500)
        with pytest.raises(KeysUnavailableError):
            make().verify(TOKEN)
        eventually(lambda: not any(thread.name == "watchword-fetch" for thread in threading.enumerate()))
    finally:
        logger.setLevel(logging.NOTSET)
    assert said() == []


def test_a_handler_that_raises_costs_nobody_the_keys(server: Server, warm, clock: Clock) -> None:
    verifier = warm()

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("the handler is broken")

    handler = Broken()
    logging.getLogger("watchword").addHandler(handler)
    try:
        server.routes["/jwks"] = answer(status=500)
        fail(verifier)
        clock.move(301)
        assert verifier.verify(TOKEN).key_id == "a"
    finally:
        logging.getLogger("watchword").removeHandler(handler)


def test_no_query_no_token_and_no_line_of_its_own(server: Server, make, clock: Clock, caplog) -> None:
    server.routes["/jwks"] = answer('{"keys": [{"kty": "oct", "kid": "x\\n2026 all is well", "k": "c2VjcmV0"}]}')
    uri = f"{server.url}/jwks?code=SECRET"
    verifier = make(issuer=Issuer(ISSUER, jwks_uri=uri, allow_loopback_http=True, cache_settings=CacheSettings()))
    with pytest.raises(KeysUnavailableError):
        verifier.verify(TOKEN)
    eventually(lambda: caplog.records)
    (record,) = caplog.records
    message = record.getMessage()
    assert f"({server.url}/jwks?…)" in message
    assert "\n" not in message
    for secret in ("SECRET", "c2VjcmV0", *TOKEN.split(".")):
        assert secret not in message


def test_a_key_file_that_cannot_be_read(tmp_path: Path, make, clock: Clock, said, events: list[KeyEvent]) -> None:
    path = tmp_path / "keys"
    verifier = make(issuer=Issuer(ISSUER, jwks_file=path))
    for _ in range(3):
        with pytest.raises(KeysUnavailableError):
            verifier.verify(TOKEN)
        clock.move(1)
    path.write_bytes(jwks(A))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    for _ in range(3):
        verifier.verify(TOKEN)
        clock.move(1)
    assert said() == ["could not be read from their file: No such file or directory", "are available again: 1 keys"]
    assert [event.kind for event in events if event.kind is not EventKind.SET_CHANGED] == [
        EventKind.FILE_FAILED,
        EventKind.RECOVERED,
    ]


def test_who_has_set_up_nothing_sees_it_on_standard_error(server: Server) -> None:
    server.routes["/jwks"] = answer(status=500)
    script = (
        "from watchword.issuer import Issuer\nfrom watchword.verifier import Verifier\n"
        f"verifier = Verifier([Issuer({ISSUER!r}, jwks_uri='{server.url}/jwks', allow_loopback_http=True)])\n"
        "try: verifier.refresh()\nexcept Exception: pass\n"
        # Waiters are woken before anything is logged.
        "import threading\n[t.join() for t in threading.enumerate() if t.name == 'watchword-fetch']"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (
        ended.stderr
        == f"the keys of {ISSUER} could not be fetched: the key endpoint returned HTTP 500 ({server.url}/jwks)\n"
    )
