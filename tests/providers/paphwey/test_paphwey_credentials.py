"""Attestations that are Verifiable Credentials: in the claim vc, and as the payload."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from paphwey_gateway import ACTION, AGENT, AUDIENCE, BASE_URL, CONTEXT, DELEGATION_ID, SAYS, Gateway

from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.providers.paphwey.models import VerifiedOutcome

GATEWAY = Gateway(algorithms=("ES256",))
VERIFIER = GATEWAY.offline()
FORMS = [GATEWAY.in_vc_claim, GATEWAY.as_payload]
each_form = pytest.mark.parametrize("write", FORMS, ids=["vc", "vc+jwt"])


def verify(token: str, **settings: Any) -> VerifiedOutcome:
    verifier = GATEWAY.offline(**settings) if settings else VERIFIER
    return verifier.verify(token, AUDIENCE, DELEGATION_ID, ACTION)


def code(token: str, **settings: Any) -> str | None:
    try:
        assert verify(token, **settings).valid
    except PaphweyVerificationError as error:
        return error.code
    return None


@each_form
def test_everything_is_found_in_the_subject(write: Any) -> None:
    outcome = verify(write())
    assert outcome.receipt_id == "rcpt-1"
    assert outcome.delegation == SAYS["delegation"]
    assert outcome.actor_chain == SAYS["actor_chain"]
    assert outcome.cnf_jwk == AGENT.jwk
    assert code(write(credentialSubject={**GATEWAY.credential()["credentialSubject"], "delegation_id": "x"})) == (
        "wrong_delegation"
    )


@each_form
def test_the_subject_counts_for_amounts_too(write: Any) -> None:
    subject = {**GATEWAY.credential()["credentialSubject"], "action_context": {**ACTION, "amount_minor": 1499}}
    assert code(write(credentialSubject=subject)) == "amount_exceeded"
    assert code(write(credentialSubject=[subject | {"action_context": ACTION}])) is None


@each_form
def test_claims_inside_and_outside_must_agree(write: Any) -> None:
    assert (
        code(write({"delegation_id": DELEGATION_ID, "action_context": {**ACTION, "merchant": "acme.example"}})) is None
    )
    for outside in (
        {"delegation_id": "dlg_other"},
        {"receipt_id": "rcpt-2"},
        {"actor_chain": {"principal_id": "principal-2"}},
        {"action_context": {**ACTION, "amount_minor": 150_000}},
        # One is not true, though Python thinks so.
        {"delegation": {**SAYS["delegation"], "x": 1}},
    ):
        assert code(write(outside)) == "malformed_claims", outside


def test_the_order_of_members_is_irrelevant() -> None:
    backwards = dict(reversed(SAYS["delegation"].items()))
    assert code(GATEWAY.in_vc_claim({"delegation": backwards})) is None


def test_the_end_itself_is_too_late() -> None:
    token = GATEWAY.as_payload({"exp": None, "iat": None}, validUntil="2030-01-01T00:00:00Z")
    verifier = GATEWAY.offline(leeway=0)
    assert verifier.verify(token, AUDIENCE, DELEGATION_ID, now=1_893_455_999).valid
    with pytest.raises(PaphweyVerificationError, match="expired"):
        verifier.verify(token, AUDIENCE, DELEGATION_ID, now=1_893_456_000)


def test_one_and_true_do_not_agree() -> None:
    subject = {**GATEWAY.credential()["credentialSubject"], "actor_chain": {"x": True}}
    assert code(GATEWAY.in_vc_claim({"actor_chain": {"x": 1}}, credentialSubject=subject)) == "malformed_claims"


@pytest.mark.parametrize(
    "members",
    [
        {"@context": None},
        {"@context": CONTEXT},
        {"@context": []},
        {"@context": ["https://www.w3.org/2018/credentials/v1"]},
        {"@context": ["https://paphwey.example/v1", CONTEXT]},
        {"@context": {"@vocab": CONTEXT}},
        {"type": None},
        {"type": []},
        {"type": "PaphweyAttestationCredential"},
        {"type": ["verifiablecredential"]},
        {"type": ["VerifiableCredential", 7]},
        {"type": {"VerifiableCredential": True}},
        {"credentialSubject": "principal-1"},
        {"credentialSubject": []},
        {"credentialSubject": [{}, {}]},
        {"credentialSubject": ["x"]},
        {"issuer": ""},
        {"issuer": 7},
        {"issuer": [BASE_URL]},
        {"issuer": {}},
        {"issuer": {"id": 7}},
        {"validUntil": 1},
        {"validUntil": "2099-01-01"},
        {"validUntil": "2099-01-01T00:00:00"},
        {"validUntil": "2099-02-30T00:00:00Z"},
        {"validUntil": "2099-01-01T00:00:00+99:00"},
        {"validUntil": "２０９９-01-01T00:00:00Z"},
        {"validFrom": "yesterday"},
        {"validFrom": "0000-00-00T00:00:00Z"},
        {"validFrom": ["2020-01-01T00:00:00Z"]},
    ],
    ids=str,
)
def test_what_is_no_credential(members: dict[str, Any]) -> None:
    for write in FORMS:
        assert code(write(**members)) == "malformed_credential"


def test_a_null_is_no_member() -> None:
    credential = {**GATEWAY.credential(), "validUntil": None}
    assert code(GATEWAY.mint({"vc": credential})) == "malformed_credential"
    assert code(GATEWAY.mint({"vc": {**GATEWAY.credential(), "issuer": None}})) == "malformed_credential"


@pytest.mark.parametrize("vc", [[], "x", 7, True, {}])
def test_a_vc_claim_that_is_no_object(vc: Any) -> None:
    assert code(GATEWAY.mint({"vc": vc})) == "malformed_credential"


def test_the_two_forms_do_not_mix() -> None:
    assert code(GATEWAY.as_payload({"vc": GATEWAY.credential()})) == "malformed_credential"
    assert code(GATEWAY.mint(header={"typ": "vc+jwt"})) == "malformed_credential"
    assert code(GATEWAY.mint(header={"typ": "application/VC+JWT"})) == "malformed_credential"
    # A credential without its type is still checked as one.
    assert code(GATEWAY.mint({**GATEWAY.credential(), "@context": ["https://x.example"]})) == "malformed_credential"
    assert code(GATEWAY.mint({"credentialSubject": {}})) == "malformed_credential"
    assert (
        code(GATEWAY.mint(GATEWAY.credential(type=["VerifiableCredential", "PaphweyDelegationCredential"])))
        == "wrong_type"
    )


@each_form
def test_the_credentials_issuer_is_the_gateway(write: Any) -> None:
    assert code(write(issuer={"id": BASE_URL, "name": "Paphwey"})) is None
    assert code(write(issuer="did:web:www.paphwey.com")) == "wrong_issuer"
    assert code(write(issuer=f"{BASE_URL}/")) == "wrong_issuer"
    assert code(write(issuer="did:web:www.paphwey.com"), credential_issuers=["did:web:www.paphwey.com"]) is None
    # The other name is the credential's, not the token's.
    token = write({"iss": "did:web:www.paphwey.com"})
    assert code(token, credential_issuers=["did:web:www.paphwey.com"]) == "wrong_issuer"


def test_one_of_both_names_the_issuer() -> None:
    assert code(GATEWAY.as_payload({"iss": None})) is None
    assert code(GATEWAY.as_payload({"iss": None}, issuer=None)) == "missing_claim"
    assert code(GATEWAY.in_vc_claim(issuer=None)) is None
    assert code(GATEWAY.as_payload({"iss": "https://elsewhere.example"})) == "wrong_issuer"


@each_form
def test_the_end_is_said_somewhere(write: Any) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=2)
    past = datetime.now(UTC) - timedelta(minutes=2)
    assert code(write({"exp": None})) == "missing_claim"
    assert code(write({"exp": None}, validUntil=soon.isoformat())) is None
    assert code(write({"exp": None}, validUntil=past.isoformat())) == "expired"
    assert code(write(validUntil=past.isoformat())) == "expired"
    assert code(write({"exp": int(time.time()) - 60}, validUntil=soon.isoformat())) == "expired"
    assert code(write(validFrom=soon.isoformat())) == "not_yet_valid"
    assert code(write(validFrom=past.isoformat())) is None
    assert code(write(validFrom=soon.isoformat()), leeway=300) is None


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.integers(-10, 10).filter(bool),
)
def test_moments_are_read_in_every_zone(moment: datetime, offset: int, seconds: int) -> None:
    text = moment.replace(tzinfo=timezone(timedelta(minutes=offset))).isoformat()
    at = datetime.fromisoformat(text).timestamp()
    token = GATEWAY.as_payload({"exp": None, "iat": None}, validUntil=text)
    verifier = GATEWAY.offline(leeway=0)
    if seconds < 0:
        assert verifier.verify(token, AUDIENCE, DELEGATION_ID, now=at + seconds).valid
    else:
        with pytest.raises(PaphweyVerificationError, match="expired"):
            verifier.verify(token, AUDIENCE, DELEGATION_ID, now=at + seconds)


@each_form
def test_a_type_can_be_required(write: Any) -> None:
    wanted = {"credential_type": "PaphweyAttestationCredential"}
    assert code(write(), **wanted) is None
    assert code(write(type=["VerifiableCredential"]), **wanted) == "wrong_type"
    assert code(GATEWAY.attest(), **wanted) == "wrong_type"


@each_form
def test_what_is_not_understood_is_ignored(write: Any) -> None:
    assert code(write(credentialStatus={"type": "BitstringStatusListEntry"}, evidence=[1])) is None


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["@context", "type", "issuer", "credentialSubject", "validFrom", "validUntil", "id"]), _ANY
    ),
    st.booleans(),
)
def test_any_credential_is_accepted_or_rejected(members: dict[str, Any], as_payload: bool) -> None:
    credential = {**GATEWAY.credential(), **members}
    claims = {"iss": BASE_URL, "aud": AUDIENCE, "exp": int(time.time()) + 60}
    payload = {**claims, **credential} if as_payload else {**claims, "vc": credential}
    code(GATEWAY.sign(json.dumps(payload).encode(), header={"typ": "vc+jwt" if as_payload else "JWT"}))
