"""Every kind of token of every provider, before every provider's verifier, under its documented name.

All are signed by the same keys, for the same audience. In one table they come from the same issuer, too, so that
nothing but its shape keeps a token apart; in the other every provider has its own, as in real life.
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import mint
import pytest
from provider_samples import ACCEPTED, ALGORITHMS, JWKS, KEYS, SAMPLES, Sample

import watchword as ww
from watchword.providers import PROVIDERS
from watchword.providers.profiles import profile_of

#: Whether a token passes.
Judge = Callable[[str], bool]


def _agentwrit(issuer: str) -> Judge:
    from watchword.providers.agentwrit import Broker, validate

    broker = Broker("https://broker.example", JWKS, issuer=issuer, audience=mint.AUDIENCE)
    return lambda token: validate(broker, token).valid


def _authgent(issuer: str) -> Judge:
    from watchword.providers.authgent import AuthgentError, verify_token

    class Keys:
        async def get_key(self, key_id: str) -> dict[str, Any]:
            return next(key for key in JWKS["keys"] if key["kid"] == key_id)

    def judge(token: str) -> bool:
        try:
            asyncio.run(verify_token(token=token, issuer=issuer, audience=mint.AUDIENCE, jwks_fetcher=Keys()))
        except AuthgentError:
            return False
        return True

    return judge


def _authpi(issuer: str) -> Judge:
    from watchword.providers.authpi import IdTokenVerifier, OAuthError

    idp = IdTokenVerifier(issuer, mint.AUDIENCE, jwks=JWKS)

    def judge(token: str) -> bool:
        try:
            idp.create_agent({"access_token": "opaque", "expires_at": 1, "id_token": token})
        except OAuthError:
            return False
        return True

    return judge


def _clawauth(issuer: str) -> Judge:
    from watchword.providers.clawauth import ClawAuth

    keys = mint.jwks(KEYS["ES256"])
    auth = ClawAuth(service_id=mint.AUDIENCE, api_key="svc_1", jwks=keys, issuer=issuer, audience=mint.AUDIENCE)
    return lambda token: auth.verify(token).valid


def _paphwey(issuer: str) -> Judge:
    from watchword.providers.paphwey.errors import PaphweyVerificationError
    from watchword.providers.paphwey.verify import OfflineVerifier

    verifier = OfflineVerifier(ww.Issuer(issuer, jwks=JWKS))

    def judge(token: str) -> bool:
        try:
            return verifier.verify(token, audience=mint.AUDIENCE, expected_delegation_id="dlg_1").valid
        except PaphweyVerificationError:
            return False

    return judge


def _command_line(provider: str) -> Callable[[str], Judge]:
    """What ``watchword verify --provider`` does."""

    def make(issuer: str) -> Judge:
        profile = profile_of(provider)
        keys = ww.KeySet.from_json(JWKS)
        policy = ww.Policy(
            issuer=issuer,
            audience=mint.AUDIENCE,
            algorithms=profile.algorithms,
            types=profile.types,
            required=profile.required,
        )

        def judge(token: str) -> bool:
            try:
                profile.check(ww.verify(token, keys, policy), audience=[mint.AUDIENCE], keys=keys)
            except ww.VerificationError:
                return False
            return True

        return judge

    return make


LIBRARY: dict[str, Callable[[str], Judge]] = {
    "agentwrit": _agentwrit,
    "authgent": _authgent,
    "authpi": _authpi,
    "clawauth": _clawauth,
    "paphwey": _paphwey,
}
PATHS = {
    **{f"{name}, library": (name, make) for name, make in LIBRARY.items()},
    **{f"{name}, command line": (name, _command_line(name)) for name in LIBRARY},
}


def judge_of(path: str, issuer: str) -> tuple[str, Judge]:
    provider, make = PATHS[path]
    if path.endswith("library"):
        if importlib.util.find_spec(f"watchword.providers.{provider}") is None:
            pytest.skip(f"watchword.providers.{provider} is not part of this tree")
        if provider in ("authpi", "clawauth", "paphwey"):
            pytest.importorskip("pydantic", reason=f"watchword.providers.{provider} has pydantic's models")
    return provider, make(issuer)


def expected(provider: str, sample: Sample, algorithm: str) -> bool:
    return sample.provider == provider and sample.kind in ACCEPTED[provider] and algorithm in ALGORITHMS[provider]


def test_the_table_is_complete() -> None:
    assert set(LIBRARY) == set(PROVIDERS) == set(ACCEPTED) == set(ALGORITHMS)
    for provider, kinds in ACCEPTED.items():
        assert {sample.kind for sample in SAMPLES if sample.provider == provider} >= set(kinds)


@pytest.mark.parametrize("path", PATHS)
def test_from_one_issuer_only_its_shape_keeps_a_token_apart(path: str) -> None:
    provider, passes = judge_of(path, mint.ISSUER)
    now = int(time.time())
    passed = [str(sample) for sample in SAMPLES if passes(sample.mint(now))]
    assert passed == [str(sample) for sample in SAMPLES if expected(provider, sample, sample.algorithm)]


@pytest.mark.parametrize("path", PATHS)
def test_a_providers_own_tokens_by_every_algorithm(path: str) -> None:
    provider, passes = judge_of(path, mint.ISSUER)
    now = int(time.time())
    for sample in SAMPLES:
        for algorithm in KEYS if sample.provider == provider else ():
            assert passes(sample.mint(now, algorithm=algorithm)) is expected(provider, sample, algorithm), sample


@pytest.mark.parametrize("path", PATHS)
def test_from_an_issuer_of_its_own(path: str) -> None:
    provider, passes = judge_of(path, f"https://{PATHS[path][0]}.example")
    now = int(time.time())
    passed = [
        str(sample)
        for sample in SAMPLES
        if passes(sample.mint(now, issuer=f"https://{sample.provider or 'nobody'}.example"))
    ]
    assert passed == [str(sample) for sample in SAMPLES if expected(provider, sample, sample.algorithm)]
