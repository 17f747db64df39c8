"""A merchant's program over Paphwey's documented names. It is never run: ``mypy --strict`` must find nothing wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx2

import watchword as ww
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
    CreateDelegationRequest,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.testing import FakePaphweyClient, make_outcome
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
