"""Questions about scopes under pytest-benchmark, grouped by question."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scope_questions import NUMBERS, QUESTIONS, ask


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("question", "library"), [(name, who) for name, (_, all_) in QUESTIONS.items() for who in all_]
)
def test_scopes(benchmark: BenchmarkFixture, question: str, library: str, number: int) -> None:
    benchmark.group = f"{question}, {number} held"
    try:
        call = ask(question, number, library)
    except ImportError:
        pytest.skip(f"{library} is not installed")
    assert benchmark(call) is True
