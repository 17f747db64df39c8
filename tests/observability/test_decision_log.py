"""Lines of the decision log: what they contain, how many there are, and that none changes or delays a verdict."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import logging.handlers
import os
import queue
import secrets
import threading
from collections.abc import Callable
from typing import Any

import decisions
import pytest
from decisions import FakeDecision
from endpoint import Clock
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword.observability import DecisionLog
from watchword.observability.decision_record import MAX_ACTORS
from watchword.testing import LocalIssuer

NOW = 1_764_000_000.25


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The lines of a stream, each a JSON object in ASCII."""
    text = stream.getvalue()
    assert text.isascii()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def logged(decision: Any, **options: Any) -> dict[str, Any]:
    """The one line about a decision that took 14 µs."""
    stream = io.StringIO()
    DecisionLog(stream, clock=lambda: NOW, **options)(decision, 1.4e-5)
    (line,) = lines(stream)
    return line


# What a line contains.


def test_a_rejection_by_its_route(gate: Any, issuer: LocalIssuer) -> None:
    token = issuer.mint(
        sub="user:alice",
        client_id="app-1",
        jti="t-1",
        scope="orders:write",
        act={"sub": "agent:b", "act": {"sub": "a"}},
    )
    decision = decisions.send(gate, token, traceparent=decisions.TRACEPARENT)
    line = logged(decision)
    assert "orders:read" in line.pop("detail")
    assert line == {
        "time": "2025-11-24T16:00:00.250Z",
        "decision": "rejected",
        "code": "insufficient_scope",
        "status": 403,
        "route": "/orders/{id}",
        "issuer": "https://as.example",
        "subject": "user:alice",
        "client_id": "app-1",
        "token_id": "t-1",
        "actors": [{"subject": "agent:b"}, {"subject": "a"}],
        "depth": 2,
        "scheme": "Bearer",
        "token_hash": base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("="),
        "trace_id": decisions.TRACE,
        "elapsed": 1.4e-5,
    }


def test_an_allowed_request(decide: Callable[[str], Any]) -> None:
    line = logged(decide("allowed"), allowed=True)
    assert (line["decision"], line["code"], line["subject"], line["route"]) == (
        "allowed", "allowed", "alice", "/orders/{id}",
    )  # fmt: skip
    assert not {"status", "detail", "actors"} & set(line)


def test_an_expired_token_has_its_subject_and_a_forged_one_does_not(decide: Callable[[str], Any]) -> None:
    assert "subject" in logged(decide("expired"))
    forged = logged(decide("claims changed after signing"))
    assert forged["code"] == "invalid_signature"
    assert len(forged["token_hash"]) == 43
    assert not {"subject", "client_id", "token_id", "actors"} & set(forged)


def test_no_line_contains_a_token_or_a_header(gate: Any, issuer: LocalIssuer) -> None:
    stream = io.StringIO()
    log = DecisionLog(stream, allowed=True, max_per_second=None)
    for bad in issuer.defects():
        log(decisions.send(gate, bad.token), 1e-5)
        text = stream.getvalue()
        parts = [part for part in bad.token.split(".") if len(part) > 8]
        assert not [part for part in parts if part in text], bad
        assert "Bearer ey" not in text
        stream.seek(0)
        stream.truncate()


TEXT = st.one_of(
    st.text(max_size=400),
    st.text(
        alphabet=st.sampled_from(["\n", "\r", "\u2028", "\x00", "\x1b", "\U0001f600", '"', "\\", "a"]), max_size=400
    ),
    st.sampled_from(["\U0001f600" * 5000, "a" * 16_000, "\x00" * 5000]),
)


@given(TEXT, TEXT, TEXT, TEXT, st.integers(0, 40))
def test_whatever_a_token_says_a_line_is_one_line_of_bounded_length(
    subject: str, client: str, actor: str, foreign: str, depth: int
) -> None:
    act: dict[str, Any] | None = None
    for _ in range(depth):
        act = {"sub": f"agent:{actor}", "iss": f"https://{foreign}"} | ({"act": act} if act else {})
    claims = {"iss": "https://as.example", "sub": subject, "client_id": client, "jti": subject, "act": act}

    class Error:
        token_claims = claims
        token_hash = "h" * 43
        detail = client

    stream = io.StringIO()
    DecisionLog(stream)(FakeDecision(error=Error()), 1e-5)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue()) < 8192
    (line,) = lines(stream)
    assert subject.startswith(line["subject"].removesuffix("…"))
    if 0 < depth <= 32:
        assert len(line["actors"]) == min(depth, MAX_ACTORS)
        assert line["depth"] == depth


