"""``token.claims`` is what Python's own parser reads from the payload."""

from __future__ import annotations

import json
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
POLICY = ww.Policy(audience=ww.ANY_AUDIENCE, required=())

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


def claims(payload: bytes) -> dict[str, Any]:
    return ww.verify(mint.token(payload), KEYS, POLICY, now=mint.NOW).claims


def exact(value: Any) -> Any:
    """The value with its types and the order of members: 1, 1.0 and True are equal to Python, 0.0 and -0.0 too."""
    if isinstance(value, dict):
        return dict, [(name, exact(member)) for name, member in value.items()]
    if isinstance(value, list):
        return list, [exact(element) for element in value]
    return type(value), repr(value)


@given(st.dictionaries(TEXT.map("x".__add__), VALUE, max_size=6), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_any_claims(private: dict[str, Any], ascii_only: bool, indent: Any) -> None:
    payload = json.dumps(private, ensure_ascii=ascii_only, indent=indent).encode()
    assert exact(claims(payload)) == exact(json.loads(payload)) == exact(private)


@pytest.mark.parametrize(
    "number",
    [
        "0", "-0", "-0.0", "0e0", "1E2", "1e-2", "1.0", "1e308", "5e-324", "2.4703282292062327e-324",
        "0.1", "9007199254740993", "9007199254740993.0", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "1" * 128, "-" + "9" * 127, "0." + "3" * 126,
    ],
)  # fmt: skip
def test_numbers_as_they_are_written(number: str) -> None:
    payload = f'{{"x":{number},"y":[{number},{{"z":{number}}}]}}'.encode()
    assert exact(claims(payload)) == exact(json.loads(payload))


def test_escapes_in_names_and_values() -> None:
    payload = rb'{"a\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t\u0000":"\u0041\u2028","":{"\u0061":[]}}'
    assert exact(claims(payload)) == exact(json.loads(payload))
    assert claims(rb'{"\u0069ss":"\u0061s"}') == {"iss": "as"}


def test_values_as_deep_as_a_token_may_nest_them() -> None:
    payload = b'{"x":' + b'[{"y":' * 15 + b"[]" + b"}]" * 15 + b"}"
    assert exact(claims(payload)) == exact(json.loads(payload))


def test_registered_claims_written_with_escapes() -> None:
    payload = rb'{"iss":"https:\/\/as.example","sub":"\u0061gent","aud":["\u0061","b"],"jti":"\n","scope":"\u0061 b"}'
    token = ww.verify(mint.token(payload), KEYS, POLICY, now=mint.NOW)
    assert (token.issuer, token.subject, token.token_id) == ("https://as.example", "agent", "\n")
    assert (token.audience, token.scopes) == (("a", "b"), ("a", "b"))
