"""Any bad input raises Paphwey's own exception, with the kernel's code; and no kind of token passes as another."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import attack_tokens
import hypothesis.strategies as st
import pytest
from hypothesis import given
from paphwey_gateway import ACTION, AGENT, AUDIENCE, BASE_URL, DELEGATION_ID, OUTSIDE, SAYS, Gateway

from watchword.dpop import DpopProver
from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.testing import Defect

GATEWAY = Gateway()
VERIFIER = GATEWAY.offline()

#: These are bad if a confirmation needs a proof with the token. An attestation is presented without one, so they are
#: rejected for another reason: there is no key in them to pin.
_UNPINNABLE = dict.fromkeys((Defect.BOUND_TO_KEY, Defect.BOUND_TO_CERTIFICATE), "unsupported")


#: No error text has such a word by chance.
SECRET = "s3cr3t-s3cr3t"


def rejected(token: Any, **changes: Any) -> str:
    """Return the code of the error, which must not quote the token."""
    code, shown = rejection(token, **changes)
    assert not any(len(part) > 8 and part in shown for part in str(token).split("."))
    return code


def rejection(token: Any, **changes: Any) -> tuple[str, str]:
    """Return the code of the error, and everything that it shows."""
    asked = {"audience": AUDIENCE, "expected_delegation_id": DELEGATION_ID, **changes}
    with pytest.raises(PaphweyVerificationError) as caught:
        VERIFIER.verify(token, **asked)
    error = caught.value
    assert error.trace_id is None
    return error.code, f"{error}{error!r}{error.args}{error.__cause__}"


@pytest.mark.parametrize("defect", Defect, ids=str)
def test_every_kind_of_bad_token(defect: Defect) -> None:
    # An RSA signature has no other form.
    for algorithm in ("ES256",) if defect is Defect.SIGNATURE_DER else ("ES256", "RS256"):
        token = GATEWAY.mint_bad(defect, algorithm=algorithm)
        assert rejected(token) == _UNPINNABLE.get(defect, str(defect.code)), algorithm


def test_the_token_that_they_are_made_of_is_good() -> None:
    assert VERIFIER.verify(GATEWAY.mint(), AUDIENCE, DELEGATION_ID, ACTION).valid


@pytest.mark.parametrize("row", attack_tokens.ROWS)
def test_every_row_of_the_list_of_attacks(row: str) -> None:
    for defect in attack_tokens.ROWS[row]:
        rejected(GATEWAY.mint_bad(defect))


def test_each_row_has_a_token_or_a_reason(shared: Path) -> None:
    table = (shared / "facts" / "attacks.md").read_text(encoding="utf-8").splitlines()
    for row in [line.split("|")[1].strip() for line in table if line.startswith("|")][2:]:
        names = [name for name in (*attack_tokens.ROWS, *attack_tokens.ELSEWHERE) if row.startswith(name)]
        assert len(names) == 1, f"{row!r} is named by {names}"


@given(st.one_of(st.text(), st.binary(), st.text("abc.\ud800é=-_", max_size=40)))
def test_any_text_at_all(token: str | bytes) -> None:
    # Whether it is quoted is not asked here: hypothesis draws words of the error texts, too.
    assert rejection(token)[0] in {"malformed_token", "malformed_header", "unsupported"}


@pytest.mark.parametrize("form", ["{0}", "{0}.{0}", "{0}.{0}.{0}", "{0}.{0}.{0}.{0}.{0}", "{0} é", "Bearer {0}"])
def test_no_error_quotes_a_malformed_token(form: str) -> None:
    assert SECRET not in rejection(form.format(SECRET))[1]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_NAMES = [*SAYS, "vc", "vp", "@context", "type", "issuer", "credentialSubject", "validFrom", "validUntil", "iss", "act"]


@given(st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=4), st.booleans())
def test_any_claims_at_all(claims: dict[str, Any], as_credential: bool) -> None:
    """Signed, with any claims: an outcome or Paphwey's exception, and no other."""
    payload = {"iss": BASE_URL, "aud": AUDIENCE, "exp": time.time() + 60, **SAYS}
    if as_credential:
        payload = {**payload, "vc": GATEWAY.credential()}
    token = GATEWAY.sign(json.dumps({**payload, **claims}).encode("utf-8", "surrogatepass"), algorithm="ES256")
    with contextlib.suppress(PaphweyVerificationError):
        assert VERIFIER.verify(token, AUDIENCE, DELEGATION_ID, ACTION).valid


