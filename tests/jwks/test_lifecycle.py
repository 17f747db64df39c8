"""Start and shutdown: forks, dropped verifiers, signal handlers, interpreter exit."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from pathlib import Path

import pytest
from endpoint import ISSUER, Clock, Hang, Key, Server, answer, eventually, jwks

from watchword.issuer import Issuer
from watchword.jwks.fetch import DefaultFetcher
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)
HERE = Path(__file__).parent.parent


def stats(verifier: Verifier):
    return verifier.stats()[ISSUER]


def threads_of_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("watchword")]


def remote(server: Server) -> Issuer:
    return Issuer(ISSUER, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)


def test_a_dropped_verifier_goes_away_and_leaves_no_thread(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    verifier = Verifier([remote(server)])
    verifier.verify(TOKEN)
    eventually(lambda: threads_of_ours() == ["watchword-scheduler"])
    gone = weakref.ref(verifier)
    source = weakref.ref(next(iter(verifier._table.entries.values())).source)
    del verifier
    gc.collect()
    assert gone() is None
    eventually(lambda: source() is None and threads_of_ours() == [])


def test_a_verifier_dropped_in_the_middle_of_a_fetch_ends_with_it(server: Server) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    verifier = Verifier([remote(server)])
    thread = threading.Thread(target=verifier.verify, args=(TOKEN,))
    thread.start()
    server.wait_for(1)
    del verifier
    hang.released.set()
    thread.join()
    del thread
    gc.collect()
    eventually(lambda: threads_of_ours() == [])


def test_100_verifiers_share_one_scheduler(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    fetcher = DefaultFetcher()  # a client for each of them would take seconds to set up
    verifiers = [Verifier([remote(server)], fetcher=fetcher) for _ in range(100)]
    for verifier in verifiers:
        verifier.verify(TOKEN)
    eventually(lambda: threads_of_ours() == ["watchword-scheduler"])
    for verifier in verifiers:
        verifier.close()
    fetcher.close()
    eventually(lambda: threads_of_ours() == [])


def test_a_closed_verifier_raises_value_error(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    with Verifier([remote(server)]) as verifier:
        verifier.verify(TOKEN)
    verifier.close()
    for call in (lambda: verifier.verify(TOKEN), lambda: verifier.verify_many([TOKEN]), verifier.refresh):
        with pytest.raises(ValueError, match="closed"):
            call()
    assert server.count() == 1


def test_closing_during_a_fetch_frees_the_waiters(server: Server) -> None:
    server.routes["/jwks"] = Hang()
    verifier = Verifier([remote(server)])
    raised: list[Exception] = []

    def wait() -> None:
        try:
            verifier.verify(TOKEN)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    server.wait_for(1)
    verifier.close()
    thread.join()
    assert server.answered == []
    assert ["closed" in str(error) for error in raised] == [True], raised


def test_close_may_be_called_by_whoever_interrupts_the_verifier(server: Server) -> None:
    """A signal handler or a finalizer runs in a thread that may hold the verifier's lock."""
    server.routes["/jwks"] = answer(jwks(A))
    verifier = Verifier([remote(server)])
    source = next(iter(verifier._table.entries.values())).source
    with source._turn():  # type: ignore[attr-defined]
        verifier.close()
        verifier.stats()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("held", [False, True], ids=["calm", "while locks are held and a fetch is in flight"])
def test_a_forked_child_works_on_its_own(server: Server, clock: Clock, held: bool) -> None:
    """A server that loads first and forks then: the child has the keys, and fetches for itself."""
    server.routes["/jwks"] = answer(jwks(A))
    verifier = Verifier([remote(server)], monotonic=clock)
    verifier.verify(TOKEN)
    source = next(iter(verifier._table.entries.values())).source
    release, locked = threading.Event(), threading.Event()

    def hold() -> None:
        with source._lock:  # type: ignore[attr-defined]
            locked.set()
            release.wait(30)

    hang = Hang(answer(jwks(A)))
    thread = threading.Thread(target=hold)
    if held:
        server.routes["/jwks"] = hang
        clock.move(250)
        verifier.verify(TOKEN)  # begins the refresh
        server.wait_for(2)
        thread.start()
        locked.wait(30)
        server.routes["/jwks"] = answer(jwks(A))
    before = server.count()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
        child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(30)  # a deadlock is a failure, not a test that never ends
        try:
            verifier.verify(TOKEN)
            clock.move(299)
            verifier.refresh()
            verifier.verify(TOKEN)
            verifier.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server.count() > before
    release.set()
    hang.released.set()
    if held:
        thread.join()
    verifier.close()


def test_a_child_does_not_rely_on_a_fetch_of_its_parent(server: Server, clock: Clock) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    with Verifier([remote(server)], monotonic=clock) as verifier:
        verifier.verify(TOKEN)
        source = next(iter(verifier._table.entries.values())).source
        server.routes["/jwks"] = Hang()
        clock.move(250)
        verifier.verify(TOKEN)  # begins the refresh, so that nothing else is due for now
        server.wait_for(2)
        assert source.current() is not None
        source.after_fork()  # type: ignore[attr-defined]
        assert source.current() is None
        verifier.verify(TOKEN)
        server.wait_for(3)


SCRIPT = """
import sys, threading
sys.path.insert(0, {here!r})
from endpoint import Key
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings
from watchword.verifier import Verifier
cache = CacheSettings(timeout=1, min_ttl=2)
verifier = Verifier([Issuer("https://as.example", jwks_uri={url!r}, allow_loopback_http=True, cache_settings=cache)])
token = Key("a").token("https://as.example")
def wait():
    try:
        verifier.verify(token)
    except Exception:
        pass
{how}
"""


@pytest.mark.parametrize(
    "how",
    [
        "wait()",
        "threading.Thread(target=wait, daemon=True).start(); import time; time.sleep(0.3)",
        "import atexit; atexit.register(wait)",
        "threading.Thread(target=wait).start()",
        "class Late:\n    def __del__(self): wait()\nlate = Late(); keep = [late]; keep.append(keep)",
    ],
    ids=["idle", "waiting", "at exit", "joined at exit", "finalizer"],
)
@pytest.mark.parametrize("hangs", [False, True])
def test_the_interpreter_exits_without_delay_and_output(server: Server, how: str, hangs: bool) -> None:
    """Whatever runs in the background. A wait of a program's own (1 s at most) is its own."""
    server.routes["/jwks"] = Hang() if hangs else answer(jwks(A))
    script = SCRIPT.format(here=str(HERE), url=f"{server.url}/jwks", how=how)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    # Who has set up no logging sees the first failure of an outage, and nothing else ever. (On a slow machine a fetch
    # may take longer than this program's time-out of a second, so that there is one without a server that hangs.)
    printed = [line for line in ended.stderr.splitlines() if not line.startswith("the keys of https://as.example ")]
    assert (ended.returncode, printed) == (0, [])
    assert len(ended.stderr.splitlines()) <= 1


def test_nothing_slow_is_imported_with_the_package() -> None:
    """Fetching, files and event loops are paid for by those who use them."""
    script = "import sys, watchword.verifier; print(*sorted(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    modules = set(ended.stdout.split())
    for name in ("httpx2", "httpx", "asyncio", "ssl", "logging", "cryptography", "http.server", "concurrent.futures"):
        assert name not in modules
