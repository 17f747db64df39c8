"""``verify_many`` is ``verify`` of each token, in order, for any mix and any number of threads."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import each_backend

import watchword as ww

POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
KEYS = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "rsa"))


def variety() -> list[str]:
    """One token of many kinds."""
    return [
        mint.token(),
        mint.token(key="p256", algorithm="ES256"),
        mint.token(key="rsa", algorithm="RS256"),
        mint.token(key="rsa", algorithm="PS256"),
        mint.token(mint.claims(exp=mint.NOW - 60)),
        mint.token(mint.claims(aud="other")),
        mint.token(mint.claims(iss="other")),
        mint.token(mint.claims(exp=mint.OMIT)),
        mint.token(mint.claims(exp="soon")),
        mint.token(mint.claims(cnf={"jkt": "x"})),
        mint.token(head=mint.header("nobody")),
        mint.token(head=mint.header(alg="none"), signature=b""),
        mint.token(head=mint.header(crit=["exp"])),
        mint.token(head=mint.header(typ="dpop+jwt")),
        mint.token(signature=bytes(64)),
        mint.token(head=b"{"),
        mint.token(mint.claims(pad="x" * 20_000)),
        "a.b.c.d.e",
        "garbage",
        "",
        "\ud800",
    ]


VARIETY = variety()


def one(token: str | bytes, keys: ww.KeySet = KEYS, now: float = mint.NOW) -> tuple[str | None, str | None]:
    try:
        return None, ww.verify(token, keys, POLICY, now=now).subject
    except ww.VerificationError as error:
        return error.code.value, error.detail


def all_of(
    tokens: list[str],
    keys: ww.KeySet = KEYS,
    threads: int | None = None,
    now: float | list[float] = mint.NOW,
) -> list[tuple[str | None, str | None]]:
    results = ww.verify_many(tokens, keys, POLICY, now=now, threads=threads)
    return [
        (result.code.value, result.detail) if isinstance(result, ww.VerificationError) else (None, result.subject)
        for result in results
    ]


@each_backend
@pytest.mark.parametrize("threads", [None, 1, 2, 8, 100])
def test_same_verdicts_in_the_same_order(threads: int | None, backend: Any) -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "rsa"), backend=backend)
    tokens = VARIETY * 3
    assert all_of(tokens, keys, threads) == [one(token, keys) for token in tokens]


@given(st.lists(st.one_of(st.sampled_from(VARIETY), st.text(max_size=20)), max_size=40), st.sampled_from([None, 1, 3]))
def test_any_mix(tokens: list[str], threads: int | None) -> None:
    assert all_of(tokens, threads=threads) == [one(token) for token in tokens]


#: Around the times of the tokens, which are issued at, and valid from, ``mint.NOW``.
TIMES = st.sampled_from([mint.NOW + seconds for seconds in (-3600, -66, -6, -5, 0, 0.5, 59, 299, 305, 306, 1e6)])


@given(st.lists(st.tuples(st.sampled_from(VARIETY), TIMES), max_size=40), st.sampled_from([None, 1, 3]))
def test_each_as_of_its_own_time(rows: list[tuple[str, float]], threads: int | None) -> None:
    tokens, times = [token for token, _ in rows], [time for _, time in rows]
    assert all_of(tokens, threads=threads, now=times) == [one(token, now=time) for token, time in rows]


@pytest.mark.parametrize(
    ("now", "error", "what"),
    [
        ([], ValueError, "now lists 0 times for 2 tokens"),
        ([1.0], ValueError, "now lists 1 times for 2 tokens"),
        ([1.0, 2.0, 3.0], ValueError, "now lists 3 times for 2 tokens"),
        ([1.0, float("nan")], ValueError, "finite"),
        ([1.0, None], TypeError, "now must be"),
        ("12", TypeError, "now must be"),
        (b"12", TypeError, "now must be"),
    ],
)
def test_invalid_times(now: Any, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        ww.verify_many([mint.token()] * 2, KEYS, POLICY, now=now)
    issuer = ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519"))
    with ww.Verifier([issuer], audience=mint.AUDIENCE) as verifier, pytest.raises(error):
        verifier.verify_many([mint.token()] * 2, now=now)


def test_tokens_of_several_issuers_each_as_of_its_own_time() -> None:
    issuers = [ww.Issuer(name, jwks=mint.jwks("ed25519")) for name in (mint.ISSUER, "https://second.example")]
    first, second = mint.token(), mint.token(mint.claims(iss="https://second.example"))
    late = mint.NOW + 1e6
    with ww.Verifier(issuers, audience=mint.AUDIENCE) as verifier:
        rows = [(first, mint.NOW), (second, late), (second, mint.NOW), ("x", late), (first, late)]
        found = verifier.verify_many([token for token, _ in rows], now=(time for _, time in rows)).codes()
    assert found == [None, "expired", None, "malformed_token", "expired"]


def test_a_large_batch() -> None:
    good, bad = mint.token(), mint.token(signature=bytes(64))
    result = ww.verify_many([good, bad] * 2_000, KEYS, POLICY, now=mint.NOW)
    assert (len(result), result.valid_count) == (4_000, 2_000)
    assert result.codes() == [None, ww.ErrorCode.INVALID_SIGNATURE] * 2_000


def test_result_is_a_sequence() -> None:
    tokens = [mint.token(), "garbage", mint.token(mint.claims(sub="b")), mint.token(mint.claims(exp=1))]
    result = ww.verify_many(tokens, KEYS, POLICY, now=mint.NOW)
    assert len(result) == 4
    first, second = result[0], result[1]
    assert isinstance(first, ww.VerifiedToken)
    assert first.subject == "agent-7"
    assert isinstance(second, ww.MalformedTokenError)
    assert isinstance(result[-1], ww.ExpiredError)
    assert [type(item) for item in result[1:3]] == [ww.MalformedTokenError, ww.VerifiedToken]
    assert len(result[::-1]) == 4
    for index in (4, -5, 10**30):
        with pytest.raises(IndexError):
            result[index]
    with pytest.raises(TypeError):
        result["0"]  # type: ignore[call-overload]
    assert [type(item) for item in result] == [type(result[index]) for index in range(4)]
    assert result.codes() == [None, ww.ErrorCode.MALFORMED_TOKEN, None, ww.ErrorCode.EXPIRED]
    assert result.valid_count == 2


def test_nothing_to_verify() -> None:
    result = ww.verify_many([], KEYS, POLICY, now=mint.NOW)
    assert (len(result), list(result), result.codes(), result.valid_count) == (0, [], [], 0)


@pytest.mark.parametrize("make", [list, tuple, iter, lambda tokens: (t for t in tokens), dict.fromkeys])
def test_takes_any_iterable(make: Any) -> None:
    assert len(ww.verify_many(make([mint.token(), "x"]), KEYS, POLICY, now=mint.NOW)) == 2


def test_text_and_bytes_mixed() -> None:
    tokens: list[str | bytes] = [mint.token(), mint.token().encode(), b"\xff", "\ud800"]
    codes = ww.verify_many(tokens, KEYS, POLICY, now=mint.NOW).codes()
    assert codes == [None, None, ww.ErrorCode.MALFORMED_TOKEN, ww.ErrorCode.MALFORMED_TOKEN]


@pytest.mark.parametrize("tokens", ["a.b.c", b"a.b.c", 1, None])
def test_one_token_is_not_a_batch(tokens: Any) -> None:
    # A string is iterable too: letter by letter, which is never intended.
    with pytest.raises(TypeError):
        ww.verify_many(tokens, KEYS, POLICY, now=mint.NOW)


def test_error_of_the_callers_iterable_comes_through() -> None:
    def broken() -> Iterator[str]:
        yield mint.token()
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone"):
        ww.verify_many(broken(), KEYS, POLICY, now=mint.NOW)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads(threads: int) -> None:
    with pytest.raises(ValueError) as caught:
        ww.verify_many([mint.token()], KEYS, POLICY, now=mint.NOW, threads=threads)
    assert "threads" in str(caught.value)


def test_eight_threads_see_the_same_verdicts() -> None:
    expected = [one(token) for token in VARIETY]
    start = threading.Barrier(8)

    def work(_: int) -> list[list[tuple[str | None, str | None]]]:
        start.wait(timeout=30)
        return [[one(token) for token in VARIETY] for _ in range(10)] + [all_of(VARIETY)]

    with ThreadPoolExecutor(8) as pool:
        for verdicts in pool.map(work, range(8)):
            assert all(verdict == expected for verdict in verdicts)


def test_the_interpreter_runs_on_while_a_batch_is_verified() -> None:
    tokens = [mint.token(key="rsa", algorithm="RS256")] * 4_000
    keys = ww.KeySet.from_json(mint.jwks("rsa"), backend="reference")
    ticks, done = 0, threading.Event()

    def verify() -> None:
        ww.verify_many(tokens, keys, POLICY, now=mint.NOW, threads=1)
        done.set()

    thread = threading.Thread(target=verify)
    thread.start()
    while not done.wait(0.001):
        ticks += 1
    thread.join()
    # If the batch kept the lock, this thread would run no more than once or twice.
    assert ticks >= 10


INTERRUPTED = """
import signal, sys, threading, time
sys.path.insert(0, {tests!r})
import mint
import watchword as ww

