"""Any bad input raises one of the package's own exceptions, and none of them quotes it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from authpi_tokens import ACCESS_TOKEN, ISSUING, tokens, verifier
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword.providers import authpi
from watchword.providers.authpi import OAuthError, TokenExpiredError, TokenParseError
from watchword.testing import Defect

VERIFIER = verifier()

#: Defects of the signature and of who made it, which a trusted connection makes up for.
SIGNATURES = {
    *(defect for defect in Defect if defect.code in (ww.ErrorCode.INVALID_SIGNATURE, ww.ErrorCode.UNKNOWN_KEY)),
    *(defect for defect in Defect if defect.code is ww.ErrorCode.ALGORITHM_NOT_ALLOWED),
} - {Defect.EXPIRED_AND_FORGED}


@pytest.mark.parametrize("defect", Defect, ids=str)
def test_every_kind_of_bad_token(defect: Defect) -> None:
    expected = TokenExpiredError if defect.code is ww.ErrorCode.EXPIRED else TokenParseError
    with pytest.raises(expected) as caught:
        VERIFIER.create_agent(tokens(ISSUING.mint_bad(defect)))
    assert isinstance(caught.value.__cause__, ww.VerificationError)
    assert caught.value.__cause__.code == defect.code


@pytest.mark.parametrize("defect", Defect, ids=str)
def test_a_trusted_channel_replaces_no_other_check(defect: Defect) -> None:
    bad = tokens(ISSUING.mint_bad(defect))
    if defect in SIGNATURES:
        # One of them changes the subject, which no signature vouches for here.
        assert verifier(subject_prefixes=None).create_agent_from_trusted_channel(bad).id
        return
    with pytest.raises(OAuthError):
        VERIFIER.create_agent_from_trusted_channel(bad)


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CLAIMS = ("organizations", "email", "email_verified", "org_id", "sub", "aud", "azp", "nonce", "at_hash", "exp", "iat")


@given(st.dictionaries(st.sampled_from(CLAIMS), junk, max_size=3))
def test_claims_of_any_type(claims: dict[str, Any]) -> None:
    try:
        agent = VERIFIER.create_agent(tokens(ISSUING.mint(claims)))
    except OAuthError:
        return
    assert isinstance(agent.id, str)
    assert all(isinstance(scope, str) for one in agent.organizations for scope in one.scopes)
    assert agent.has_access("read", "users") in (True, False)


organizations = st.one_of(
    st.lists(st.fixed_dictionaries({}, optional={"id": junk, "scopes": junk, "title": junk, "joined_at": junk})),
    st.dictionaries(st.text(max_size=5), junk, max_size=3),
)


@given(organizations)
def test_memberships_of_any_form(claim: Any) -> None:
    try:
        agent = VERIFIER.create_agent(tokens(ISSUING.mint(organizations=claim)))
    except TokenParseError:
        return
    assert all(one.id for one in agent.organizations)


@given(st.dictionaries(st.sampled_from([*authpi.TokenSet.model_fields, "more"]), junk, max_size=5))
def test_token_sets_of_any_form(members: dict[str, Any]) -> None:
    for verb in (VERIFIER.create_agent, VERIFIER.create_agent_from_trusted_channel):
        with pytest.raises(OAuthError) as caught:
            verb({"expires_at": "no moment", **members})
        assert "no moment" not in str(caught.value)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_id_tokens_that_are_any_text(text: str) -> None:
    for verb in (VERIFIER.create_agent, VERIFIER.create_agent_from_trusted_channel):
        with pytest.raises(TokenParseError):
            verb(tokens(text))


@pytest.mark.parametrize("wrong", [None, "text", 5, ["access_token"], b"bytes"])
def test_token_sets_of_another_type_are_a_mistake(wrong: Any) -> None:
    with pytest.raises(TypeError, match="TokenSet"):
        VERIFIER.create_agent(wrong)
    with pytest.raises(TypeError):
        VERIFIER.verify(wrong if isinstance(wrong, (list, int)) else None)  # type: ignore[arg-type]


def text_of(error: BaseException) -> str:
    chain = [error, error.__cause__, error.__context__]
    return "".join(str(one) + repr(one) for one in chain if one is not None)


def test_the_error_for_a_token_set_has_no_exception_of_pydantic() -> None:
    for members in ({"access_token": ACCESS_TOKEN}, {"access_token": 5, "expires_at": ACCESS_TOKEN}):
        with pytest.raises(TokenParseError) as caught:
            VERIFIER.create_agent(members)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_no_error_quotes_a_token() -> None:
    raw = ISSUING.mint(sub="secret-subject", organizations=[{"id": "secret-org", "scopes": [5]}])
    for given_tokens in (
        tokens(raw),
        tokens(raw[:-4]),
        tokens(raw).model_dump() | {"expires_at": "secret-moment"},
        {"access_token": ACCESS_TOKEN, "id_token": raw, "refresh_token": 5},
        tokens(ISSUING.mint(sub="secret-subject"), subject_hint="usr_2"),
    ):
        with pytest.raises(OAuthError) as caught:
            VERIFIER.create_agent(given_tokens)
        shown = text_of(caught.value)
        assert "secret" not in shown
        assert ACCESS_TOKEN not in shown
        for part in raw.split("."):
            assert part[:16] not in shown


ERRORS = [
    (authpi.OAuthError("server_error", "why"), "server_error"),
    (authpi.TokenExpiredError(), "token_expired"),
    (authpi.RefreshError("invalid_grant", "why", 400), "invalid_grant"),
    (authpi.TokenParseError(), "invalid_token"),
    (authpi.SubjectMismatchError("usr_1", "usr_2"), "subject_mismatch"),
    (authpi.InsufficientScopeError(), "insufficient_scope"),
    (authpi.SessionExpiredError(), "session_expired"),
    (authpi.UserBlockedError(), "user_blocked"),
    (authpi.AccountLinkingRequiredError(), "account_linking_required"),
    (authpi.InteractionRequiredError(), "interaction_required"),
    (authpi.LoginRequiredError(), "login_required"),
    (authpi.ConsentRequiredError(), "consent_required"),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_the_tree_of_errors(error: OAuthError, code: str) -> None:
    assert isinstance(error, OAuthError)
    assert error.error == code
    assert error.error_description
    assert str(error) == error.error_description
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert vars(again) == vars(error)
        assert str(again) == str(error)


def test_what_the_errors_carry() -> None:
    rejected = authpi.RefreshError("invalid_grant", status_code=400)
    assert (rejected.status_code, rejected.error_description, str(rejected)) == (400, None, "invalid_grant")
    assert authpi.RefreshError("invalid_grant").status_code is None
    other = authpi.SubjectMismatchError(expected_sub="usr_1", actual_sub="usr_2")
    assert (other.expected_sub, other.actual_sub) == ("usr_1", "usr_2")
    assert not issubclass(authpi.ConfigurationError, OAuthError)
    assert str(authpi.UserBlockedError("blocked")) == "blocked"
