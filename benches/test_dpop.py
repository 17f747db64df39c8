"""Proofs of possession under pytest-benchmark: by keys never seen and by one key; URIs and proofs by length."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import proof_makers
import pytest
from libraries import CannotError
from pytest_benchmark.fixture import BenchmarkFixture

import watchword as ww
from watchword.testing import LocalIssuer

URI = proof_makers.URI
MAKERS = {"new keys": proof_makers.by_new_keys, "one key": proof_makers.by_one_key}


@pytest.mark.parametrize("library", proof_makers.VERIFIERS)
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
@pytest.mark.parametrize("keys", MAKERS)
def test_proof(benchmark: BenchmarkFixture, algorithm: Any, keys: str, library: str) -> None:
    benchmark.group = f"proof {algorithm}"
    try:
        verify = proof_makers.verifier(library, algorithm)
    except CannotError as reason:
        pytest.skip(str(reason))
    make = MAKERS[keys](algorithm)
    assert benchmark.pedantic(verify, setup=lambda: ((make(),), {}), rounds=2000)


def test_replay_memory(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "memory"
    store, numbers, now = ww.dpop.MemoryReplayStore(10_000_000), itertools.count(), time.time()
    assert benchmark(lambda: store.consume(next(numbers).to_bytes(32, "little"), now + 65, now))


def test_whole_request(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "request"
    issuer, prover = LocalIssuer("https://as.example"), ww.dpop.DpopProver("EdDSA")
    token = issuer.mint(cnf={"jkt": prover.jkt})
    verifier = ww.Verifier([ww.Issuer("https://as.example", jwks=issuer.jwks())], audience=ww.ANY_AUDIENCE)
    authorization = f"DPoP {token}"

    def prepare() -> tuple[tuple[()], dict[str, Any]]:
        headers = {"Authorization": authorization, "DPoP": prover.proof("GET", URI, token)}
        return (), {"method": "GET", "uri": URI, "headers": headers}

    assert benchmark.pedantic(verifier.verify_request, setup=prepare, rounds=2000).proof is not None


SHAPES: dict[str, Callable[[int], str]] = {
    "segments": lambda length: "/a" * (length // 2),
    "dots": lambda length: "/.." * (length // 3),
    "escapes": lambda length: "/" + "%61" * (length // 3),
    "other script": lambda length: "/" + "ü" * (length // 2),
}


@pytest.mark.parametrize("times", [1, 10, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_uri_by_length(benchmark: BenchmarkFixture, shape: str, times: int) -> None:
    """Time must grow with the length, not with its square: 100 times as long, about 100 times as slow."""
    benchmark.group = f"uri {shape}"
    uri = "https://api.example" + SHAPES[shape](160 * times)
    assert benchmark(ww.dpop.normalize_uri, uri)


@pytest.mark.parametrize("times", [1, 10, 100])
def test_proof_by_length(benchmark: BenchmarkFixture, times: int) -> None:
    """A proof that names a long URI which is not the request's: rejected, after all of it was read."""
    benchmark.group = "proof by length"
    prover = ww.dpop.DpopProver("EdDSA")
    text = prover.proof("GET", URI + "/a" * (50 * times))

    def rejected() -> bool:
        try:
            ww.dpop.verify_proof(text, method="GET", uri=URI, max_age=3600)
        except ww.dpop.ProofUriError:
            return True
        return False

    assert benchmark(rejected)
