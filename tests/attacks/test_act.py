"""A token whose ``act`` or ``may_act`` is malformed is rejected with the token (RFC 8693 sections 4.1 and 4.4)."""

from __future__ import annotations

import itertools

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

NOT_OBJECTS = ['"client:a"', "null", "true", "5", "[]", '[{"sub":"client:a"}]', '""']
NOT_NAMED = [
    "{}",
    '{"sub":null}',
    '{"sub":5}',
    '{"sub":true}',
    '{"sub":{}}',
    '{"sub":["client:a"]}',
    '{"sub":""}',
    '{"sub":null,"client_id":"web"}',
    '{"sub":"","client_id":"web"}',
    '{"iss":"x"}',
    '{"client_id":""}',
    '{"client_id":5}',
    '{"client_id":null}',
    '{"act":{"sub":"a"}}',
]
NOT_IDENTITY = ["exp", "nbf", "iat", "aud"]


MALFORMED = ErrorCode.MALFORMED_CLAIMS


def token_with(raw: str) -> str:
    return mint.token(mint.with_member(mint.claims(), raw))


@pytest.mark.parametrize("value", NOT_OBJECTS)
def test_act_is_not_an_object(value: str) -> None:
    for shape in ('"act":%s', '"act":{"sub":"a","act":%s}', '"act":{"act":{"act":%s,"sub":"b"},"sub":"a"}'):
        assert_verdict(token_with(shape % value), MALFORMED, shape)


@pytest.mark.parametrize("value", NOT_NAMED)
def test_act_without_a_sub_that_is_a_name(value: str) -> None:
    for shape in ('"act":%s', '"act":{"sub":"a","act":%s}'):
        assert_verdict(token_with(shape % value), MALFORMED, shape)


@pytest.mark.parametrize("claim", NOT_IDENTITY)
def test_claims_inside_act_that_identify_nobody(claim: str) -> None:
    shapes = ('"act":{"sub":"a",%s}', '"act":{"sub":"a","act":{%s,"sub":"b"}}', '"may_act":{"sub":"a",%s}')
    for value, shape in itertools.product(("1900000300", "null", '"https://api.example"'), shapes):
        raw = shape % f'"{claim}":{value}'
        assert_verdict(token_with(raw), MALFORMED, raw)


@pytest.mark.parametrize("claim", ["act", "may_act"])
def test_the_issuer_of_an_actor_is_a_string(claim: str) -> None:
    assert_verdict(token_with(f'"{claim}":{{"sub":"a","iss":["https://as.example"]}}'), MALFORMED)


@pytest.mark.parametrize(
    "value", [*NOT_OBJECTS, '{"sub":5}', '{"sub":[5]}', '{"sub":[""]}', '{"sub":["a",null]}', '{"sub":{}}']
)
def test_may_act_of_the_wrong_type(value: str) -> None:
    assert_verdict(token_with(f'"may_act":{value}'), MALFORMED)


@pytest.mark.parametrize("depth", [32, 33, 500])
def test_act_nested_too_deeply(depth: int) -> None:
    raw = '"act":' + '{"sub":"a","act":' * (depth - 1) + '{"sub":"a"}' + "}" * (depth - 1)
    assert_verdict(token_with(raw), MALFORMED)


def test_a_repeated_member_inside_act() -> None:
    assert_verdict(token_with('"act":{"sub":"a","sub":"b"}'), MALFORMED)


@pytest.mark.parametrize(
    "raw",
    [
        '"act":{"sub":"a"}',
        '"act":{"sub":"a","act":{"sub":"a"}}',
        '"act":{"sub":"a","iss":"https://other.example","jti":"x","scope":"read"}',
        '"act":{"client_id":"web"}',
        '"act":{"sub":"a","act":{"client_id":"web"}}',
        '"act":{"email":"a@example.com","iss":"https://other.example"}',
        '"may_act":{"sub":"a"}',
        '"may_act":{"sub":["a","b"]}',
        '"may_act":{"sub":[]}',
        '"may_act":{"email":"a@example.com"}',
    ],
)
def test_good_ones(raw: str) -> None:
    assert_verdict(token_with(raw), None)


@pytest.mark.parametrize(
    "raw", ['"delegation_chain":5', '"delegation_chain":["a"]', '"actor_chain":"a"', '"chain_hash":1']
)
def test_private_claims_may_have_any_type(raw: str) -> None:
    # RFC 7519 section 4.3: such a name may mean anything. It is evaluated when the chain is asked for.
    assert_verdict(token_with(raw), None)
