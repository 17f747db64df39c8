"""``typ``: one token is not taken for another (RFC 8725 section 3.11, RFC 9068 section 2.1)."""

from __future__ import annotations

from typing import Any

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode


@pytest.mark.parametrize("typ", ["dpop+jwt", "id_token+jwt", "logout+jwt", "jwt+at", "JWS", "JOSE", "", " JWT", "JWT "])
def test_typ_confusion(typ: str) -> None:
    assert_verdict(mint.token(head=mint.header(typ=typ)), ErrorCode.WRONG_TYPE)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT", mint.OMIT])
def test_types_accepted_by_default(typ: Any) -> None:
    assert_verdict(mint.token(head=mint.header(typ=typ)), None)


@pytest.mark.parametrize(
    "typ", ["application/dpop+jwt", "text/jwt", "application/application/jwt", "application/", "x/at+jwt"]
)
def test_only_the_application_prefix_is_optional(typ: str) -> None:
    assert_verdict(mint.token(head=mint.header(typ=typ)), ErrorCode.WRONG_TYPE)


@pytest.mark.parametrize(
    ("types", "good", "bad"),
    [
        (("at+jwt",), ["at+jwt", "application/AT+jwt"], ["JWT", mint.OMIT, "dpop+jwt"]),
        (("application/at+jwt",), ["at+jwt", "application/at+jwt"], ["JWT", mint.OMIT]),
        ((None,), [mint.OMIT], ["JWT", "at+jwt", ""]),
        (("JWT", None), ["JWT", mint.OMIT], ["at+jwt"]),
        (("dpop+jwt",), ["dpop+jwt"], ["at+jwt", "JWT", mint.OMIT]),
    ],
)
def test_types_of_the_policy_are_exactly_those(types: Any, good: list[Any], bad: list[Any]) -> None:
    for typ in good:
        assert_verdict(mint.token(head=mint.header(typ=typ)), None, typ, types=types)
    for typ in bad:
        assert_verdict(mint.token(head=mint.header(typ=typ)), ErrorCode.WRONG_TYPE, typ, types=types)


@pytest.mark.parametrize("typ", [None, 1, True, ["JWT"], {"typ": "JWT"}])
def test_typ_that_is_not_a_string(typ: Any) -> None:
    assert_verdict(mint.token(head=mint.header(typ=typ)), ErrorCode.MALFORMED_HEADER)
