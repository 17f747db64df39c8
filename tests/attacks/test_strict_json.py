"""Header and payload are one strict JSON object each (RFC 8259; RFC 7515 section 4, RFC 7519 section 4)."""

from __future__ import annotations

from typing import Literal

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

Where = Literal["header", "payload"]
PARTS: tuple[Where, ...] = ("header", "payload")


def token_with(where: Where, document: bytes) -> str:
    if where == "header":
        return mint.token(head=document)
    return mint.token(document)


def good(where: Where) -> bytes:
    return mint.encode(mint.header() if where == "header" else mint.claims())


def member(where: Where, raw: str) -> bytes:
    return mint.with_member(mint.header() if where == "header" else mint.claims(), raw)


def malformed(where: Where) -> ErrorCode:
    return ErrorCode.MALFORMED_HEADER if where == "header" else ErrorCode.MALFORMED_CLAIMS


DUPLICATES = {
    "header": ['"alg":"EdDSA"', '"kid":"ed25519"', '"typ":"JWT"', '"alg":"none"', '"\\u0061lg":"EdDSA"', '"x":1,"x":1'],
    "payload": ['"sub":"agent-7"', '"exp":9e9', '"aud":"https://api.example"', '"\\u0073ub":"admin"', '"a":1,"a":2'],
}
NESTED_DUPLICATES = ['"x":{"a":1,"a":1}', '"x":[{"a":1,"\\u0061":2}]', '"x":{"y":{"z":{"":0,"":0}}}']


@pytest.mark.parametrize(
    ("where", "raw"), [(where, raw) for where, raws in DUPLICATES.items() for raw in raws + NESTED_DUPLICATES]
)
def test_duplicate_json_members(where: Where, raw: str) -> None:
    assert_verdict(token_with(where, member(where, raw)), malformed(where))


def test_duplicate_json_members_that_contradict() -> None:
    for where in PARTS:
        # The first and the last member differ, and some parsers accept the first, others the last.
        first = {"header": b'{"alg":"none",', "payload": b'{"iss":"https://evil.example",'}[where]
        assert_verdict(token_with(where, first + good(where)[1:]), malformed(where))


def test_names_that_differ_only_in_case_are_different() -> None:
    for where in PARTS:
        assert_verdict(token_with(where, member(where, '"ALG":1,"Sub":2,"eXp":"never"')), None)


@pytest.mark.parametrize("raw", ['"x":"\\ud800"', '"x":"\\udc00"', '"x":"\\ud800\\ud800"', '"x":"\\ud800x"',
                                 '"\\udfff":1',
                                 '"x":"\\uD83D"', '"x":["\\udc00\\ud800"]', '"x":"\\ud800\\u0041"'])  # fmt: skip
def test_lone_surrogates(raw: str) -> None:
    for where in PARTS:
        assert_verdict(token_with(where, member(where, raw)), malformed(where))


def test_surrogate_pair_is_fine() -> None:
    for where in PARTS:
        assert_verdict(token_with(where, member(where, '"x":"\\ud83d\\udd11 \U0001f511 \\u0000"')), None)


@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\xc2\xa0", b"\x0c"])
def test_bom_and_other_leading_bytes(bom: bytes) -> None:
    for where in PARTS:
        assert_verdict(token_with(where, bom + good(where)), malformed(where))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_other_encodings(encoding: str) -> None:
    for where in PARTS:
        document = good(where).decode().encode(encoding)
        if encoding == "utf-7":
            document = good(where).replace(b"{", b"+AHs-")
        assert_verdict(token_with(where, document), malformed(where))


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xe2\x82", b"\xf8\x88\x80\x80\x80"],
    ids=bytes.hex,
)  # fmt: skip
def test_invalid_utf8(bad: bytes) -> None:
    for where in PARTS:
        document = good(where)[:-1] + b',"x":"' + bad + b'"}'
        assert_verdict(token_with(where, document), malformed(where))


@pytest.mark.parametrize("tail", [b"{}", b",", b"}", b"x", b"\x00", b" null", b"\n[]", b"//", b"\xef\xbb\xbf", b"\x1a"])
def test_trailing_json(tail: bytes) -> None:
    for where in PARTS:
        assert_verdict(token_with(where, good(where) + tail), malformed(where))


def test_white_space_around_the_object_is_json() -> None:
    for where in PARTS:
        assert_verdict(token_with(where, b" \t\r\n" + good(where) + b" \t\r\n"), None)


NOT_OBJECTS = [
    b"",
    b" ",
    b"null",
    b"true",
    b"0",
    b'"text"',
    b"[]",
    b"[{}]",
    b'"{}"',
    b"{",
    b"}",
    b"{]",
    b"NaN",
    b"undefined",
]


@pytest.mark.parametrize("document", NOT_OBJECTS)
def test_documents_that_are_no_object(document: bytes) -> None:
    for where in PARTS:
        assert_verdict(token_with(where, document), malformed(where))


def test_empty_object() -> None:
    for where in PARTS:
        expected = ErrorCode.MALFORMED_HEADER if where == "header" else ErrorCode.MISSING_CLAIM
        assert_verdict(token_with(where, b"{}"), expected)


SLOPPY = [
    '"x":NaN', '"x":Infinity', '"x":-Infinity', '"x":01', '"x":+1', '"x":.5', '"x":1.', '"x":0x10', '"x":1e', '"x":-',
    '"x":1e400', '"x":-1e400', '"x":\'a\'', 'x:1', '"x":1,', '"x"', '"x":', ':1', '"x":1 "y":2', '"x":tru', '"x":True',
    '"x":None', '"x":"\t"', '"x":"\x00"', '"x":"\n"', '"x":"\\x41"', '"x":"\\u12"', '"x":"\\u+123"', '"x":"\\"',
    '/**/"x":1', '"x":1//', '"x":[1,]', '"x":[,]', '"x":{"a":1,}', '"x":1_000', '"x":"a" "b"', '"x":\u00a01', '"x":-01',
    '"x":1.e5', '"x":--1', '"x":1e+', '"x":nul', '"x":[1 2]', '"x":{1:2}', '"x":{null:2}', '"x":"\\', '"x":٣',
]  # fmt: skip


@pytest.mark.parametrize("raw", SLOPPY)
def test_sloppy_json(raw: str) -> None:
    for where in PARTS:
        assert_verdict(token_with(where, member(where, raw)), malformed(where))


@pytest.mark.parametrize(
    "head", [{"alg": 1}, {"alg": None}, {"alg": ["EdDSA"]}, {"alg": {}}, {"alg": True}, {}, {"typ": "JWT"}]
)
def test_alg_missing_or_not_a_string(head: dict[str, object]) -> None:
    document = {**mint.header(alg=mint.OMIT), **head}
    assert_verdict(mint.token(head=document), ErrorCode.MALFORMED_HEADER)


@pytest.mark.parametrize("kid", [None, 1, True, ["ed25519"], {"kid": "ed25519"}, 1.5])
def test_kid_that_is_not_a_string(kid: object) -> None:
    assert_verdict(mint.token(head=mint.header(kid=kid)), ErrorCode.MALFORMED_HEADER)
