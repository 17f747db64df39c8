"""Each library's whole verification under pytest-benchmark, grouped by algorithm; then threads, and many tokens."""

from __future__ import annotations

from typing import Any

import libraries
import pytest
from contender import Batch, Over, Threads
from groups import ALGORITHMS, BATCH, PREPARED, RIVALS, verify_many
from pytest_benchmark.fixture import BenchmarkFixture
from samples import TOKENS, samples

# Some of the libraries emit deprecation warnings about themselves or each other.
pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [*libraries.WHOLE, libraries.BARE]


def contestant(algorithm: str, library: str, count: int = TOKENS) -> tuple[libraries.Verify, list[Any]]:
    try:
        return libraries.contestant(library, samples(algorithm, count))
    except libraries.CannotError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verify(benchmark: BenchmarkFixture, algorithm: str, library: str) -> None:
    benchmark.group = f"verify {algorithm}"
    assert benchmark(Over(*contestant(algorithm, library)).once) is not False


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("library", ["Watchword", *RIVALS, libraries.BARE])
@pytest.mark.parametrize("algorithm", PREPARED)
def test_threads(benchmark: BenchmarkFixture, algorithm: str, library: str, number: int) -> None:
    """A batch of tokens, shared by ``number`` threads."""
    benchmark.group = f"threads {algorithm}"
    threads = Threads(*contestant(algorithm, library, BATCH), number)
    benchmark(threads.once)
    threads.close()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("algorithm", PREPARED)
def test_verify_many(benchmark: BenchmarkFixture, algorithm: str, number: int) -> None:
    benchmark.group = f"batch {algorithm}"
    benchmark(Batch(verify_many(samples(algorithm, BATCH), number), samples(algorithm, BATCH).tokens, BATCH).once)


@pytest.mark.parametrize("library", ["Watchword", *RIVALS])
@pytest.mark.parametrize("algorithm", PREPARED)
def test_loop(benchmark: BenchmarkFixture, algorithm: str, library: str) -> None:
    """As many tokens as a batch has, one after the other."""
    benchmark.group = f"batch {algorithm}"
    call, tokens = contestant(algorithm, library, BATCH)
    benchmark(lambda: [call(token) for token in tokens])
