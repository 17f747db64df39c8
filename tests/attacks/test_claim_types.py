"""Registered claims have types (RFC 7519 section 4.1, RFC 8693 section 4.2, RFC 7800 section 3)."""

from __future__ import annotations

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

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


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("name", WRONG_NUMBERS)
def test_type_confusion_of_times(claim: str, name: str) -> None:
    payload = mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":{WRONG_NUMBERS[name]}')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize(
    "exp", ["1900000300", "1900000300.0", "1.9000003e9", "19000003E2", "1900000300.5", "253402300799"]
)
def test_numeric_dates_in_every_form(exp: str) -> None:
    payload = mint.with_member(mint.claims(exp=mint.OMIT), f'"exp":{exp}')
    assert_verdict(mint.token(payload), None)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize("value", ["0", "-0", "0.0", "1e-300", "1e-400"])
def test_the_epoch_is_a_time(claim: str, value: str) -> None:
    payload = mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":{value}')
    assert_verdict(mint.token(payload), None)


NOT_STRINGS = ["1", "true", "null", "[]", "{}", '["agent-7"]', '{"agent-7":1}', "1.5"]


@pytest.mark.parametrize("claim", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", NOT_STRINGS)
def test_sub_aud_list_confusion_of_strings(claim: str, value: str) -> None:
    payload = mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":{value}')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize(
    "aud", ["1", "true", "null", "{}", "[1]", "[null]", "[[]]", '["https://api.example",1]', '["https://api.example",null]',
            '[["https://api.example"]]', '{"https://api.example":true}', '[{"aud":"https://api.example"}]'],
)  # fmt: skip
def test_sub_aud_list_confusion_of_audiences(aud: str) -> None:
    payload = mint.with_member(mint.claims(aud=mint.OMIT), f'"aud":{aud}')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize("scope", ["1", "true", "null", "{}", "[1]", '["read",null]', '[["read"]]', '{"read":true}'])
def test_scope_of_the_wrong_type(scope: str) -> None:
    payload = mint.with_member(mint.claims(scope=mint.OMIT), f'"scope":{scope}')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS)


@pytest.mark.parametrize("cnf", ["1", "true", "null", "[]", "{}", '"jkt"', '[{"jkt":"x"}]', '{"jkt":1}', '{"jkt":null}',
                                 '{"jkt":["x"]}', '{"jwk":"x"}', '{"jwk":[]}', '{"jwk":null}'])  # fmt: skip
@pytest.mark.parametrize("bound_tokens", ["reject", "accept"])
def test_confirmation_of_the_wrong_type(cnf: str, bound_tokens: str) -> None:
    payload = mint.with_member(mint.claims(), f'"cnf":{cnf}')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS, bound_tokens=bound_tokens)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "iss", "sub", "aud", "jti", "scope", "cnf"])
def test_types_are_checked_whatever_the_policy_requires(claim: str) -> None:
    # A policy that looks at nothing still refuses a claim that has no meaning.
    payload = mint.with_member(mint.claims(**{claim: mint.OMIT}), f'"{claim}":false')
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS, issuer=None, audience=None, required=())


@pytest.mark.parametrize(
    "raw", ['"Exp":"x"', '"exp ":1', '"nonce":1', '"azp":[]', '"act":{"sub":"a"}', '"auth_time":"x"']
)
def test_claims_that_are_not_registered_here_are_free(raw: str) -> None:
    assert_verdict(mint.token(mint.with_member(mint.claims(), raw)), None)
