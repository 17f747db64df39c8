"""Malformed and out-of-range variants of every sample, with the library, the command line and ``detect``.

All three have one set of rules for each provider, so none may accept what another rejects.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import mint
import pytest
from provider_cases import CASES, cases
from provider_samples import ACCEPTED, JWKS, SAMPLES, Sample
from provider_variants import Variant, variants
from provider_verifiers import LIBRARY, Verb, command_line, needs, options

from watchword.providers import PROVIDERS, detect

#: Codes that only a caller's expectations yield, of which the command line has none.
BY_EXPECTATION = {"paphwey": {"wrong_delegation"}}

#: What is signed fastest, of the algorithms that a provider has.
FASTEST = {"authpi": "EdDSA", "paphwey": "EdDSA"}


@pytest.fixture(name="keys", scope="module")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps(JWKS))
    return path


def generated(provider: str, now: int) -> list[Variant]:
    """The variants of all samples of a provider that differ in more than their algorithm."""
    samples: dict[str, Sample] = {}
    for sample in SAMPLES:
        if sample.provider == provider:
            one = dataclasses.replace(sample, algorithm=FASTEST.get(provider, sample.algorithm))
            samples.setdefault(json.dumps([one.payload(now), repr(one.typ)]), one)
    return [variant for sample in samples.values() for variant in variants(sample, now)]


def verbs_of(provider: str) -> dict[str, Verb]:
    needs(provider)
    return LIBRARY[provider](mint.ISSUER)


def test_every_accepted_kind_has_cases() -> None:
    for sample in SAMPLES:
        if sample.provider and sample.kind in ACCEPTED[sample.provider]:
            assert any(name.startswith(f"{sample.provider}-{sample.kind}") for name in CASES), sample
    for provider in PROVIDERS:
        verdicts = [case.code for case in cases(provider, 0)]
        assert None in verdicts
        assert len(set(verdicts)) > 3


@pytest.mark.parametrize("provider", PROVIDERS)
def test_cases_get_the_same_verdict_everywhere(provider: str, keys: Path) -> None:
    now = int(time.time())
    listed = cases(provider, now)
    tokens = [variant.mint() for variant in listed]
    expected = {str(variant): variant.code for variant in listed}
    assert dict(zip(expected, command_line(options(provider, keys, mint.ISSUER, now), tokens), strict=True)) == expected
    for name, verb in verbs_of(provider).items():
        assert {str(variant): verb(token, now) for variant, token in zip(listed, tokens, strict=True)} == expected, name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_library_and_the_command_line_agree_on_every_variant(provider: str, keys: Path) -> None:
    now = int(time.time())
    listed = generated(provider, now)
    tokens = [variant.mint() for variant in listed]
    printed = command_line(options(provider, keys, mint.ISSUER, now), tokens)
    # Neither rejects everything, nor accepts everything.
    assert 0.1 < printed.count(None) / len(printed) < 0.9
    (_, verb), *others = verbs_of(provider).items()
    for number, (variant, token, code) in enumerate(zip(listed, tokens, printed, strict=True)):
        if code is None:
            found = detect(token)
            # A token may be valid without the marks of its provider.
            assert found.provider in (provider, None), str(variant)
            assert not found.problems, str(variant)
        answer = verb(token, now)
        if code is None and answer in BY_EXPECTATION.get(provider, ()):
            continue
        assert answer == code, str(variant)
        # The other functions share their implementation with the first: some of the variants are enough.
        for name, other in others if number % 11 == 0 else ():
            # With an access token, its hash is compared; an application's fetcher needs a kid.
            if name.startswith("create_agent") and "at_hash" in variant.name:
                continue
            answer = other(token, now)
            if "own fetcher" in name and variant.name.startswith("kid is") and code is not None:
                assert answer is not None, f"{variant}, {name}"
            elif "own fetcher" in name and code == "malformed_claims":
                # It fetches no key for a token that does not name the issuer readably.
                assert answer in ("malformed_claims", "wrong_issuer"), f"{variant}, {name}"
            else:
                assert answer == code, f"{variant}, {name}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_detect_agrees_with_the_rules(provider: str) -> None:
    codes = []
    for variant in cases(provider, int(time.time())):
        found = detect(variant.mint())
        if found.problems:
            assert found.provider == provider
            code = found.problems[0].partition(":")[0]
            # The kernel reads "act" with the other claims, and reports malformed claims.
            assert ("malformed_claims" if code == "delegation_malformed" else code) == variant.code, str(variant)
            codes.append(code)
        elif found.provider is None and provider != "authgent":
            # authgent's access tokens have no marks that can be relied on.
            assert variant.code is not None, str(variant)
    # What is wrong with a broker's token is its kind, or signed in its chain.
    assert len(codes) > 1 or provider == "agentwrit"
