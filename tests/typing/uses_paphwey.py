"""A merchant's program over Paphwey's documented names. It is never run: ``mypy --strict`` must find nothing wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx2

import watchword as ww
from watchword.client import CallSettings
from watchword.providers.paphwey import AsyncPaphweyClient, GatewayApi, PaphweyClient
from watchword.providers.paphwey.errors import (
    PaphweyAuthError,
    PaphweyConflictError,
    PaphweyError,
    PaphweyNotFoundError,
    PaphweyPolicyError,
    PaphweyRateLimitError,
    PaphweyRequestError,
    PaphweyTransportError,
    PaphweyVerificationError,
)
from watchword.providers.paphwey.models import (
    ActionContext,
    Challenge,
    CreateDelegationRequest,
    Delegation,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.testing import (
    AsyncFakePaphweyClient,
    FakePaphweyClient,
    make_challenge,
    make_delegation,
    make_outcome,
)
from watchword.providers.paphwey.verify import AsyncOfflineVerifier, ClaimNames, OfflineVerifier, PinnedKey

log = logging.getLogger(__name__)

verifier = OfflineVerifier.from_base_url("https://www.paphwey.com")


def accept(raw: str, delegation_id: str, session: MutableMapping[str, Any]) -> bool:
    try:
        outcome: VerifiedOutcome = verifier.verify(
            attestation_token=raw,
            audience="merchant.example",
            expected_delegation_id=delegation_id,
            expected_action={"scope": "purchase", "amount_minor": 1500, "currency": "GBP"},
        )
    except PaphweyVerificationError as error:
        code: str = error.code
        trace: str | None = error.trace_id
        log.warning("rejected: %s (%s)", code, trace)
        return False
    except PaphweyTransportError:
        return False
    session["receipt_id"] = outcome.receipt_id
    session["agent_did"] = outcome.delegation["agent_did"]
    session["principal_id"] = outcome.actor_chain["principal_id"]
    session["cnf_jwk"] = outcome.cnf_jwk
    claims: Mapping[str, Any] = outcome.claims
    return outcome.valid and "sub" in claims


def later(session: Mapping[str, Any], proof: str | None) -> str:
    key = PinnedKey(session["cnf_jwk"])
    stored: dict[str, Any] = key.jwk
    verified: ww.DpopProof = key.verify_proof(
        proof, method="POST", uri="https://merchant.example/refunds", replay=ww.dpop.MemoryReplayStore()
    )
    return verified.jkt if stored else key.jkt


async def in_an_event_loop(raw: str) -> VerifiedOutcome:
    async with AsyncOfflineVerifier.from_base_url("https://www.paphwey.com", on_invalid="return") as paphwey:
        await paphwey.refresh()
        outcome = await paphwey.verify_outcome(
            attestation_token=raw, audience="merchant.example", expected_delegation_id="dlg_1"
        )
        if not outcome.valid:
            why: str | None = outcome.code
            log.warning("%s", why)
        return await paphwey.verify(raw, "merchant.example", "dlg_1", ActionContext(scope="login"))


async def without_blocking(raw: str) -> bool:
    return (await verifier.verify_async(raw, "merchant.example", "dlg_1", now=1_900_000_000.0)).valid


def with_settings(jwks: dict[str, Any], client: httpx2.Client) -> list[OfflineVerifier]:
    rule: Literal["at_most", "exactly"] = "exactly"
    names = ClaimNames(delegation_id="dlg", receipt_id="jti")
    with OfflineVerifier(ww.Issuer("https://www.paphwey.com", jwks=jwks), claim_names=names, amount=rule) as given:
        given.refresh()
        fetched = OfflineVerifier.from_base_url(
            "https://www.paphwey.com",
            issuer="did:web:www.paphwey.com",
            jwks_uri="https://www.paphwey.com/keys",
            httpx_client=client,
            cache_settings=ww.jwks.CacheSettings(ttl=60),
            algorithms=("RS256",),
        )
        return [given, fetched]


def by_a_request(raw: str) -> str | None:
    request = VerifyOutcomeRequest(
        attestation_token=raw,
        audience="merchant.example",
        expected_delegation_id="dlg_1",
        expected_action={"scope": "purchase", "amount_minor": 1500, "currency": "GBP"},
    )
    return verifier.verify_outcome(request).receipt_id


def requests() -> tuple[CreateDelegationRequest, PresentDelegationRequest]:
    return (
        CreateDelegationRequest(
            principal_email="alice@shop.example",
            provider="openai",
            agent_id="shopping-agent",
            allowed_scopes=["purchase"],
            allowed_challenge_types=["HIGH_VALUE_PURCHASE_REQUIRED"],
            max_amount_minor=2500,
            currency="GBP",
            valid_until=datetime.now(UTC) + timedelta(days=14),
            metadata={"channel": "web-chat"},
        ),
        PresentDelegationRequest(
            challenge_type="HIGH_VALUE_PURCHASE_REQUIRED",
            audience="merchant.example",
            payload={
                "action_context": ActionContext(
                    scope="purchase", amount_minor=1500, currency="GBP", merchant="acme.example"
                ),
                "minimum_assurance": 10,
            },
            callback_url="https://merchant.example/hooks/paphwey",
            ttl_seconds=900,
        ),
    )


def purchase(client: httpx2.Client, raw: str) -> str | None:
    create, present = requests()
    with PaphweyClient(
        base_url="https://www.paphwey.com",
        api_key="sk_test_1.secret",
        timeout=10.0,
        max_retries=3,
        httpx_client=client,
        user_agent="merchant-api/2.1",
        on_invalid="return",
        offline_verifier=verifier,
        api=GatewayApi(verify_path="/v2/verify"),
    ) as paphwey:
        delegation: Delegation = paphwey.create_delegation(create, idempotency_key="key-1")
        challenge: Challenge = paphwey.present_delegation(delegation_id=delegation.delegation_id, request=present)
        log.info("%s is %s", challenge.challenge_id, delegation.status)
        url: str = paphwey.present_delegation(
            delegation.delegation_id, challenge_type="LOGIN_ASSURANCE", audience="merchant.example", payload={}
        ).approval_url
        outcome = paphwey.verify_outcome(
            attestation_token=raw, audience="merchant.example", expected_delegation_id=delegation.delegation_id
        )
        return outcome.receipt_id or url


async def purchase_async(client: httpx2.AsyncClient, raw: str) -> bool:
    create, present = requests()
    settings = CallSettings(timeout=5, deadline=8)
    async with AsyncPaphweyClient(
        "https://www.paphwey.com", "sk_test_1.secret", httpx_client=client, call_settings=settings
    ) as paphwey:
        delegation = await paphwey.create_delegation(create)
        challenge = await paphwey.present_delegation(delegation.delegation_id, present, idempotency_key="key-2")
        request = VerifyOutcomeRequest(
            attestation_token=raw, audience="merchant.example", expected_delegation_id=delegation.delegation_id
        )
        return (await paphwey.verify_outcome(request)).valid and bool(challenge.approval_url)


def status_of(error: PaphweyError) -> tuple[int, dict[str, str]]:
    if isinstance(error, PaphweyRateLimitError):
        seconds: int = error.retry_after_seconds
        return 503, {"Retry-After": str(seconds)}
    statuses: dict[type[PaphweyError], int] = {
        PaphweyAuthError: 500,
        PaphweyRequestError: 400,
        PaphweyNotFoundError: 404,
        PaphweyConflictError: 409,
        PaphweyPolicyError: 422,
    }
    return statuses.get(type(error), 500), {}


def test_an_application() -> None:
    fake = FakePaphweyClient()
    fake.enqueue_outcome(make_outcome(delegation_id="dlg_test", audience="merchant.example", claims={"sub": "p"}))
    fake.enqueue_outcome(PaphweyVerificationError("no", code="expired", trace_id="tr-1"))
    outcome = fake.verify_outcome(
        attestation_token="anything", audience="merchant.example", expected_delegation_id="dlg_test"
    )
    assert outcome.valid
    assert fake.requests[0].audience == "merchant.example"
    fake.enqueue_delegation(make_delegation(status="paused"))
    fake.enqueue_challenge(make_challenge())
    create, present = requests()
    assert fake.present_delegation(fake.create_delegation(create).delegation_id, present).challenge_id


async def test_an_application_in_an_event_loop() -> None:
    async with AsyncFakePaphweyClient() as fake:
        delegation = await fake.create_delegation(requests()[0])
        assert fake.created[0].provider == "openai"
        assert delegation.delegation_id