# One kind of token for another.


def test_a_delegation_credential_is_no_attestation() -> None:
    types = ["VerifiableCredential", "PaphweyDelegationCredential"]
    assert rejected(GATEWAY.in_vc_claim(type=types)) == "wrong_type"
    assert rejected(GATEWAY.as_payload(type=types)) == "wrong_type"
    # Not even if it also has all claims of an attestation.
    assert rejected(GATEWAY.mint({"vc": GATEWAY.credential(type=types)})) == "wrong_type"
    # As the demonstration on Paphwey's site shows it: abbreviated, and no credential.
    preview = {"sub": "paphwey:delegation:d00f27a4", "vc": {"@context": [OUTSIDE], "type": types}}
    assert rejected(GATEWAY.mint(preview)) == "malformed_credential"


@pytest.mark.parametrize(
    "typ", ["at+jwt", "dpop+jwt", "vp+jwt", "vc+sd-jwt", "dc+sd-jwt", "kb+jwt", "secevent+jwt", "x"]
)
def test_tokens_of_other_types(typ: str) -> None:
    assert rejected(GATEWAY.mint(header={"typ": typ})) == "wrong_type"


def test_a_presentation_is_no_attestation() -> None:
    assert rejected(GATEWAY.mint({"vp": {"verifiableCredential": [GATEWAY.attest()]}})) == "malformed_credential"


def test_an_sd_jwt_is_no_attestation() -> None:
    assert rejected(GATEWAY.attest() + "~WyJzYWx0IiwibmFtZSIsInYiXQ~") == "malformed_token"


def test_a_proof_by_the_confirmed_key_is_no_attestation() -> None:
    assert rejected(AGENT.proof("GET", "https://merchant.example/")) == "wrong_type"


def test_an_attestation_of_another_gateway() -> None:
    assert rejected(Gateway("https://sandbox.paphwey.com").attest()) == "invalid_signature"
    assert rejected(Gateway(BASE_URL).attest()) == "invalid_signature"


def test_a_forged_attestation_has_no_other_error() -> None:
    forged = GATEWAY.mint_bad(Defect.CLAIMS_CHANGED)
    assert rejected(forged, audience="other.example", expected_delegation_id="dlg_other") == "invalid_signature"


# What an attestation may not say twice, or in another form.


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"delegation_id": 7}, "malformed_claims"),
        ({"delegation_id": [DELEGATION_ID]}, "malformed_claims"),
        ({"delegation_id": ""}, "malformed_claims"),
        ({"delegation_id": None, "delegation": None}, "missing_claim"),
        ({"delegation_id": "dlg_other"}, "wrong_delegation"),
        ({"delegation": {"delegation_id": "dlg_other"}}, "wrong_delegation"),
        ({"delegation": {"delegation_id": 7}}, "malformed_claims"),
        ({"delegation": DELEGATION_ID}, "malformed_claims"),
        ({"actor_chain": ["principal-1"]}, "malformed_claims"),
        ({"receipt_id": 1}, "malformed_claims"),
        ({"cnf": {"jkt": AGENT.jkt}}, "unsupported"),
        ({"cnf": {"kid": "agent"}}, "unsupported"),
        ({"cnf": {"x5t#S256": "agent"}}, "malformed_claims"),
        ({"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {"kty": "EC"}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {**AGENT.jwk, "d": "AAAA"}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {**AGENT.jwk, "use": "enc"}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {**AGENT.jwk, "y": AGENT.jwk["x"]}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": {"keys": [AGENT.jwk]}}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": AGENT.jwk, "jkt": DpopProver().jkt}}, "invalid_confirmation_key"),
        ({"cnf": {"jwk": "key"}}, "malformed_claims"),
        ({"act": "agent"}, "malformed_claims"),
    ],
    ids=str,
)
def test_claims_in_another_form(claims: dict[str, Any], code: str) -> None:
    assert rejected(GATEWAY.attest(**claims)) == code


def test_a_confirmation_that_names_its_key_twice() -> None:
    token = GATEWAY.attest(cnf={"jwk": AGENT.jwk, "jkt": AGENT.jkt})
    assert VERIFIER.verify(token, AUDIENCE, DELEGATION_ID).cnf_jwk == AGENT.jwk
