"""The clients against a stand-in: every documented call, in a thread and in an event loop."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from paphwey_client_calls import ACTION, AUDIENCE, Client, challenge, grant
from standins.paphwey import API_KEY, REVOKE_ONLY_KEY, PaphweyGateway, serving

from watchword.client import CallSettings
from watchword.providers.paphwey import PaphweyClient
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
from watchword.providers.paphwey.models import ActionContext, VerifyOutcomeRequest
from watchword.providers.paphwey.verify import AsyncOfflineVerifier, OfflineVerifier, PinnedKey

Make = Callable[..., Client]


@pytest.fixture
def gateway() -> Iterator[PaphweyGateway]:
    with serving() as gateway:
        yield gateway


@pytest.fixture(params=["thread", "task"])
def make(request: pytest.FixtureRequest, gateway: PaphweyGateway) -> Make:
    return lambda **options: Client(request.param, gateway.url, **options)


@pytest.fixture
def client(make: Make) -> Client:
    return make()


def attested(client: Client, gateway: PaphweyGateway, **claims: Any) -> tuple[str, str]:
    """Return a delegation's id, and an attestation for it."""
    delegation_id = client.create(grant()).delegation_id
    opened = client.present(delegation_id=delegation_id, request=challenge())
    return delegation_id, gateway.approve(opened.approval_url, **claims)


# The documented steps.


def test_the_documented_steps(client: Client, gateway: PaphweyGateway) -> None:
    delegation = client.create(grant())
    assert delegation.status == "active"
    opened = client.present(delegation_id=delegation.delegation_id, request=challenge())
    assert opened.approval_url.startswith(f"{gateway.url}/approve/chl_")
    outcome = client.verify(
        VerifyOutcomeRequest(
            attestation_token=gateway.approve(opened.approval_url),
            audience=AUDIENCE,
            expected_delegation_id=delegation.delegation_id,
            expected_action=ACTION,
        )
    )
    assert outcome.valid
    assert outcome.receipt_id == f"rcpt-{opened.challenge_id}"
    assert outcome.delegation["agent_did"] == "did:example:shopping-agent"
    assert outcome.actor_chain["principal_id"] == "principal-7"
    assert outcome.actor_chain["agent"] == {"provider": "openai", "agent_id": "shopping-agent"}
    assert outcome.claims["challenge_id"] == opened.challenge_id
    assert PinnedKey(outcome.cnf_jwk).jkt == gateway.agent.jkt


def test_what_is_sent(client: Client, gateway: PaphweyGateway) -> None:
    until = datetime(2099, 5, 1, 2, 30, 15, 999999, tzinfo=timezone(timedelta(hours=2)))
    delegation_id = client.create(grant(valid_until=until)).delegation_id
    headers, body = gateway.sent()
    assert headers["x-api-key"] == API_KEY
    assert body == {
        "principal_email": "alice@shop.example",
        "provider": "openai",
        "agent_id": "shopping-agent",
        "allowed_scopes": ["purchase"],
        "allowed_challenge_types": ["HIGH_VALUE_PURCHASE_REQUIRED"],
        "max_amount_minor": 2500,
        "currency": "GBP",
        "valid_until": "2099-05-01T00:30:15Z",
        "metadata": {"channel": "web-chat"},
    }
    client.create(grant(max_amount_minor=None, currency=None, metadata={}))
    assert not {"max_amount_minor", "currency", "metadata"} & set(gateway.sent()[1])
    client.present(delegation_id, challenge())
    payload = {"action_context": {**ACTION, "merchant": "acme.example"}, "minimum_assurance": 10}
    assert gateway.sent()[1] == {
        "challenge_type": "HIGH_VALUE_PURCHASE_REQUIRED",
        "audience": AUDIENCE,
        "payload": payload,
        "callback_url": "https://merchant.example/hooks/paphwey",
        "ttl_seconds": 900,
    }


