"""Step-up authentication (RFC 9470): what is required of ``acr`` and ``auth_time``, and the challenge to the client."""

from __future__ import annotations

import pickle
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword import ErrorCode, InsufficientUserAuthenticationError, require_authentication

NOW = mint.NOW
STRONG = "urn:example:phishing-resistant"


def verified(**claims: Any) -> ww.VerifiedToken:
    keys = ww.KeySet.from_json({"keys": [mint.public_jwk("ed25519")]})
    policy = ww.Policy(audience=ww.ANY_AUDIENCE)
    return ww.verify(mint.token(mint.claims(**claims)), keys, policy, now=NOW)


@pytest.mark.parametrize(
    ("claims", "requirements"),
    [
        ({}, {}),
        ({"acr": STRONG}, {"acr_values": [STRONG]}),
        ({"acr": "b"}, {"acr_values": ("a", "b")}),
        ({"auth_time": NOW}, {"max_age": 0}),
        ({"auth_time": NOW - 60}, {"max_age": 60}),
        ({"auth_time": NOW - 65}, {"max_age": 60}),
        ({"auth_time": NOW + 5}, {"max_age": 60}),
        ({"auth_time": NOW - 60.5, "acr": "a"}, {"max_age": 60, "acr_values": ["a"]}),
    ],
)
def test_what_suffices(claims: dict[str, Any], requirements: dict[str, Any]) -> None:
    require_authentication(verified(**claims), now=NOW, **requirements)


@pytest.mark.parametrize(
    ("claims", "requirements"),
    [
        ({}, {"acr_values": ["a"]}),
        ({"acr": "A"}, {"acr_values": ["a"]}),
        ({"acr": ["a"]}, {"acr_values": ["a"]}),
        ({"acr": "a b"}, {"acr_values": ["a", "b"]}),
        ({"acr": None}, {"acr_values": ["a"]}),
        ({}, {"max_age": 60}),
        ({"auth_time": NOW - 66}, {"max_age": 60}),
        ({"auth_time": NOW - 61}, {"max_age": 60, "leeway": 0}),
        ({"auth_time": NOW + 6}, {"max_age": 60}),
        ({"auth_time": str(NOW)}, {"max_age": 60}),
        ({"auth_time": True}, {"max_age": 2**60}),
        ({"auth_time": None}, {"max_age": 2**60}),
        ({"acr": "a", "auth_time": 0}, {"max_age": 60, "acr_values": ["a"]}),
    ],
)
def test_what_does_not(claims: dict[str, Any], requirements: dict[str, Any]) -> None:
    with pytest.raises(InsufficientUserAuthenticationError) as caught:
        require_authentication(verified(**claims), now=NOW, **requirements)
    assert caught.value.code is ErrorCode.INSUFFICIENT_USER_AUTHENTICATION
    assert caught.value.http_status == 401
    assert str(NOW) not in str(caught.value)


def test_the_challenge_names_the_scopes_to_request() -> None:
    with pytest.raises(InsufficientUserAuthenticationError) as caught:
        require_authentication(verified(), acr_values=[STRONG, "b"], max_age=5, now=NOW)
    challenge = (
        'Bearer error="insufficient_user_authentication", '
        'error_description="the user must authenticate again, or in another way", '
        f'acr_values="{STRONG} b", max_age="5"'
    )
    assert caught.value.www_authenticate() == challenge
    assert pickle.loads(pickle.dumps(caught.value)).www_authenticate() == challenge


def test_by_the_clock_if_no_time_is_given() -> None:
    with pytest.raises(InsufficientUserAuthenticationError):
        require_authentication(verified(auth_time=0), max_age=3600)


@pytest.mark.parametrize(
    "requirements",
    [
        {"acr_values": "a"},
        {"acr_values": ["a b"]},
        {"acr_values": [""]},
        {"acr_values": ['"']},
        {"acr_values": ["é"]},
        {"acr_values": [7]},
        {"max_age": -1},
        {"max_age": 1.5},
        {"max_age": True},
        {"leeway": -1},
        {"leeway": float("nan")},
    ],
)
def test_invalid_requirements(requirements: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(requirements)).removesuffix("_values") + "|context"):
        require_authentication(verified(acr="a", auth_time=NOW), now=NOW, **requirements)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_age_is_compared_as_it_reads(age: int, max_age: int, leeway: int) -> None:
    token = verified(auth_time=NOW - age)
    if age <= max_age + leeway:
        require_authentication(token, max_age=max_age, leeway=leeway, now=NOW)
    else:
        with pytest.raises(InsufficientUserAuthenticationError):
            require_authentication(token, max_age=max_age, leeway=leeway, now=NOW)
