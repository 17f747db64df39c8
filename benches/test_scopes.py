"""``python -m pytest benches/test_scopes.py``: questions about scopes under pytest-benchmark, grouped by question."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scope_contenders import NUMBERS, QUESTIONS


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("library", ["watchword", "peer"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_scopes(benchmark: BenchmarkFixture, question: str, library: str, number: int) -> None:
    make, peer = QUESTIONS[question]
    if library == "peer" and peer != "a list":
        pytest.importorskip({"authpi-idp": "authpi_idp"}.get(peer, peer), reason="the package is not installed")
    benchmark.group = f"{question}, {number} of them (peer: {peer})"
    ask = make(number, library)
    assert ask() is True
    benchmark(ask)
