"""Registered claims have types (RFC 7519 section 4.1, RFC 8693 section 4.2, RFC 7800 section 3)."""

from __future__ import annotations

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode


def token_with(claim: str, value: str) -> str:
    """Return a token with this claim, written by hand."""
    return mint.token(mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":{value}'))


WRONG_NUMBERS = {
    "string": '"1900000300"',
    "string of a float": '"1.9e9"',
    "empty string": '""',
    "date": '"2030-01-01T00:00:00Z"',
    "true": "true",
    "false": "false",
    "null": "null",
    "array": "[1900000300]",
    "object": '{"exp":1900000300}',
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "1e400": "1e400",
    "-1e400": "-1e400",
    "5000 digits": "1" * 5000,
    "negative": "-1",
    "negative fraction": "-0.5",
    "beyond the year 9999": "253402300800",
    "1e300": "1e300",
    "milliseconds": "1900000300000",
    "2^63": "9223372036854775808",
    "2^64": "18446744073709551616",
    "u64 -1": "-9223372036854775809",
}


@pytest.mark.parametrize("name", WRONG_NUMBERS)
def test_type_confusion_of_times(name: str) -> None:
    for claim in ("exp", "nbf", "iat"):
        assert_verdict(token_with(claim, WRONG_NUMBERS[name]), ErrorCode.MALFORMED_CLAIMS, claim)


@pytest.mark.parametrize(
    "exp", ["1900000300", "1900000300.0", "1.9000003e9", "19000003E2", "1900000300.5", "253402300799"]
)
def test_numeric_dates_in_every_form(exp: str) -> None:
    assert_verdict(token_with("exp", exp), None)


@pytest.mark.parametrize("value", ["0", "-0", "0.0", "1e-300", "1e-400"])
def test_the_epoch_is_a_time(value: str) -> None:
    for claim in ("nbf", "iat"):
        assert_verdict(token_with(claim, value), None, claim)


NOT_STRINGS = ["1", "true", "null", "[]", "{}", '["agent-7"]', '{"agent-7":1}', "1.5"]


@pytest.mark.parametrize("value", NOT_STRINGS)
def test_sub_aud_list_confusion_of_strings(value: str) -> None:
    for claim in ("iss", "sub", "jti"):
        assert_verdict(token_with(claim, value), ErrorCode.MALFORMED_CLAIMS, claim)


@pytest.mark.parametrize(
    "aud", ["1", "true", "null", "{}", "[1]", "[null]", "[[]]", '["https://api.example",1]', '["https://api.example",null]',
            '[["https://api.example"]]', '{"https://api.example":true}', '[{"aud":"https://api.example"}]'],
)  # fmt: skip
def test_sub_aud_list_confusion_of_audiences(aud: str) -> None:
    assert_verdict(token_with("aud", aud), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize("scope", ["1", "true", "null", "{}", "[1]", '["read",null]', '[["read"]]', '{"read":true}'])
def test_scope_of_the_wrong_type(scope: str) -> None:
    assert_verdict(token_with("scope", scope), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize("cnf", ["1", "true", "null", "[]", "{}", '"jkt"', '[{"jkt":"x"}]', '{"jkt":1}', '{"jkt":null}',
                                 '{"jkt":["x"]}', '{"jwk":"x"}', '{"jwk":[]}', '{"jwk":null}', '{"x5t#S256":null}',
                                 '{"x5t#S256":"x"}', '{"x5t#S256":["x"]}'])  # fmt: skip
def test_confirmation_of_the_wrong_type(cnf: str) -> None:
    for bound_tokens in ("reject", "accept"):
        assert_verdict(token_with("cnf", cnf), ErrorCode.MALFORMED_CLAIMS, bound_tokens=bound_tokens)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "iss", "sub", "aud", "jti", "scope", "cnf"])
def test_types_are_checked_whatever_the_policy_requires(claim: str) -> None:
    # A policy without requirements still rejects a claim of the wrong type.
    payload = mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":false')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS, issuer=None, audience=None, required=())


@pytest.mark.parametrize(
    "raw", ['"Exp":"x"', '"exp ":1', '"nonce":1', '"azp":[]', '"act":{"sub":"a"}', '"auth_time":"x"']
)
def test_unregistered_claims_may_have_any_type(raw: str) -> None:
    assert_verdict(mint.token(mint.with_member(mint.claims(), raw)), None)
