"""The gateway's answer about an attestation must be the answer to the question, and agree with the attestation."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from endpoint import Server, answer
from paphwey_client_calls import (
    ACTION,
    ASKED,
    AUDIENCE,
    FAST,
    VERIFY,
    Client,
    assert_silent,
    says,
)
from paphwey_gateway import AGENT, Gateway

from watchword.dpop import DpopProver
from watchword.providers.paphwey.errors import (
    PaphweyTransportError,
    PaphweyVerificationError,
)


@pytest.fixture
def raw(gateway: Gateway) -> str:
    return gateway.attest(delegation_id="dlg_1", delegation=None)


def good(gateway: Gateway, raw: str) -> dict[str, Any]:
    """A gateway's answer about an attestation: what the verifier finds in it."""
    outcome = gateway.offline().verify(raw, AUDIENCE, "dlg_1")
    return outcome.model_dump(exclude={"code"})


def changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    body = json.loads(json.dumps(body))
    *outer, name = path.split(".")
    inner = body
    for one in outer:
        inner = inner[one]
    if value is None:
        inner.pop(name, None)
    else:
        inner[name] = value
    return body


def test_a_good_answer_is_accepted(server: Server, gateway: Gateway, raw: str) -> None:
    body = good(gateway, raw)
    asked = {**ASKED, "attestation_token": raw, "expected_action": ACTION}
    assert says(server, VERIFY, body).verify(**asked).model_dump(exclude={"code"}) == body
    # The claims are enough, and so is a delegation beside them; an array of audiences is what RFC 7519 allows.
    alone = {"valid": True, "claims": {"aud": ["other", AUDIENCE], "delegation_id": "dlg_1", "cnf": {"jwk": AGENT.jwk}}}
    found = says(server, VERIFY, alone).verify(**ASKED)
    assert (found.cnf_jwk, found.delegation, found.receipt_id) == (AGENT.jwk, {}, None)
    beside = {"valid": True, "claims": {"aud": AUDIENCE}, "delegation": {"delegation_id": "dlg_1"}}
    assert says(server, VERIFY, beside).verify(**ASKED).valid


OTHER_KEY = DpopProver("ES256").jwk


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("claims.aud", "other.example", "wrong_attestation"),
        ("claims.aud", None, "missing_claim"),
        ("claims.delegation_id", "dlg_2", "wrong_attestation"),
        ("delegation.delegation_id", "dlg_2", "wrong_delegation"),
        ("claims.receipt_id", "rcpt-2", "wrong_attestation"),
        ("claims.jti", "another", "wrong_attestation"),
        ("claims.exp", True, "wrong_attestation"),
        ("claims.action_context.amount_minor", 1500.5, "wrong_attestation"),
        ("claims.cnf.jwk", OTHER_KEY, "wrong_attestation"),
        ("cnf_jwk", OTHER_KEY, "invalid_confirmation_key"),
        ("cnf_jwk", {"kty": "oct", "k": "c2VjcmV0"}, "invalid_confirmation_key"),
        ("cnf_jwk", {"keys": []}, "invalid_confirmation_key"),
        ("claims.vc", "credential", "malformed_credential"),
    ],
)
def test_an_answer_to_another_question(
    server: Server, gateway: Gateway, raw: str, path: str, value: object, code: str
) -> None:
    body = changed(good(gateway, raw), path, value)
    with pytest.raises(PaphweyVerificationError) as caught:
        says(server, VERIFY, body).verify(**{**ASKED, "attestation_token": raw})
    assert (caught.value.code, caught.value.status) == (code, 200)
    assert raw.split(".")[1] not in "".join(traceback.format_exception(caught.value))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("attested", "answered", "code"),
    [
        ({"delegation_id": "dlg_2"}, {}, "wrong_delegation"),
        ({"delegation_id": None, "delegation": {"delegation_id": "dlg_2"}}, {}, "wrong_delegation"),
        ({"action_context": {**ACTION, "amount_minor": 1499}}, {}, "amount_exceeded"),
        ({"action_context": {**ACTION, "amount_minor": 1500.0}}, {}, None),
        ({"action_context": {**ACTION, "scope": "refund"}}, {}, "wrong_action"),
        ({"cnf": {"jwk": AGENT.jwk}}, {"cnf_jwk": OTHER_KEY}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": AGENT.jwk}}, {"cnf_jwk": AGENT.jwk}, None),
        ({"cnf": {"jkt": AGENT.jkt}}, {"cnf_jwk": OTHER_KEY}, "invalid_confirmation_key"),
        ({"cnf": {"jkt": AGENT.jkt}}, {"cnf_jwk": AGENT.jwk}, None),
        ({"cnf": {"jkt": {"a": 1}}}, {"cnf_jwk": AGENT.jwk}, "invalid_confirmation_key"),
        ({"vp": {}}, {}, "malformed_credential"),
    ],
    ids=str,
)
def test_what_the_answer_leaves_out_is_checked_in_the_attestation(
    server: Server, gateway: Gateway, attested: dict[str, Any], answered: dict[str, Any], code: str | None
) -> None:
    raw = gateway.attest(**{"delegation_id": "dlg_1", "delegation": None, **attested})
    body = {"valid": True, "claims": {"aud": AUDIENCE}, "delegation": {"delegation_id": "dlg_1"}, **answered}
    client = says(server, VERIFY, body)
    asked = {**ASKED, "attestation_token": raw, "expected_action": ACTION}
    if code is None:
        assert client.verify(**asked).valid
        return
    with pytest.raises(PaphweyVerificationError) as caught:
        client.verify(**asked)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "other.example", "delegation_id": "dlg_1"}, "wrong_audience"),
        ({"aud": {"a": 1}, "delegation_id": "dlg_1"}, "wrong_audience"),
        ({"aud": AUDIENCE}, "missing_claim"),
        ({"aud": AUDIENCE, "delegation_id": "dlg_2"}, "wrong_delegation"),
        ({"aud": AUDIENCE, "delegation_id": 7}, "malformed_claims"),
        ({"aud": AUDIENCE, "delegation_id": "dlg_1", "delegation": {"delegation_id": "dlg_2"}}, "wrong_delegation"),
        ({"aud": AUDIENCE, "delegation_id": "dlg_1", "action_context": {"scope": "refund"}}, "wrong_action"),
        (
            {"aud": AUDIENCE, "delegation_id": "dlg_1", "action_context": {**ACTION, "amount_minor": 1499}},
            "amount_exceeded",
        ),
    ],
    ids=str,
)
def test_an_answer_about_a_token_that_cannot_be_decoded(server: Server, claims: dict[str, Any], code: str) -> None:
    client = says(server, VERIFY, {"valid": True, "claims": claims})
    with pytest.raises(PaphweyVerificationError) as caught:
        client.verify(**ASKED, expected_action=ACTION)
    assert caught.value.code == code
    assert_silent(caught.value)


