"""The exceptions, the strict models, and the helpers for tests."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic
import pytest
from paphwey_gateway import ACTION, AUDIENCE, DELEGATION_ID

from watchword.providers.paphwey import AsyncPaphweyClient, PaphweyClient, errors, models, testing
from watchword.providers.paphwey.models import ActionContext, CreateDelegationRequest, PresentDelegationRequest
from watchword.providers.paphwey.testing import (
    AsyncFakePaphweyClient,
    FakePaphweyClient,
    make_challenge,
    make_delegation,
    make_outcome,
)

CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_the_tree_is_the_documented_one() -> None:
    names = {"Auth", "Request", "NotFound", "Conflict", "Policy", "RateLimit", "Verification", "Transport", ""}
    assert set(errors.__all__) == {f"Paphwey{name}Error" for name in names}
    assert all(issubclass(one, errors.PaphweyError) for one in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_each_has_a_code_and_a_trace_id_and_travels(kind: Any) -> None:
    bare = kind()
    assert bare.code
    assert bare.message
    assert bare.trace_id is None
    error = kind("the server said no", code="no", trace_id="tr-1")
    error.note = "kept"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert vars(other) == vars(error)
    assert str(error) == "no: the server said no"
    assert "tr-1" in repr(error)


def test_a_rate_limit_has_the_seconds_to_wait() -> None:
    assert str(errors.PaphweyRateLimitError().retry_after_seconds) == "1"
    limited = errors.PaphweyRateLimitError(retry_after_seconds=30)
    assert pickle.loads(pickle.dumps(limited)).retry_after_seconds == 30


# Models.


def create(**changes: Any) -> CreateDelegationRequest:
    return CreateDelegationRequest(
        **{
            "principal_email": "alice@shop.example",
            "provider": "openai",
            "agent_id": "shopping-agent",
            "allowed_scopes": ["purchase"],
            "allowed_challenge_types": ["HIGH_VALUE_PURCHASE_REQUIRED"],
            "max_amount_minor": 2500,
            "currency": "GBP",
            "valid_until": datetime.now(UTC) + timedelta(days=14),
            "metadata": {"channel": "web-chat"},
            **changes,
        }
    )


def test_the_documented_requests() -> None:
    assert create().allowed_scopes == ["purchase"]
    challenge = PresentDelegationRequest(
        challenge_type="HIGH_VALUE_PURCHASE_REQUIRED",
        audience=AUDIENCE,
        payload={"action_context": ActionContext(**ACTION, merchant="acme.example"), "minimum_assurance": 10},
        callback_url="https://merchant.example/hooks/paphwey",
        ttl_seconds=900,
    )
    assert challenge.payload["action_context"].merchant == "acme.example"
    assert (
        models.VerifyOutcomeRequest(
            attestation_token="t", audience=AUDIENCE, expected_delegation_id=DELEGATION_ID, expected_action=ACTION
        ).expected_action
        == ACTION
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"max_amount_minor": "2500"},
        {"max_amount_minor": 2500.0},
        {"max_amount_minor": True},
        {"max_amount_minor": -1},
        {"valid_until": datetime(2026, 1, 1)},
        {"valid_until": "2026-01-01T00:00:00Z"},
        {"allowed_scopes": "purchase"},
        {"surprise": 1},
        {"principal_email": None},
    ],
    ids=str,
)
def test_models_are_strict_and_closed(changes: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        create(**changes)
    assert "alice@" not in str(caught.value)


def test_a_models_error_does_not_quote_the_token() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        models.VerifyOutcomeRequest(attestation_token=["secret-token"], audience=AUDIENCE, expected_delegation_id=7)
    assert "secret-token" not in str(caught.value) + repr(caught.value)


# For tests.


def test_the_fake_returns_what_was_enqueued_by_both_forms_of_the_call() -> None:
    fake = FakePaphweyClient()
    asked = {"attestation_token": "anything", "audience": AUDIENCE, "expected_delegation_id": "dlg_test"}
    outcome = make_outcome(
        delegation_id="dlg_test",
        audience=AUDIENCE,
        claims={"sub": "principal-1", "challenge_id": "chl_test"},
        actor_chain={"principal_id": "principal-1", "agent": {"provider": "openai", "agent_id": "shopping-agent"}},
    )
    fake.enqueue_outcome(outcome)
    fake.enqueue_outcome(make_outcome(valid=False, code="expired"))
    fake.enqueue_outcome(errors.PaphweyVerificationError(code="expired"))
    assert fake.verify_outcome(**asked) is outcome
    assert outcome.valid
    assert outcome.claims["aud"] == AUDIENCE
    assert outcome.claims["challenge_id"] == "chl_test"
    assert outcome.delegation["delegation_id"] == "dlg_test"
    assert outcome.receipt_id
    assert not fake.verify_outcome(models.VerifyOutcomeRequest(**asked)).valid
    with pytest.raises(errors.PaphweyVerificationError, match="expired"):
        fake.verify_outcome(**asked)
    with pytest.raises(LookupError, match="enqueue_outcome"):
        fake.verify_outcome(**asked)
    assert [request.audience for request in fake.requests] == [AUDIENCE] * 4
    with pytest.raises(TypeError, match="VerifiedOutcome"):
        fake.enqueue_outcome({"valid": True})  # type: ignore[arg-type]  # what is tested


def test_outcomes_are_distinguished_by_their_receipts() -> None:
    assert make_outcome().receipt_id != make_outcome().receipt_id
    assert make_outcome(receipt_id="rcpt-7").receipt_id == "rcpt-7"


def present() -> PresentDelegationRequest:
    return PresentDelegationRequest(challenge_type="LOGIN_ASSURANCE", audience=AUDIENCE, payload={})


def test_the_fake_creates_and_presents() -> None:
    with FakePaphweyClient() as fake:
        first = fake.create_delegation(create(), idempotency_key="key-1")
        assert first.status == "active"
        assert fake.create_delegation(create(), idempotency_key="key-1") is first
        assert fake.create_delegation(create()).delegation_id != first.delegation_id
        opened = fake.present_delegation(delegation_id=first.delegation_id, request=present(), idempotency_key="key-1")
        assert opened.approval_url.startswith("https://")
        assert opened.challenge_id in opened.approval_url
        again = fake.present_delegation(first.delegation_id, present(), idempotency_key="key-1")
        assert again is opened
        flat = fake.present_delegation("dlg_2", challenge_type="LOGIN_ASSURANCE", audience=AUDIENCE, payload={})
        assert flat.approval_url != opened.approval_url
        fake.enqueue_delegation(make_delegation(delegation_id="dlg_7", status="paused"))
        fake.enqueue_delegation(errors.PaphweyPolicyError(code="SPEND_CAP_EXCEEDED", trace_id="tr-1"))
        fake.enqueue_challenge(make_challenge(approval_url="https://a.test/1", challenge_id="chl_7"))
        fake.enqueue_challenge(errors.PaphweyRateLimitError(retry_after_seconds=3))
        assert fake.create_delegation(create()).delegation_id == "dlg_7"
        with pytest.raises(errors.PaphweyPolicyError, match="SPEND_CAP_EXCEEDED"):
            fake.create_delegation(create())
        assert fake.present_delegation("dlg_7", present()).challenge_id == "chl_7"
        with pytest.raises(errors.PaphweyRateLimitError):
            fake.present_delegation("dlg_7", present())
        assert len(fake.created) == 5
        assert [delegation_id for delegation_id, _ in fake.presented] == [first.delegation_id] * 2 + ["dlg_2"] + [
            "dlg_7"
        ] * 2
    fake.close()


def test_the_fake_for_event_loops() -> None:
    async def run() -> None:
        async with AsyncFakePaphweyClient() as fake:
            fake.enqueue_outcome(make_outcome(delegation_id="dlg_test"))
            delegation = await fake.create_delegation(create())
            opened = await fake.present_delegation(delegation.delegation_id, present())
            assert opened.approval_url
            asked = {"attestation_token": "t", "audience": AUDIENCE, "expected_delegation_id": "dlg_test"}
            assert (await fake.verify_outcome(**asked)).valid
            with pytest.raises(LookupError, match="enqueue_outcome"):
                await fake.verify_outcome(**asked)
            await fake.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("kind", [FakePaphweyClient, AsyncFakePaphweyClient])
def test_the_fakes_take_what_the_clients_take(kind: type) -> None:
    client = PaphweyClient if kind is FakePaphweyClient else AsyncPaphweyClient
    for name in ("create_delegation", "present_delegation", "verify_outcome"):
        parameters = inspect.signature(getattr(client, name)).parameters
        assert list(inspect.signature(getattr(kind, name)).parameters) == list(parameters)
    for name in ("enqueue_delegation", "enqueue_challenge", "enqueue_outcome"):
        with pytest.raises(TypeError, match="PaphweyError"):
            getattr(kind(), name)({})


# What is imported.


def test_everything_public_is_documented() -> None:
    for module in (errors, models, testing):
        for name in module.__all__:
            assert getattr(module, name).__doc__, name


@pytest.mark.parametrize("provider", ["paphwey.verify", "clawauth"])
def test_providers_are_imported_by_those_who_use_them(provider: str) -> None:
    script = (
        "import sys, watchword; assert not {'pydantic', 'watchword.providers'} & set(sys.modules)\n"
        "sys.modules['pydantic'] = None\n"
        f"try:\n    import watchword.providers.{provider}\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"pip install 'watchword[{provider.partition('.')[0]}]'" in done.stdout
