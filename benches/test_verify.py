"""``python -m pytest benches``: each library's whole verification under pytest-benchmark, grouped by algorithm."""

from __future__ import annotations

import pytest
from contenders import ALGORITHMS, CONTENDERS, Token
from pytest_benchmark.fixture import BenchmarkFixture


@pytest.fixture(scope="session")
def tokens() -> dict[str, Token]:
    return {algorithm: Token(algorithm) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("library", CONTENDERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verify(benchmark: BenchmarkFixture, tokens: dict[str, Token], algorithm: str, library: str) -> None:
    benchmark.group = algorithm
    verify = CONTENDERS[library](tokens[algorithm])
    assert benchmark(verify) is not False
