"""Forks at chosen moments, and the ways in which servers fork."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path

import mint
import pytest

from watchword import fork_safety

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

TESTS = Path(__file__).resolve().parents[1]
LONG = 60

#: What the programs below begin with; each runs in a process that has done nothing else.
COMMON = """
import builtins, os, signal, sys, threading, time, warnings
sys.path.insert(0, {tests!r})
import mint
import watchword as ww

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
KEYS = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "p384", "rsa"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
TOKENS = [mint.token(key=key, algorithm=algorithm) for key, algorithm in mint.SIGNERS]

def verify_everything(*_):
    for token in TOKENS:
        assert ww.verify(token, KEYS, POLICY, now=mint.NOW).claims["sub"] == "agent-7"
        try:
            ww.verify(token[:-8] + "AAAAAAAA", KEYS, POLICY, now=mint.NOW)
        except ww.InvalidSignatureError:
            pass
        else:
            raise AssertionError("a bad signature was accepted")
    assert KEYS.prepare() == 4
    return os.getpid()

def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm({long})  # a child that waits for ever is a failure, not a test that never ends
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def run(program: str) -> str:
    script = COMMON.format(tests=str(TESTS), long=LONG) + textwrap.dedent(program)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_fork_while_a_thread_looks_up_its_first_exception() -> None:
    """A thread is stopped in the middle of the kernel's import of the exceptions, if there is any by then."""
    run("""
        inside, go_on = threading.Event(), threading.Event()
        importing = builtins.__import__

        def slow_import(name, *arguments, **keywords):
            if name == "watchword.errors" and threading.current_thread() is not threading.main_thread():
                inside.set()
                go_on.wait(60)
            return importing(name, *arguments, **keywords)

        builtins.__import__ = slow_import

        def reject():
            try:
                ww.verify("a.b.c", KEYS, POLICY)
            except ww.VerificationError:
                inside.set()

        thread = threading.Thread(target=reject)
        thread.start()
        assert inside.wait(60)
        builtins.__import__ = importing
        in_child(verify_everything)
        go_on.set()
        thread.join()
    """)


def test_a_fork_while_a_key_set_is_prepared() -> None:
    """Preparing takes milliseconds, so that one of these forks is in the middle of it."""
    run("""
        for _ in range(20):
            keys = [ww.KeySet.from_json(mint.jwks("ed25519", "p256")) for _ in range(4)]
            threads = [threading.Thread(target=one.prepare) for one in keys]
            for thread in threads:
                thread.start()
            def work():
                assert [one.prepare() for one in keys] == [2] * 4
                verify_everything()
            in_child(work)
            for thread in threads:
                thread.join()
            ww.tables.configure(max_bytes=0)
            ww.tables.configure(max_bytes=64 << 20)
    """)


def test_a_fork_while_keys_are_queued_for_a_table() -> None:
    """The child inherits the queue, but not the thread that works it off: it starts one of its own."""
    run("""
        from watchword.testing import LocalIssuer

        ww.tables.configure(after_uses=2)
        issuers = [LocalIssuer(algorithms=["EdDSA"]) for _ in range(50)]
        checks = [(issuer.mint(), issuer.key_set(), issuer.policy()) for issuer in issuers]
        def use(checks):
            for token, keys, policy in checks:
                ww.verify(token, keys, policy)
        use(checks * 3)
        def work():
            deadline = time.monotonic() + 30
            # The key whose table was being built at the fork is no longer queued.
            while ww.tables.stats().tables < len(checks) - 1:
                assert time.monotonic() < deadline, ww.tables.stats()
                use(checks[-1:])
        in_child(work)
    """)


def test_children_of_children() -> None:
    run("""
        verify_everything()
        def again():
            verify_everything()
            in_child(lambda: (verify_everything(), in_child(verify_everything)))
        in_child(again)
    """)


