"""For any input ``validate`` returns what is wrong, quotes nothing of it, and raises nothing."""

from __future__ import annotations

from typing import Any

import mint
import pytest
from agentwrit_tokens import ROOT, TWO_HOPS, broker, claims, delegated, hashed, token
from hypothesis import given
from hypothesis import strategies as st
from shaped_issuer import ShapedIssuer

import watchword as ww
from watchword.providers.agentwrit import Broker
from watchword.testing import Defect

ISSUER = "https://broker.example"


def _agents(found: dict[str, Any]) -> dict[str, Any]:
    return claims(
        **{"nbf": found["iat"], **{name: found[name] for name in ("iss", "aud", "exp", "iat") if name in found}}
    )


ISSUING = ShapedIssuer(_agents, issuer=ISSUER, audience=["https://api.example"])
TRUSTING = Broker(ISSUER, ISSUING.jwks(), issuer=ISSUER, audience="https://api.example")


#: All but the one that an EdDSA signature cannot have.
DEFECTS = [defect for defect in Defect if defect is not Defect.SIGNATURE_DER]


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_every_kind_of_bad_token(defect: Defect) -> None:
    result = TRUSTING.validate(ISSUING.mint_bad(defect))
    assert (result.valid, result.claims) == (False, None)
    assert result.code == defect.code


def test_the_token_that_they_are_made_of_is_good() -> None:
    assert TRUSTING.validate(ISSUING.mint()).valid is True


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (*claims(), "aud", "sid", "delegation_chain", "chain_hash")


@given(st.dictionaries(st.sampled_from(NAMES), junk, max_size=3))
def test_claims_of_any_type(changes: dict[str, Any]) -> None:
    result = broker(audience=ww.ANY_AUDIENCE).validate(token(claims(**changes)))
    if result.valid:
        assert result.claims is not None
        assert result.claims.sub == ROOT
        assert all(isinstance(scope, str) for scope in result.claims.scope)


@given(st.integers(0, 1), st.dictionaries(st.sampled_from(sorted(TWO_HOPS[0])), junk, min_size=1, max_size=2))
def test_records_of_any_form(place: int, changes: dict[str, Any]) -> None:
    records = [dict(one) for one in TWO_HOPS]
    records[place].update(changes)
    unchanged = records == list(TWO_HOPS)
    assert broker().validate(token(delegated(*records))).valid is unchanged
    # Whatever else is in a record is neither hashed nor signed, nor read.
    more = [{**one, "more": changes} for one in TWO_HOPS]
    assert broker().validate(token(delegated(*more, chain_hash=hashed(list(TWO_HOPS))))).valid is True


@given(st.text() | st.binary())
def test_tokens_that_are_any_text(raw: Any) -> None:
    assert broker().validate(raw).valid is False


def test_nothing_is_quoted() -> None:
    secret = "secret-subject"
    for raw in (
        token(claims(sub=secret)),
        token(claims(jti=secret, exp=1)),
        token(claims(task_id=secret)),
        token(delegated(TWO_HOPS[0] | {"agent": secret})),
        token(claims(aud=[secret])),
        token(key="ed25519-b"),
        token() + secret,
    ):
        result = broker().validate(raw)
        assert result.valid is False
        shown = repr(result)
        assert secret not in shown
        assert not any(part[:16] in shown for part in raw.split("."))


def test_what_is_signed_is_in_no_repr() -> None:
    result = broker().validate(token(delegated(*TWO_HOPS)))
    assert TWO_HOPS[0]["signature"] not in repr(result)
    assert mint.public_jwk("ed25519")["x"] not in repr(broker())
