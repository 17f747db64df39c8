"""Questions about scopes under pytest-benchmark, grouped by question."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scope_questions import NUMBERS, QUESTIONS, ask


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("library", ["watchword", "peer"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_scopes(benchmark: BenchmarkFixture, question: str, library: str, number: int) -> None:
    peer = QUESTIONS[question][1]
    benchmark.group = f"{question}, {number} of them (peer: {peer})"
    try:
        call = ask(question, number, library)
    except ImportError:
        pytest.skip(f"{peer} is not installed")
    assert benchmark(call) is True