@pytest.mark.parametrize(
    "claims",
    [{"sub": 7, "client_id": ["x"], "jti": {}}, {"sub": "a", "act": "not an object"}, {"delegation_chain": 7}, {}],
)
def test_claims_of_the_wrong_type_are_left_out(claims: dict[str, Any]) -> None:
    class Error:
        token_claims = claims
        token_hash = "h" * 43
        detail = "the claims are malformed"

    line = logged(FakeDecision(code="malformed_claims", error=Error()))
    assert not {"client_id", "token_id", "actors"} & set(line)
    assert line.get("subject") in ("a", None)


# Which decisions are logged, and how many.


def test_what_is_logged(decide: Callable[[str], Any]) -> None:
    for options, expected in [
        ({}, ["rejected"]),
        ({"allowed": True}, ["allowed", "rejected"]),
        ({"rejections": False, "allowed": True}, ["allowed"]),
        ({"rejections": False}, []),
    ]:
        stream = io.StringIO()
        log = DecisionLog(stream, **options)
        log(decide("allowed"), 1e-5)
        log(decide("expired"), 1e-5)
        assert [line["decision"] for line in lines(stream)] == expected


def test_allowed_requests_are_sampled_by_their_trace_id() -> None:
    traces = [secrets.token_hex(16) for _ in range(2000)]

    def sampled(fraction: float) -> set[str]:
        stream = io.StringIO()
        log = DecisionLog(stream, allowed=True, sample=fraction, max_per_second=None)
        for trace_id in traces:
            log(FakeDecision(allowed=True, code="allowed", trace_id=trace_id), 1e-5)
            log(FakeDecision(trace_id=trace_id), 1e-5)
        found = lines(stream)
        assert sum(line["decision"] == "rejected" for line in found) == 2000
        return {line["trace_id"] for line in found if line["decision"] == "allowed"}

    tenth = sampled(0.1)
    assert sampled(0) == set()
    assert sampled(1) == set(traces)
    assert sampled(0.1) == tenth < sampled(0.5)
    assert 100 < len(tenth) < 320  # beyond five standard deviations on either side


def test_the_rate_is_bounded_and_what_was_dropped_is_reported_by_code() -> None:
    stream, clock = io.StringIO(), Clock()
    log = DecisionLog(stream, max_per_second=2, burst=5, report_interval=10, clock=lambda: NOW, monotonic=clock)
    for number in range(100):
        log(FakeDecision(code=("expired", "unknown_key")[number % 2]), 1e-5)
    assert len(lines(stream)) == 5
    assert (log.stats().written, log.stats().dropped) == (5, 95)
    clock.move(1)
    for _ in range(10):
        log(FakeDecision(), 1e-5)
    assert len(lines(stream)) == 7
    clock.move(9)
    log(FakeDecision(allowed=True, code="allowed"), 1e-5)  # not logged itself, but the report is due
    assert lines(stream)[7:] == [
        {
            "time": "2025-11-24T16:00:00.250Z",
            "decision": "dropped",
            "lines": 103,
            "by_code": {"expired": 55, "unknown_key": 48},
        }
    ]
    clock.move(100)
    log(FakeDecision(allowed=True, code="allowed"), 1e-5)
    assert len(lines(stream)) == 8  # nothing was dropped since


def test_a_flood_of_rejections_does_not_displace_allowed_requests() -> None:
    stream = io.StringIO()
    log = DecisionLog(stream, allowed=True, burst=3, max_per_second=0.001)
    for _ in range(50):
        log(FakeDecision(), 1e-5)
    log(FakeDecision(allowed=True, code="allowed"), 1e-5)
    assert [line["decision"] for line in lines(stream)] == ["rejected"] * 3 + ["allowed"]


def test_flush_reports_what_was_dropped_so_far() -> None:
    stream = io.StringIO()
    log = DecisionLog(stream, burst=1, max_per_second=0.001)
    log.flush()
    log(FakeDecision(), 1e-5)
    log(FakeDecision(), 1e-5)
    log.flush()
    log.flush()
    assert [line["decision"] for line in lines(stream)] == ["rejected", "dropped"]


