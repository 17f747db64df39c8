"""Every kind of token of every provider, with every provider's verifier, by its documented name.

All are signed by the same keys, for the same audience. In one table they come from the same issuer, too, so that
nothing but its shape keeps a token apart; in the other every provider has its own, as in real life.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import mint
import pytest
from provider_samples import ACCEPTED, ALGORITHMS, JWKS, KEYS, SAMPLES, Sample
from provider_verifiers import LIBRARY, command_line, needs, options

from watchword.providers import PROVIDERS
from watchword.providers.profiles import profile_of

#: Whether tokens pass.
Verify = Callable[[list[str]], list[bool]]

PATHS = [(provider, where) for provider in LIBRARY for where in ("library", "command line")]

each_path = pytest.mark.parametrize("path", PATHS, ids=", ".join)


@pytest.fixture(name="verify_with")
def _verify_with(tmp_path: Path) -> Callable[[tuple[str, str], str, int], Verify]:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(JWKS))

    def verify_with(path: tuple[str, str], issuer: str, now: int) -> Verify:
        provider, where = path
        if where == "command line":
            arguments = options(provider, keys, issuer, now)
            return lambda tokens: [code is None for code in command_line(arguments, tokens)]
        needs(provider)
        verb = next(iter(LIBRARY[provider](issuer).values()))
        return lambda tokens: [verb(token, now) is None for token in tokens]

    return verify_with


def expected(provider: str, sample: Sample, algorithm: str) -> bool:
    return sample.provider == provider and sample.kind in ACCEPTED[provider] and algorithm in ALGORITHMS[provider]


def test_the_table_is_complete() -> None:
    assert set(LIBRARY) == set(PROVIDERS) == set(ACCEPTED) == set(ALGORITHMS)
    for provider, kinds in ACCEPTED.items():
        assert {sample.kind for sample in SAMPLES if sample.provider == provider} >= set(kinds)
        assert profile_of(provider).accepted == kinds


@each_path
def test_from_one_issuer_only_its_shape_keeps_a_token_apart(path, verify_with) -> None:
    now = int(time.time())
    verdicts = verify_with(path, mint.ISSUER, now)([sample.mint(now) for sample in SAMPLES])
    passed = [str(sample) for sample, passes in zip(SAMPLES, verdicts, strict=True) if passes]
    assert passed == [str(sample) for sample in SAMPLES if expected(path[0], sample, sample.algorithm)]


@each_path
def test_a_providers_own_tokens_by_every_algorithm(path, verify_with) -> None:
    now = int(time.time())
    own = [(sample, algorithm) for sample in SAMPLES if sample.provider == path[0] for algorithm in KEYS]
    verdicts = verify_with(path, mint.ISSUER, now)([sample.mint(now, algorithm=algorithm) for sample, algorithm in own])
    for (sample, algorithm), passes in zip(own, verdicts, strict=True):
        assert passes is expected(path[0], sample, algorithm), (str(sample), algorithm)


@each_path
def test_from_an_issuer_of_its_own(path, verify_with) -> None:
    now = int(time.time())
    tokens = [sample.mint(now, issuer=f"https://{sample.provider or 'nobody'}.example") for sample in SAMPLES]
    verdicts = verify_with(path, f"https://{path[0]}.example", now)(tokens)
    passed = [str(sample) for sample, passes in zip(SAMPLES, verdicts, strict=True) if passes]
    assert passed == [str(sample) for sample in SAMPLES if expected(path[0], sample, sample.algorithm)]
