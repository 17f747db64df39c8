"""``typ``: one token is not taken for another (RFC 8725 section 3.11, RFC 9068 section 2.1)."""

from __future__ import annotations

from typing import Any

import mint
import pytest
from paths import Path, every_path

from watchword import ErrorCode


@every_path
@pytest.mark.parametrize("typ", ["dpop+jwt", "id_token+jwt", "logout+jwt", "jwt+at", "JWS", "JOSE", "", " JWT", "JWT "])
def test_typ_confusion(path: Path, typ: str) -> None:
    assert path.judge(mint.token(head=mint.header(typ=typ))) is ErrorCode.WRONG_TYPE


@every_path
@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT", mint.OMIT])
def test_types_accepted_unless_told(path: Path, typ: Any) -> None:
    assert path.judge(mint.token(head=mint.header(typ=typ))) is None


@every_path
@pytest.mark.parametrize(
    "typ", ["application/dpop+jwt", "text/jwt", "application/application/jwt", "application/", "x/at+jwt"]
)
def test_only_the_application_prefix_is_optional(path: Path, typ: str) -> None:
    assert path.judge(mint.token(head=mint.header(typ=typ))) is ErrorCode.WRONG_TYPE


@every_path
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
def test_types_of_the_policy_are_exactly_those(path: Path, types: Any, good: list[Any], bad: list[Any]) -> None:
    for typ in good:
        assert path.judge(mint.token(head=mint.header(typ=typ)), types=types) is None, typ
    for typ in bad:
        assert path.judge(mint.token(head=mint.header(typ=typ)), types=types) is ErrorCode.WRONG_TYPE, typ


@every_path
@pytest.mark.parametrize("typ", [None, 1, True, ["JWT"], {"typ": "JWT"}])
def test_typ_that_is_not_a_string(path: Path, typ: Any) -> None:
    assert path.judge(mint.token(head=mint.header(typ=typ))) is ErrorCode.MALFORMED_HEADER
