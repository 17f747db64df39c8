"""Counts of verdicts and their durations: by which labels, from many threads, in forked children, and how many."""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from decisions import FakeDecision
from hypothesis import given
from hypothesis import strategies as st

from watchword import ErrorCode
from watchword.observability import BUCKETS, Metrics, VerdictLabels

ISSUER = "https://as.example"


def test_verdicts_are_counted_by_issuer_code_scheme_and_cache(decide: Callable[[str], Any]) -> None:
    metrics = Metrics()
    for code in ("allowed", "cached", "cached", "expired", "expired", "missing_token"):
        metrics(decide(code), 0.001)
    assert metrics.verdicts() == {
        VerdictLabels(ISSUER, "allowed", "Bearer", "false"): 1,
        VerdictLabels(ISSUER, "allowed", "Bearer", "true"): 2,
        VerdictLabels(ISSUER, "expired", "Bearer", "false"): 2,
        VerdictLabels("", "missing_token", "", "false"): 1,
    }


def test_durations_are_counted_by_result_scheme_and_cache(decide: Callable[[str], Any]) -> None:
    metrics = Metrics()
    metrics(decide("allowed"), 2e-6)
    metrics(decide("expired"), 0.5)
    metrics(decide("insufficient_scope"), 100)
    found = metrics.durations()
    assert set(found) == {("allowed", "Bearer", "false"), ("rejected", "Bearer", "false")}
    rejected = found["rejected", "Bearer", "false"]
    assert rejected.total == 100.5
    assert {bound: count for bound, count in zip((*BUCKETS, math.inf), rejected.counts, strict=True) if count} == {
        0.5: 1,
        math.inf: 1,
    }


@given(st.lists(st.one_of(st.floats(0, 10), st.sampled_from(BUCKETS)), max_size=600))
def test_each_duration_is_in_the_first_bucket_that_reaches_it(durations: list[float]) -> None:
    metrics = Metrics()
    for seconds in durations:
        metrics(FakeDecision(), seconds)
    found = metrics.durations().get(("rejected", "Bearer", "false"))
    cumulated = list(itertools.accumulate(found.counts)) if found else [0] * (len(BUCKETS) + 1)
    assert cumulated == [sum(seconds <= bound for seconds in durations) for bound in (*BUCKETS, math.inf)]
    assert (found.total if found else 0) == pytest.approx(sum(durations))


def test_no_verdict_of_several_threads_is_lost_while_another_reads() -> None:
    metrics, done = Metrics(), threading.Event()
    readings = []

    def count() -> None:
        for number in range(20_000):
            metrics(FakeDecision(code=("expired", "unknown_key")[number % 2]), 1e-5)

    def read() -> None:
        while not done.is_set():
            readings.append(sum(metrics.verdicts().values()))

    threads = [threading.Thread(target=count) for _ in range(4)]
    reader = threading.Thread(target=read)
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert sum(metrics.verdicts().values()) == 80_000
    assert sum(histogram.total for histogram in metrics.durations().values()) == pytest.approx(0.8)
    assert readings == sorted(readings)


def test_a_verdict_does_not_wait_for_a_thread_that_reads() -> None:
    metrics = Metrics()
    with metrics._lock:  # as a reader holds it
        for _ in range(1000):
            metrics(FakeDecision(), 1e-5)
    assert sum(metrics.verdicts().values()) == 1000


def test_the_number_of_time_series_is_bounded_however_many_issuers_there_are() -> None:
    metrics = Metrics(max_issuers=3)
    for number in range(50):
        metrics(FakeDecision(issuer=f"https://tenant-{number}.example"), 1e-5)
        metrics(FakeDecision(issuer="https://tenant-1.example"), 1e-5)
        metrics(FakeDecision(issuer=None, code="missing_token", scheme=None), 1e-5)
    found = metrics.verdicts()
    assert {labels.issuer: count for labels, count in found.items()} == {
        "https://tenant-0.example": 1,
        "https://tenant-1.example": 51,
        "https://tenant-2.example": 1,
        "other": 47,
        "": 50,
    }
    none = Metrics(max_issuers=0)
    none(FakeDecision(), 1e-5)
    assert [labels.issuer for labels in none.verdicts()] == ["other"]
    with pytest.raises(ValueError, match="max_issuers is -1"):
        Metrics(max_issuers=-1)


def test_codes_and_schemes_are_all_that_the_sender_of_a_request_can_choose() -> None:
    metrics = Metrics()
    for code, scheme, cached in itertools.product(["allowed", *ErrorCode], [None, "Bearer", "DPoP"], [False, True]):
        metrics(FakeDecision(code=code, scheme=scheme, cached=cached), 1e-5)
    assert len(metrics.durations()) <= 12
    assert len(metrics.verdicts()) <= 6 * (len(ErrorCode) + 1)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # threads of other tests
def test_a_forked_child_counts_for_itself() -> None:
    metrics = Metrics()
    metrics(FakeDecision(), 1e-5)
    read_end, write_end = os.pipe()
    metrics._lock.acquire()  # as another thread may hold it at that moment
    child = os.fork()
    if child == 0:  # pragma: no cover
        metrics(FakeDecision(code="unknown_key"), 1e-5)
        os.write(write_end, ",".join(labels.code for labels in metrics.verdicts()).encode())
        os._exit(0)
    metrics._lock.release()
    os.close(write_end)
    assert os.read(read_end, 100) == b"unknown_key"
    os.waitpid(child, 0)
    os.close(read_end)
    assert [labels.code for labels in metrics.verdicts()] == ["expired"]
