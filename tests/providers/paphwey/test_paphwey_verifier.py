"""Attestations verified offline, with every documented call."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from types import MappingProxyType
from typing import Any

import endpoint
import httpx
import httpx2
import pytest
from endpoint import Clock, Hang, answer, eventually
from paphwey_gateway import ACTION, AGENT, AUDIENCE, BASE_URL, DELEGATION_ID, SAYS, Gateway

from watchword import Issuer, KeySet, issuer_keys
from watchword.jwks import CacheSettings
from watchword.providers.paphwey.errors import PaphweyError, PaphweyTransportError, PaphweyVerificationError
from watchword.providers.paphwey.models import ActionContext, VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.paphwey.verify import AsyncOfflineVerifier, OfflineVerifier

JWKS = "/.well-known/jwks.json"


def keys_of(gateway: Gateway) -> bytes:
    return json.dumps(gateway.jwks()).encode()


def local(server: endpoint.Server, **settings: Any) -> OfflineVerifier:
    return OfflineVerifier.from_base_url(server.url, allow_loopback_http=True, **settings)


def assert_good(outcome: VerifiedOutcome) -> None:
    assert outcome.valid
    assert outcome.claims["sub"] == "principal-1"
    assert outcome.delegation["agent_did"] == "did:example:agent"
    assert outcome.actor_chain["principal_id"] == "principal-1"
    assert outcome.actor_chain["agent"]["agent_id"] == "shopping-agent"
    assert outcome.receipt_id == "rcpt-1"
    assert outcome.cnf_jwk == AGENT.jwk
    assert outcome.code is None


# The calls.


def test_from_base_url_and_verify_by_name(server: endpoint.Server) -> None:
    gateway = Gateway(server.url)
    server.routes[JWKS] = answer(keys_of(gateway))
    with local(server) as verifier:
        assert server.count() == 0, "nothing is fetched before it is needed"
        for _ in range(3):
            assert_good(
                verifier.verify(
                    attestation_token=gateway.attest(), audience=AUDIENCE, expected_delegation_id=DELEGATION_ID
                )
            )
        assert server.count() == 1
        assert verifier.stats().fetches == 1


def test_verify_by_position_with_an_action(gateway: Gateway, verifier: OfflineVerifier) -> None:
    assert_good(verifier.verify(gateway.attest(), AUDIENCE, DELEGATION_ID, ACTION))
    assert_good(
        verifier.verify(gateway.attest().encode(), AUDIENCE, DELEGATION_ID, expected_action=ActionContext(**ACTION))
    )


def test_the_async_twins(gateway: Gateway, asked: dict[str, Any]) -> None:
    async def main() -> None:
        assert_good(await gateway.offline().verify_async(gateway.attest(), **asked, expected_action=ACTION))
        issuer = Issuer(gateway.issuer, jwks=gateway.jwks())
        async with AsyncOfflineVerifier(issuer) as verifier:
            await verifier.refresh()
            assert_good(await verifier.verify(gateway.attest(), AUDIENCE, DELEGATION_ID, ACTION))
            assert_good(await verifier.verify_outcome(attestation_token=gateway.attest(), **asked))
            request = VerifyOutcomeRequest(attestation_token=gateway.attest(), **asked, expected_action=ACTION)
            assert_good(await verifier.verify_outcome(request))
            with pytest.raises(PaphweyVerificationError):
                await verifier.verify(gateway.mint_bad("expired"), **asked)

    asyncio.run(main())


def test_verify_outcome_in_both_forms(gateway: Gateway, verifier: OfflineVerifier, asked: dict[str, Any]) -> None:
    request = VerifyOutcomeRequest(attestation_token=gateway.attest(), **asked, expected_action=ACTION)
    assert_good(verifier.verify_outcome(request))
    for action in (None, ACTION, MappingProxyType(ACTION), ActionContext(**ACTION)):
        assert_good(verifier.verify_outcome(attestation_token=gateway.attest(), **asked, expected_action=action))
    with pytest.raises(TypeError, match="one VerifyOutcomeRequest, or its members"):
        verifier.verify_outcome(request, **asked)
    with pytest.raises(TypeError, match="one VerifyOutcomeRequest, or its members"):
        verifier.verify_outcome(gateway.attest())
    with pytest.raises(PaphweyVerificationError, match="malformed_token"):
        verifier.verify_outcome(attestation_token="\ud800.a.b", **asked)
    with pytest.raises(ValueError, match="audience"):
        verifier.verify_outcome(attestation_token=gateway.attest(), expected_delegation_id=DELEGATION_ID)


def test_requirements_are_checked(gateway: Gateway, verifier: OfflineVerifier) -> None:
    for audience, delegation_id, code in (
        ("other.example", DELEGATION_ID, "wrong_audience"),
        ("merchant.exampl", DELEGATION_ID, "wrong_audience"),
        (AUDIENCE, "dlg_other", "wrong_delegation"),
        (AUDIENCE, DELEGATION_ID.upper(), "wrong_delegation"),
        (AUDIENCE, "", "wrong_delegation"),
    ):
        with pytest.raises(PaphweyVerificationError) as caught:
            verifier.verify(gateway.attest(), audience, delegation_id)
        assert (caught.value.code, caught.value.trace_id) == (code, None)


def test_an_attestation_for_several_audiences(gateway: Gateway, verifier: OfflineVerifier) -> None:
    assert verifier.verify(gateway.attest(aud=["x.example", AUDIENCE]), AUDIENCE, DELEGATION_ID).valid


def test_what_only_a_caller_can_have_done_wrong(gateway: Gateway, verifier: OfflineVerifier) -> None:
    token: Any = gateway.attest()
    # None must never mean "any value".
    for arguments in ((None, AUDIENCE, DELEGATION_ID), (token, None, DELEGATION_ID), (token, AUDIENCE, None)):
        with pytest.raises(TypeError, match="str"):
            verifier.verify(*arguments)
    with pytest.raises(TypeError):
        verifier.verify(token, [AUDIENCE], DELEGATION_ID)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="audience is empty"):
        verifier.verify(token, "", DELEGATION_ID)


def test_as_of_another_moment(gateway: Gateway, verifier: OfflineVerifier, asked: dict[str, Any]) -> None:
    token = gateway.attest(iat=1_800_000_000, exp=1_800_000_120)
    assert verifier.verify(token, **asked, now=1_800_000_124).valid
    with pytest.raises(PaphweyVerificationError, match=r"^expired: "):
        verifier.verify(token, **asked, now=1_800_000_125)
    assert gateway.offline(clock=lambda: 1_800_000_001).verify(token, **asked).valid


# Absent claims.


def test_what_an_attestation_does_not_say_is_empty(gateway: Gateway, verifier: OfflineVerifier) -> None:
    silent = dict.fromkeys(set(SAYS) - {"sub", "delegation_id"})
    outcome = verifier.verify(gateway.attest(**silent), AUDIENCE, DELEGATION_ID)
    assert outcome.delegation == {"delegation_id": DELEGATION_ID}
    assert (outcome.actor_chain, outcome.receipt_id, outcome.cnf_jwk) == ({}, None, None)


@pytest.mark.parametrize("name", ["receipt_id", "actor_chain", "cnf", "sub"])
def test_required_claims(gateway: Gateway, asked: dict[str, Any], name: str) -> None:
    strict = gateway.offline(required=(name,))
    assert strict.verify(gateway.attest(), **asked).valid
    with pytest.raises(PaphweyVerificationError) as caught:
        strict.verify(gateway.attest(**{name: None}), **asked)
    assert caught.value.code == "missing_claim"


# Settings.


def test_invalid_outcomes_can_be_returned(gateway: Gateway, asked: dict[str, Any]) -> None:
    verifier = gateway.offline(on_invalid="return")
    assert_good(verifier.verify(gateway.attest(), **asked))
    for token, code in (
        (gateway.mint_bad("expired"), "expired"),
        (gateway.attest(delegation_id="x", delegation=None), "wrong_delegation"),
    ):
        outcome = verifier.verify_outcome(attestation_token=token, **asked)
        assert outcome == VerifiedOutcome(valid=False, code=code)
        assert not outcome.claims


def test_algorithms_and_types_can_be_narrowed(gateway: Gateway, asked: dict[str, Any]) -> None:
    narrow = gateway.offline(algorithms=("ES256",), types=("JWT",))
    assert narrow.verify(gateway.mint(algorithm="ES256"), **asked).valid
    with pytest.raises(PaphweyVerificationError, match="algorithm_not_allowed"):
        narrow.verify(gateway.mint(algorithm="RS256"), **asked)
    with pytest.raises(PaphweyVerificationError, match="wrong_type"):
        narrow.verify(gateway.mint(algorithm="ES256", header={"typ": None}), **asked)


@pytest.mark.parametrize(
    "settings",
    [
        {"amount": "about"},
        {"on_invalid": "ignore"},
        {"required": "receipt_id"},
        {"types": "JWT"},
        {"types": ()},
        {"algorithms": "RS256"},
        {"algorithms": ("HS256",)},
        {"credential_issuers": "did:web:x"},
        {"leeway": -1},
        {"claim_names": {"delegation_id": "did"}},
    ],
)
def test_invalid_settings(gateway: Gateway, settings: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        gateway.offline(**settings)


def test_requirements_of_the_issuer_are_kept(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        OfflineVerifier(Issuer(gateway.issuer, jwks=gateway.jwks(), algorithms=("RS256",)))
    for issuer in (
        Issuer(gateway.issuer, jwks=gateway.jwks(), aliases=("https://alias.example",)),
        Issuer("https://{tid}.example", jwks=gateway.jwks(), tenants=("a",)),
    ):
        with pytest.raises(ValueError, match="aliases or tenants"):
            OfflineVerifier(issuer)
    with pytest.raises(TypeError, match="from_base_url"):
        OfflineVerifier(BASE_URL)  # type: ignore[arg-type]  # what is tested


def test_the_issuer_is_the_base_url_by_default(gateway: Gateway, asked: dict[str, Any]) -> None:
    keys = KeySet.from_json(keys_of(gateway))
    named = OfflineVerifier(Issuer("did:web:paphwey.example", jwks=keys))
    assert named.verify(gateway.attest(iss="did:web:paphwey.example"), **asked).valid
    with pytest.raises(PaphweyVerificationError, match="wrong_issuer"):
        named.verify(gateway.attest(), **asked)
    assert "did:web:paphwey.example" in repr(named)


@pytest.mark.parametrize("base_url", ["http://www.paphwey.com", "paphwey.com", "https://a:b@paphwey.com", ""])
def test_base_urls_that_keys_may_not_come_from(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be an https URL"):
        OfflineVerifier.from_base_url(base_url)
    with pytest.raises(TypeError, match="base_url"):
        OfflineVerifier.from_base_url(None)  # type: ignore[arg-type]  # what is tested


# Keys over HTTP.


@pytest.mark.parametrize("make", [httpx.Client, httpx2.Client])
def test_a_client_of_the_callers(server: endpoint.Server, asked: dict[str, Any], make: Any) -> None:
    gateway = Gateway(server.url)
    server.routes["/keys"] = answer(keys_of(gateway))
    with make(headers={"x-tenant": "merchant"}) as client:
        with local(server, jwks_uri=f"{server.url}/keys", httpx_client=client) as verifier:
            assert verifier.verify(gateway.attest(), **asked).valid
        assert not client.is_closed
    assert server.requests[0].headers["x-tenant"] == "merchant"


def test_keys_live_five_minutes_whatever_the_response_headers(
    server: endpoint.Server, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(issuer_keys, "_monotonic", clock)
    gateway = Gateway(server.url, ("EdDSA",))
    server.routes[JWKS] = answer(keys_of(gateway), Cache_Control="max-age=86400")
    with local(server) as verifier:
        verifier.refresh()
        removed = gateway.attest()
        clock.move(200)
        assert verifier.verify(removed, **asked).valid
        assert server.count() == 1
        old = gateway.jwks()["keys"][0]["kid"]
        gateway.rotate()
        gateway.remove_key(old)
        server.routes[JWKS] = answer(keys_of(gateway))
        clock.move(101)
        eventually(lambda: verifier.stats().age is not None and verifier.verify(gateway.attest(), **asked).valid)
        with pytest.raises(PaphweyVerificationError, match="unknown_key"):
            verifier.verify(removed, **asked)


def test_unknown_kids_refresh_the_keys_twice_a_cooldown(server: endpoint.Server, asked: dict[str, Any]) -> None:
    gateway = Gateway(server.url, ("EdDSA",))
    server.routes[JWKS] = answer(keys_of(gateway))
    with local(server, cache_settings=CacheSettings(ttl=300, max_ttl=300, cooldown=0)) as verifier:
        assert verifier.verify(gateway.attest(), **asked).valid
        gateway.rotate()
        server.routes[JWKS] = answer(keys_of(gateway))
        assert verifier.verify(gateway.attest(), **asked).valid
        assert server.count() == 2
    with local(server) as verifier:
        before = server.count()
        for number in range(20):
            with pytest.raises(PaphweyVerificationError, match="unknown_key"):
                verifier.verify(gateway.mint(header={"kid": f"made-up-{number}"}), **asked)
        assert server.count() - before == 1 + 2


def test_no_fetch_for_a_token_that_no_key_makes_valid(server: endpoint.Server, asked: dict[str, Any]) -> None:
    with local(server) as verifier:
        for token in (
            "",
            "a.b.c",
            Gateway(server.url).mint_bad("alg none"),
            Gateway(server.url).mint_bad("crit unknown"),
        ):
            with pytest.raises(PaphweyVerificationError):
                verifier.verify(token, **asked)
        assert server.count() == 0


def test_unavailable_keys_are_not_the_clients_fault(server: endpoint.Server, asked: dict[str, Any]) -> None:
    gateway = Gateway(server.url, ("EdDSA",))
    for settings in ({}, {"on_invalid": "return"}):
        with local(server, **settings) as verifier:
            with pytest.raises(PaphweyTransportError) as caught:
                verifier.verify(gateway.attest(), **asked)
            assert caught.value.code == "keys_unavailable"
            assert "404" in caught.value.message
            with pytest.raises(PaphweyTransportError):
                verifier.refresh()


def test_32_calls_at_once_on_a_cold_cache_make_one_fetch(server: endpoint.Server, asked: dict[str, Any]) -> None:
    gateway = Gateway(server.url, ("EdDSA",))
    server.routes[JWKS] = hang = Hang(answer(keys_of(gateway)))
    tokens = [gateway.attest(receipt_id=f"rcpt-{number}") for number in range(32)]
    results: list[Any] = []

    def run(verifier: OfflineVerifier, token: str) -> None:
        try:
            results.append(verifier.verify(token, **asked).receipt_id)
        except PaphweyError as error:
            results.append(error)

    with local(server) as verifier:
        threads = [threading.Thread(target=run, args=(verifier, token)) for token in tokens]
        for thread in threads:
            thread.start()
        server.wait_for(1)
        hang.released.set()
        for thread in threads:
            thread.join(endpoint.LONG)
        assert sorted(results) == sorted(f"rcpt-{number}" for number in range(32))
        assert server.count() == 1


def test_32_tasks_at_once_on_a_cold_cache_make_one_fetch(server: endpoint.Server, asked: dict[str, Any]) -> None:
    gateway = Gateway(server.url, ("EdDSA",))
    server.routes[JWKS] = hang = Hang(answer(keys_of(gateway)))

    async def main() -> None:
        async with AsyncOfflineVerifier.from_base_url(server.url, allow_loopback_http=True) as verifier:
            tasks = [asyncio.create_task(verifier.verify(gateway.attest(), **asked)) for _ in range(32)]
            await asyncio.sleep(0.05)
            hang.released.set()
            assert all(outcome.valid for outcome in await asyncio.gather(*tasks))
            assert server.count() == 1

    asyncio.run(main())


# Errors and representations.


def test_nothing_of_an_attestation_is_in_a_repr(
    gateway: Gateway, verifier: OfflineVerifier, asked: dict[str, Any]
) -> None:
    token = gateway.attest()
    shown = repr(verifier.verify(token, **asked)) + repr(VerifyOutcomeRequest(attestation_token=token, **asked))
    assert "principal-1" not in shown
    assert AGENT.jwk["x"] not in shown
    assert not any(part in shown for part in token.split("."))
    assert "rcpt-1" in shown, "it is what logs are reconciled by"


def test_outcomes_are_frozen_and_travel(gateway: Gateway, verifier: OfflineVerifier, asked: dict[str, Any]) -> None:
    outcome = verifier.verify(gateway.attest(), **asked)
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert VerifiedOutcome.model_validate_json(outcome.model_dump_json()) == outcome
    with pytest.raises(ValueError, match="frozen"):
        outcome.valid = False  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError, match="pickled or copied"):
        pickle.dumps(verifier)