keys = ww.KeySet.from_json(mint.jwks("rsa"), backend="reference")
policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
tokens = [mint.token(key="rsa", algorithm="RS512")] * {count}
handled = []
if {handler}:
    signal.signal(signal.SIGINT, lambda *_: handled.append(1))
def given():
    yield from tokens
    print("ready", flush=True)  # all have been read, and verifying begins
try:
    result = ww.verify_many(given(), keys, policy, now=mint.NOW, threads={threads})
except KeyboardInterrupt:
    print("interrupted")
else:
    print("all", result.valid_count, bool(handled))
"""


def interrupted(*, count: int, handler: bool, threads: int) -> str:
    """What a process prints that is interrupted (SIGINT) as long as it has not ended."""
    program = INTERRUPTED.format(tests=str(Path(__file__).parent), count=count, handler=handler, threads=threads)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        last = output.read().strip()
    assert process.wait(60) == 0
    return last


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="signals are sent otherwise here")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_ends_when_it_is_interrupted(threads: int) -> None:
    """It would take minutes: the test would fail by its own time-out."""
    assert interrupted(count=1_000_000, handler=False, threads=threads) == "interrupted"


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="signals are sent otherwise here")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_signal_that_is_handled_does_not_end_a_batch(threads: int) -> None:
    assert interrupted(count=10_000, handler=True, threads=threads) == "all 10000 True"