# Where lines go, and what happens if they cannot.


def test_a_logger_gets_levels_and_members(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="watchword.decisions")
    log = DecisionLog(allowed=True)
    log(FakeDecision(), 1e-5)
    log(FakeDecision(code="keys_unavailable", status=503), 1e-5)
    log(FakeDecision(allowed=True, code="allowed"), 1e-5)
    found = [(record.name, record.levelname, record.decision["code"]) for record in caplog.records]
    name = "watchword.decisions"
    assert found == [(name, "WARNING", "expired"), (name, "ERROR", "keys_unavailable"), (name, "INFO", "allowed")]
    assert [json.loads(record.getMessage()) for record in caplog.records] == [
        record.decision for record in caplog.records
    ]


def test_a_queue_handler_writes_in_another_thread() -> None:
    stream, waiting = io.StringIO(), queue.SimpleQueue()
    logger = logging.Logger("decisions of this test")
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    listener = logging.handlers.QueueListener(waiting, logging.StreamHandler(stream))
    DecisionLog(logger)(FakeDecision(), 1e-5)
    assert stream.getvalue() == ""
    listener.start()
    listener.stop()
    assert [line["code"] for line in lines(stream)] == ["expired"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_counted_and_changes_no_verdict(verifier: ww.Verifier, issuer: LocalIssuer) -> None:
    full = open("/dev/full", "w")  # noqa: SIM115 - closing it fails, too
    log = DecisionLog(full)
    gate = decisions.make_gate(verifier, log)
    for _ in range(3):
        assert decisions.send(gate, issuer.mint_bad("expired")).code == "expired"
    assert (log.stats().written, log.stats().failed) == (0, 3)
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_a_logger_whose_handler_raises_is_counted() -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise ConnectionError("the collector is gone")

    logger = logging.Logger("decisions of this test")
    logger.addHandler(Broken())
    log = DecisionLog(logger)
    log(FakeDecision(), 1e-5)
    assert log.stats().failed == 1


def test_other_threads_do_not_wait_for_one_that_is_blocked() -> None:
    class Blocking(io.StringIO):
        entered, released = threading.Event(), threading.Event()

        def write(self, text: str) -> int:
            self.entered.set()
            self.released.wait()
            return super().write(text)

    stream = Blocking()
    log = DecisionLog(stream)
    blocked = threading.Thread(target=log, args=(FakeDecision(), 1e-5))
    blocked.start()
    stream.entered.wait()
    for _ in range(50):
        log(FakeDecision(code="unknown_key"), 1e-5)  # returns, though the stream blocks
    assert log.stats().dropped == 50
    stream.released.set()
    blocked.join()
    log(FakeDecision(code="unknown_key"), 1e-5)
    assert [line["code"] for line in lines(stream)] == ["expired", "unknown_key"]


def test_lines_of_several_threads_are_whole() -> None:
    stream = io.StringIO()
    log = DecisionLog(stream, max_per_second=None)
    threads = [threading.Thread(target=lambda: [log(FakeDecision(), 1e-5) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = log.stats()
    assert len(lines(stream)) == stats.written
    assert stats.written + stats.dropped == 2000


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # threads of other tests
def test_a_forked_child_can_log() -> None:
    read_end, write_end = os.pipe()
    with open(write_end, "w") as stream:
        log = DecisionLog(stream, burst=1, max_per_second=0.001)
        log(FakeDecision(), 1e-5)
        log._lock.acquire()  # as another thread may hold it at that moment
        if os.fork() == 0:  # pragma: no cover
            thread = threading.Thread(target=log, args=(FakeDecision(code="unknown_key"), 1e-5))
            thread.start()
            thread.join()
            os._exit(log.stats().written)
        log._lock.release()
    with open(read_end) as stream:
        assert [json.loads(line)["code"] for line in stream] == ["expired", "unknown_key"]
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"destination": "decisions.log"}, "destination must be a text stream or a logger, not str"),
        ({"sample": 1.5}, "sample is 1.5"),
        ({"max_per_second": 0}, "max_per_second is 0"),
        ({"burst": 0}, "burst is 0"),
        ({"report_interval": 0}, "report_interval is 0"),
    ],
)
def test_invalid_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        DecisionLog(**options)
