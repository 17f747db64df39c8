"""Header and payload are one strict JSON object each (RFC 8259; RFC 7515 section 4, RFC 7519 section 4)."""

from __future__ import annotations

from typing import Literal

import mint
import pytest
from paths import Path, every_path

from watchword import ErrorCode

Where = Literal["header", "payload"]
both_parts = pytest.mark.parametrize("where", ["header", "payload"])


def judge(path: Path, where: Where, document: bytes) -> ErrorCode | None:
    if where == "header":
        return path.judge(mint.token(head=document))
    return path.judge(mint.token(document))


def good(where: Where) -> bytes:
    return mint.encode(mint.header() if where == "header" else mint.claims())


def member(where: Where, raw: str) -> bytes:
    return mint.with_member(mint.header() if where == "header" else mint.claims(), raw)


def malformed(path: Path, where: Where) -> ErrorCode | None:
    return ErrorCode.MALFORMED_HEADER if where == "header" else path.expect(ErrorCode.MALFORMED_CLAIMS)


DUPLICATES = {
    "header": ['"alg":"EdDSA"', '"kid":"ed25519"', '"typ":"JWT"', '"alg":"none"', '"\\u0061lg":"EdDSA"', '"x":1,"x":1'],
    "payload": ['"sub":"agent-7"', '"exp":9e9', '"aud":"https://api.example"', '"\\u0073ub":"admin"', '"a":1,"a":2'],
}
NESTED_DUPLICATES = ['"x":{"a":1,"a":1}', '"x":[{"a":1,"\\u0061":2}]', '"x":{"y":{"z":{"":0,"":0}}}']


@every_path
@pytest.mark.parametrize(
    ("where", "raw"), [(where, raw) for where, raws in DUPLICATES.items() for raw in raws + NESTED_DUPLICATES]
)
def test_duplicate_json_members(path: Path, where: Where, raw: str) -> None:
    assert judge(path, where, member(where, raw)) is malformed(path, where)


@every_path
@both_parts
def test_duplicate_json_members_that_contradict(path: Path, where: Where) -> None:
    # The first and the last reading differ, and each reading alone would be accepted by somebody.
    first = {"header": b'{"alg":"none",', "payload": b'{"iss":"https://evil.example",'}[where]
    assert judge(path, where, first + good(where)[1:]) is malformed(path, where)


@every_path
@both_parts
def test_names_that_differ_only_in_case_are_different(path: Path, where: Where) -> None:
    assert judge(path, where, member(where, '"ALG":1,"Sub":2,"eXp":"never"')) is None


@every_path
@both_parts
@pytest.mark.parametrize("raw", ['"x":"\\ud800"', '"x":"\\udc00"', '"x":"\\ud800\\ud800"', '"x":"\\ud800x"',
                                 '"\\udfff":1',
                                 '"x":"\\uD83D"', '"x":["\\udc00\\ud800"]', '"x":"\\ud800\\u0041"'])  # fmt: skip
def test_lone_surrogates(path: Path, where: Where, raw: str) -> None:
    assert judge(path, where, member(where, raw)) is malformed(path, where)


@every_path
@both_parts
def test_surrogate_pair_is_fine(path: Path, where: Where) -> None:
    assert judge(path, where, member(where, '"x":"\\ud83d\\udd11 \U0001f511 \\u0000"')) is None


@every_path
@both_parts
@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\xc2\xa0", b"\x0c"])
def test_bom_and_other_leading_bytes(path: Path, where: Where, bom: bytes) -> None:
    assert judge(path, where, bom + good(where)) is malformed(path, where)


@every_path
@both_parts
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_other_encodings(path: Path, where: Where, encoding: str) -> None:
    document = good(where).decode().encode(encoding)
    if encoding == "utf-7":
        document = good(where).replace(b"{", b"+AHs-")
    assert judge(path, where, document) is malformed(path, where)


@every_path
@both_parts
@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xe2\x82", b"\xf8\x88\x80\x80\x80"],
    ids=bytes.hex,
)  # fmt: skip
def test_invalid_utf8(path: Path, where: Where, bad: bytes) -> None:
    document = good(where)[:-1] + b',"x":"' + bad + b'"}'
    assert judge(path, where, document) is malformed(path, where)


@every_path
@both_parts
@pytest.mark.parametrize("tail", [b"{}", b",", b"}", b"x", b"\x00", b" null", b"\n[]", b"//", b"\xef\xbb\xbf", b"\x1a"])
def test_trailing_json(path: Path, where: Where, tail: bytes) -> None:
    assert judge(path, where, good(where) + tail) is malformed(path, where)


@every_path
@both_parts
def test_white_space_around_the_object_is_json(path: Path, where: Where) -> None:
    assert judge(path, where, b" \t\r\n" + good(where) + b" \t\r\n") is None


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


@every_path
@both_parts
@pytest.mark.parametrize("document", NOT_OBJECTS)
def test_documents_that_are_no_object(path: Path, where: Where, document: bytes) -> None:
    assert judge(path, where, document) is malformed(path, where)


@every_path
@both_parts
def test_empty_object(path: Path, where: Where) -> None:
    expected = ErrorCode.MALFORMED_HEADER if where == "header" else path.expect(ErrorCode.MISSING_CLAIM)
    assert judge(path, where, b"{}") is expected


SLOPPY = [
    '"x":NaN', '"x":Infinity', '"x":-Infinity', '"x":01', '"x":+1', '"x":.5', '"x":1.', '"x":0x10', '"x":1e', '"x":-',
    '"x":1e400', '"x":-1e400', '"x":\'a\'', 'x:1', '"x":1,', '"x"', '"x":', ':1', '"x":1 "y":2', '"x":tru', '"x":True',
    '"x":None', '"x":"\t"', '"x":"\x00"', '"x":"\n"', '"x":"\\x41"', '"x":"\\u12"', '"x":"\\u+123"', '"x":"\\"',
    '/**/"x":1', '"x":1//', '"x":[1,]', '"x":[,]', '"x":{"a":1,}', '"x":1_000', '"x":"a" "b"', '"x":\u00a01', '"x":-01',
    '"x":1.e5', '"x":--1', '"x":1e+', '"x":nul', '"x":[1 2]', '"x":{1:2}', '"x":{null:2}', '"x":"\\', '"x":٣',
]  # fmt: skip


@every_path
@both_parts
@pytest.mark.parametrize("raw", SLOPPY)
def test_sloppy_json(path: Path, where: Where, raw: str) -> None:
    assert judge(path, where, member(where, raw)) is malformed(path, where)


@every_path
@pytest.mark.parametrize(
    "head", [{"alg": 1}, {"alg": None}, {"alg": ["EdDSA"]}, {"alg": {}}, {"alg": True}, {}, {"typ": "JWT"}]
)
def test_alg_missing_or_not_a_string(path: Path, head: dict[str, object]) -> None:
    document = {**mint.header(alg=mint.OMIT), **head}
    assert path.judge(mint.token(head=document)) is ErrorCode.MALFORMED_HEADER


@every_path
@pytest.mark.parametrize("kid", [None, 1, True, ["ed25519"], {"kid": "ed25519"}, 1.5])
def test_kid_that_is_not_a_string(path: Path, kid: object) -> None:
    assert path.judge(mint.token(head=mint.header(kid=kid))) is ErrorCode.MALFORMED_HEADER