def test_amounts_are_compared_with_every_digit(server: Server) -> None:
    claims = f'{{"aud": "{AUDIENCE}", "delegation_id": "dlg_1", "action_context": %s}}'
    for amount, code in (("1500.0", None), ("15e2", None), ("1500.00000000000000001", "malformed_claims")):
        action = f'{{"scope": "purchase", "currency": "GBP", "amount_minor": {amount}}}'
        client = says(server, VERIFY, f'{{"valid": true, "claims": {claims % action}}}')
        if code is None:
            assert client.verify(**ASKED, expected_action=ACTION).valid
        else:
            with pytest.raises(PaphweyVerificationError, match=code):
                client.verify(**ASKED, expected_action=ACTION)


@pytest.mark.parametrize("number", ["1e-99999999999999999999", "0e99999999999999999999", "-0.0e-99999999999999999999"])
def test_a_number_whose_exponent_no_decimal_has(server: Server, number: str) -> None:
    claims = f'{{"aud": "{AUDIENCE}", "delegation_id": "dlg_1", "other": {number}, "action_context": %s}}'
    assert says(server, VERIFY, f'{{"valid": true, "claims": {claims % "null"}}}').verify(**ASKED).valid
    action = f'{{"scope": "purchase", "currency": "GBP", "amount_minor": {number}}}'
    client = says(server, VERIFY, f'{{"valid": true, "claims": {claims % action}}}')
    with pytest.raises(PaphweyVerificationError, match="malformed_claims"):
        client.verify(**ASKED, expected_action={**ACTION, "amount_minor": 0})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"valid": "true"},
        {"valid": 1, "claims": {"aud": AUDIENCE, "delegation_id": "dlg_1"}},
        {"valid": True},
        {"valid": True, "claims": []},
        {"valid": True, "claims": {"aud": AUDIENCE, "delegation_id": "dlg_1"}, "delegation": "dlg_1"},
        {"valid": True, "claims": {"aud": AUDIENCE, "delegation_id": "dlg_1"}, "actor_chain": ["a"]},
        {"valid": True, "claims": {"aud": AUDIENCE, "delegation_id": "dlg_1"}, "receipt_id": 7},
        {"valid": True, "claims": {"aud": AUDIENCE, "delegation_id": "dlg_1"}, "cnf_jwk": "key"},
    ],
    ids=str,
)
def test_an_answer_that_is_no_outcome_says_nothing_of_the_attestation(server: Server, body: object) -> None:
    with pytest.raises(PaphweyTransportError) as caught:
        says(server, VERIFY, body).verify(**ASKED)
    assert caught.value.code == "invalid_response"
    assert_silent(caught.value)


def test_what_was_verified_offline_replaces_what_the_gateway_says(server: Server, gateway: Gateway, raw: str) -> None:
    verifier = gateway.offline()
    body = {"valid": True, "claims": {"aud": AUDIENCE}, "receipt_id": "rcpt-1", "more": 1}
    body["delegation"] = {"delegation_id": "dlg_1", "agent_did": "did:example:resolved"}
    server.routes[VERIFY] = answer(json.dumps(body), Content_Type="application/json")
    client = Client("thread", server.url, call_settings=FAST, offline_verifier=verifier)
    found = client.verify(**{**ASKED, "attestation_token": raw})
    assert found.claims["sub"] == "principal-1"
    assert found.cnf_jwk == AGENT.jwk
    assert found.delegation == {"delegation_id": "dlg_1", "agent_did": "did:example:resolved"}
    assert found.more == 1
    body["receipt_id"] = "rcpt-2"
    server.routes[VERIFY] = answer(json.dumps(body), Content_Type="application/json")
    with pytest.raises(PaphweyVerificationError, match="wrong_attestation"):
        client.verify(**{**ASKED, "attestation_token": raw})