@pytest.mark.parametrize("inherited", ["prepared", "untouched"])
def test_multiprocessing_with_the_fork_method(inherited: str) -> None:
    run(f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        stop = threading.Event()
        def busy():
            while not stop.is_set():
                verify_everything()
        thread = threading.Thread(target=busy)
        if {inherited == "prepared"}:
            verify_everything()
        thread.start()
        context = multiprocessing.get_context("fork")
        with context.Pool(4) as pool:
            assert len(pool.map(verify_everything, range(32), chunksize=1)) == 32
        with ProcessPoolExecutor(4, mp_context=context) as executor:
            assert len(list(executor.map(verify_everything, range(32)))) == 32
        process = context.Process(target=verify_everything)
        process.start()
        process.join({LONG})
        assert process.exitcode == 0
        stop.set()
        thread.join()
    """)


def test_a_fork_waits_for_those_who_hold_it_back() -> None:
    """An import that a fork cut in half could never be repeated in the child."""
    held, release, events = threading.Event(), threading.Event(), []

    def hold() -> None:
        with fork_safety.without_forks():
            held.set()
            release.wait(LONG)
            events.append("done")

    def fork() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
            child = os.fork()
        if child == 0:
            with fork_safety.without_forks(), fork_safety.without_forks():
                os._exit(0 if events == ["done"] else 1)
        events.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    threads = [threading.Thread(target=hold), threading.Thread(target=fork)]
    threads[0].start()
    assert held.wait(LONG)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join(LONG)
    assert events == ["done", 0]


def test_whoever_holds_forks_back_may_fork() -> None:
    with fork_safety.without_forks(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pytest may have threads
        child = os.fork()
        if child == 0:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with fork_safety.without_forks():
        pass


def test_one_object_that_fails_after_a_fork_does_not_keep_others_from_being_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = []

    class Good:
        def after_fork(self) -> None:
            told.append(self)

    class Bad:
        def after_fork(self) -> None:
            raise ValueError("no")

    things = [Good(), Bad(), Good()]
    for thing in things:
        fork_safety.register_after_fork(thing)
    fork_safety._before_fork()
    # As in a child; the other objects of this process are left alone.
    others, fork_safety._objects = fork_safety._objects, type(fork_safety._objects)(things)
    try:
        fork_safety._after_fork()
    finally:
        fork_safety._objects = others
    assert len(told) == 2
    assert "after a fork" in caplog.text


APPLICATION = """
import os, sys, threading
sys.path.insert(0, {tests!r})
import mint
import watchword as ww

keys = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "p384", "rsa"))
verifier = ww.Verifier([ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519", "p256", "p384", "rsa"))],
    audience=mint.AUDIENCE, clock=lambda: mint.NOW, token_cache=ww.TokenCache(max_bytes=1 << 20))
# What an application that is loaded before the fork may be in the middle of.
for work in (keys.prepare, keys.prepare, lambda: verifier.verify(mint.token())):
    threading.Thread(target=work).start()

def application(environ, start_response):
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        subject = verifier.verify(token).subject
    except ww.VerificationError as error:
        start_response(f"{{error.http_status}} No", [("WWW-Authenticate", error.www_authenticate())])
        return [b""]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{{subject}} {{os.getpid()}}".encode()]
"""


def test_gunicorn_with_preload(tmp_path: Path) -> None:
    """Workers are forked while threads of the application that was loaded before are at work."""
    pytest.importorskip("gunicorn")
    (tmp_path / "served.py").write_text(APPLICATION.format(tests=str(TESTS)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "4", "--timeout", str(LONG)]
        command += ["--bind", f"fd://{listener.fileno()}", "--chdir", str(tmp_path), "--log-level", "warning"]
        server = subprocess.Popen(
            [*command, "served:application"], pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True
        )
    try:
        workers: set[str] = set()
        tokens = [mint.token(key=key, algorithm=algorithm) for key, algorithm in mint.SIGNERS]
        deadline = time.monotonic() + LONG
        while len(workers) < 4:
            assert time.monotonic() < deadline, f"only these workers verify: {workers}"
            # Until all workers have answered; the socket listens from the beginning, so that nothing need be awaited.
            connections = [ask(port, token) for token in tokens]
            for connection in connections:
                response = connection.getresponse()
                subject, _, worker = response.read().decode().partition(" ")
                assert (response.status, subject) == (200, "agent-7")
                workers.add(worker)
                connection.close()
        rejected = ask(port, tokens[0][:-8] + "AAAAAAAA").getresponse()
        assert (rejected.status, rejected.headers["WWW-Authenticate"].split(",")[0]) == (
            401,
            'Bearer error="invalid_token"',
        )
    finally:
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=LONG)
    assert "WORKER TIMEOUT" not in errors


def ask(port: int, token: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
    return connection