def test_present_in_the_flat_form(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id = client.create(grant()).delegation_id
    payload = {"action_context": {**ACTION, "merchant": "acme.example"}, "minimum_assurance": 10}
    opened = client.present(
        delegation_id=delegation_id,
        challenge_type="HIGH_VALUE_PURCHASE_REQUIRED",
        audience=AUDIENCE,
        payload=payload,
        idempotency_key="key-1",
    )
    headers, body = gateway.sent()
    assert headers["idempotency-key"] == "key-1"
    assert body == {"challenge_type": "HIGH_VALUE_PURCHASE_REQUIRED", "audience": AUDIENCE, "payload": payload}
    assert opened.challenge_id
    with pytest.raises(TypeError, match="one PresentDelegationRequest, or its members"):
        client.present(delegation_id, challenge(), audience=AUDIENCE)


def test_verify_by_keywords(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id, raw = attested(client, gateway)
    outcome = client.verify(
        attestation_token=raw,
        audience=AUDIENCE,
        expected_delegation_id=delegation_id,
        expected_action=ActionContext(**ACTION),
    )
    assert outcome.valid
    headers, body = gateway.sent()
    assert "idempotency-key" not in headers
    assert body["expected_action"] == ACTION


# Idempotency.


def test_a_key_of_the_callers_own_makes_one_delegation(client: Client, gateway: PaphweyGateway) -> None:
    key = str(uuid.uuid4())
    request = grant()
    first, second = (client.create(request, idempotency_key=key) for _ in range(2))
    assert first == second
    assert len(gateway.delegations) == 1
    assert client.create(request).delegation_id != first.delegation_id
    assert {one[2]["idempotency-key"] for one in gateway.requests[:2]} == {key}


@pytest.mark.parametrize("lost", [True, False], ids=["the answer is lost", "503"])
def test_a_retry_has_the_same_key_and_creates_nothing_twice(
    client: Client, gateway: PaphweyGateway, lost: bool
) -> None:
    if lost:
        gateway.lost.append(True)
    else:
        gateway.failures.append((503, {}))
    delegation = client.create(grant())
    assert list(gateway.delegations) == [delegation.delegation_id]
    keys = [headers["idempotency-key"] for _, _, headers, _ in gateway.requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    if lost:
        gateway.lost.append(True)
    client.present(delegation.delegation_id, challenge())
    client.create(grant())
    assert len({headers["idempotency-key"] for _, _, headers, _ in gateway.requests}) == 3


def test_an_attestation_is_not_verified_again_after_a_lost_answer(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id, raw = attested(client, gateway)
    before = len(gateway.requests)
    asked = {"attestation_token": raw, "audience": AUDIENCE, "expected_delegation_id": delegation_id}
    gateway.lost.append(True)
    with pytest.raises(PaphweyTransportError) as caught:
        client.verify(**asked)
    assert caught.value.code == "transport_error"
    assert len(gateway.requests) == before + 1
    # It has been consumed all the same, and only the gateway knows.
    with pytest.raises(PaphweyConflictError, match="ALREADY_CONSUMED"):
        client.verify(**asked)
    gateway.failures.append((500, {}))
    with pytest.raises(PaphweyError, match="the gateway answered 500"):
        client.verify(**asked)
    assert len(gateway.requests) == before + 3


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Api-Key: b", "ü", "x" * 256, 7])
def test_a_key_that_is_no_header(client: Client, gateway: PaphweyGateway, key: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="idempotency_key must be"):
        client.create(grant(), idempotency_key=key)
    assert gateway.requests == []


# Statuses.


def test_a_wrong_key_and_one_without_the_scope(make: Make, gateway: PaphweyGateway) -> None:
    for key in ("sk_test_wrong.key", REVOKE_ONLY_KEY):
        with pytest.raises(PaphweyAuthError, match="permission_denied") as caught:
            make(api_key=key).create(grant())
        assert caught.value.trace_id.startswith("tr-")
    assert caught.value.status == 403


def test_the_gateways_refusals(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id = client.create(grant()).delegation_id
    with pytest.raises(PaphweyRequestError) as malformed:
        client.create(grant(principal_email="nobody"))
    assert (malformed.value.code, malformed.value.status) == ("malformed_request", 400)
    for asked, code in (
        ({"action": {"amount_minor": 2501}}, "SPEND_CAP_EXCEEDED"),
        ({"action": {"scope": "refund"}}, "SCOPE_NOT_ALLOWED"),
        ({"ttl_seconds": 86_400}, "TTL_EXCEEDED"),
        ({"challenge_type": "LOGIN_ASSURANCE"}, "POLICY_NOT_ALLOWED"),
    ):
        with pytest.raises(PaphweyPolicyError) as refused:
            client.present(delegation_id, challenge(**asked))
        assert refused.value.code == code
        assert refused.value.trace_id.startswith("tr-")
    with pytest.raises(PaphweyPolicyError, match="TTL_EXCEEDED"):
        client.create(grant(valid_until=datetime(2020, 1, 1, tzinfo=UTC)))
    with pytest.raises(PaphweyNotFoundError, match="DELEGATION_NOT_FOUND"):
        client.present(str(uuid.uuid4()), challenge())
    gateway.revoke(delegation_id)
    with pytest.raises(PaphweyConflictError, match="DELEGATION_REVOKED"):
        client.present(delegation_id, challenge())


def test_an_attestation_counts_once(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id, raw = attested(client, gateway)
    asked = {"attestation_token": raw, "audience": AUDIENCE, "expected_delegation_id": delegation_id}
    assert client.verify(**asked).valid
    with pytest.raises(PaphweyConflictError, match="ALREADY_CONSUMED"):
        client.verify(**asked)


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "7"}, 7), ({}, 1), ({"Retry-After": "soon"}, 1)], ids=str
)
def test_rate_limits(make: Make, gateway: PaphweyGateway, headers: dict[str, str], seconds: int) -> None:
    limited = make(call_settings=CallSettings(timeout=5, deadline=5, max_retries=0))
    gateway.failures.append((429, headers))
    with pytest.raises(PaphweyRateLimitError, match="try_again") as caught:
        limited.create(grant())
    assert caught.value.retry_after_seconds == seconds
    assert (caught.value.trace_id, caught.value.status) == ("tr-1", 429)


def test_every_call_is_repeated_after_429(client: Client, gateway: PaphweyGateway) -> None:
    gateway.failures.append((429, {"Retry-After": "0"}))
    delegation_id, raw = attested(client, gateway)
    gateway.failures.extend([(429, {}), (429, {})])
    assert client.verify(attestation_token=raw, audience=AUDIENCE, expected_delegation_id=delegation_id).valid


def test_the_documented_number_of_retries() -> None:
    with serving() as gateway:
        client = PaphweyClient(gateway.url, API_KEY, max_retries=1)
        gateway.failures.extend([(502, {})] * 9)
        with pytest.raises(PaphweyError) as caught:
            client.create_delegation(grant())
    assert type(caught.value) is PaphweyError
    assert (caught.value.status, caught.value.code) == (502, "try_again")
    assert len(gateway.requests) == 2


# Invalid attestations.


def test_an_invalid_attestation_raises(client: Client, gateway: PaphweyGateway) -> None:
    delegation_id, raw = attested(client, gateway, exp=1)
    with pytest.raises(PaphweyVerificationError) as caught:
        client.verify(attestation_token=raw, audience=AUDIENCE, expected_delegation_id=delegation_id)
    assert (caught.value.code, caught.value.trace_id, caught.value.status) == ("expired", "tr-2", 200)


def test_an_invalid_attestation_is_returned_on_request(make: Make, gateway: PaphweyGateway) -> None:
    client = make(on_invalid="return")
    delegation_id, raw = attested(client, gateway)
    for token, audience, expected, action, code in (
        (raw, "other.example", delegation_id, None, "wrong_audience"),
        (raw, AUDIENCE, "dlg_other", None, "wrong_delegation"),
        (raw, AUDIENCE, delegation_id, {**ACTION, "amount_minor": 1501}, "amount_exceeded"),
        (raw[:-8] + "AAAAAAAA", AUDIENCE, delegation_id, None, "invalid_signature"),
    ):
        outcome = client.verify(
            attestation_token=token, audience=audience, expected_delegation_id=expected, expected_action=action
        )
        assert (outcome.valid, outcome.code, outcome.claims) == (False, code, {})


@pytest.mark.parametrize("kind", [OfflineVerifier, AsyncOfflineVerifier])
def test_an_offline_verifier_comes_before_the_gateway(make: Make, gateway: PaphweyGateway, kind: Any) -> None:
    verifier = kind.from_base_url(gateway.url, allow_loopback_http=True)
    client = make(offline_verifier=verifier)
    delegation_id, raw = attested(client, gateway)
    before = len(gateway.requests)
    asked = {"audience": AUDIENCE, "expected_delegation_id": delegation_id, "expected_action": ACTION}
    with pytest.raises(PaphweyVerificationError, match="invalid_signature"):
        client.verify(attestation_token=raw[:-8] + "AAAAAAAA", **asked)
    assert len(gateway.requests) == before
    outcome = client.verify(attestation_token=raw, **asked)
    assert outcome.valid
    assert outcome.delegation["agent_did"] == "did:example:shopping-agent"
    with pytest.raises(PaphweyConflictError):
        client.verify(attestation_token=raw, **asked)
    # What it would return instead of raising is not sent either.
    returning = kind.from_base_url(gateway.url, allow_loopback_http=True, on_invalid="return")
    with pytest.raises(PaphweyVerificationError, match="wrong_audience"):
        make(offline_verifier=returning).verify(attestation_token=raw, **{**asked, "audience": "other.example"})
