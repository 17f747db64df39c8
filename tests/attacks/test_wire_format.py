"""The compact form: three parts of strict base64url, no longer than the limits (RFC 7515 sections 2 and 7.1)."""

from __future__ import annotations

import json
import zlib
from typing import Any

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

MALFORMED = ErrorCode.MALFORMED_TOKEN
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def parts() -> list[str]:
    return mint.token().split(".")


def replaced(index: int, part: str) -> str:
    """Return a good token with one part replaced, and signed again if that is not the signature."""
    new = parts()
    new[index] = part
    if index != 2:
        new[2] = mint.b64(mint.sign("EdDSA", "ed25519", f"{new[0]}.{new[1]}".encode()))
    return ".".join(new)


def unused_bits(part: str) -> str:
    """The same bytes with an unused bit set in the last character: ``part`` must have such bits."""
    assert len(part) % 4, "no unused bits here"
    return part[:-1] + ALPHABET[ALPHABET.index(part[-1]) | 1]


def part_with_unused_bits(index: int) -> str:
    if index == 0:
        return mint.b64(mint.encode(mint.header()).ljust(53))
    if index == 1:
        return mint.b64(mint.encode(mint.claims()).ljust(302))
    return parts()[2]


@pytest.mark.parametrize("index", [0, 1, 2], ids=["header", "payload", "signature"])
def test_base64_unused_bits(index: int) -> None:
    part = part_with_unused_bits(index)
    assert_verdict(replaced(index, part), None)
    assert_verdict(replaced(index, unused_bits(part)), MALFORMED)


DIRT = ["=", "==", "===", " ", "\n", "\r\n", "\t", "+", "/", "!", "*", "\x00", "\x0b", "\x7f", "A=", "%3D", ","]


@pytest.mark.parametrize("dirt", DIRT, ids=repr)
def test_base64_with_padding_space_or_another_alphabet(dirt: str) -> None:
    for index, part in enumerate(parts()):
        middle = len(part) // 2 // 4 * 4
        for dirty in (dirt + part, part[:middle] + dirt + part[middle:], part + dirt):
            assert_verdict(replaced(index, dirty), MALFORMED, repr(dirty))


def test_base64_standard_alphabet() -> None:
    # A payload whose base64url has both - and _, so that the standard alphabet differs.
    payload = mint.with_member(mint.claims(), '"x":"~~~???>>>\u00ff\u00fe\u00ff\u00fe"')
    part = mint.b64(payload)
    assert "-" in part or "_" in part
    assert_verdict(replaced(1, part), None)
    assert_verdict(replaced(1, part.replace("-", "+").replace("_", "/")), MALFORMED)


@pytest.mark.parametrize("index", [0, 1, 2], ids=["header", "payload", "signature"])
def test_base64_of_an_impossible_length(index: int) -> None:
    part = parts()[index]
    impossible = part + "A" * ((1 - len(part)) % 4)
    assert_verdict(replaced(index, impossible), MALFORMED)


@pytest.mark.parametrize("count", [0, 1, 2, 4, 6, 7, 100])
def test_segments_other_than_three(count: int) -> None:
    token = ".".join((parts() * 40)[:count])
    assert_verdict(token, MALFORMED)


def test_dots_before_between_and_after() -> None:
    token = mint.token()
    for dotted in ("." + token, token + ".", token.replace(".", "..", 1), "...", ".", ""):
        assert_verdict(dotted, MALFORMED, dotted.count("."))


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ((0,), ErrorCode.MALFORMED_HEADER),
        ((0, 1, 2), ErrorCode.MALFORMED_HEADER),
        ((2,), ErrorCode.INVALID_SIGNATURE),
        ((1, 2), ErrorCode.INVALID_SIGNATURE),
    ],
)
def test_empty_segments(which: tuple[int, ...], code: ErrorCode) -> None:
    token = ".".join("" if index in which else part for index, part in enumerate(parts()))
    assert_verdict(token, code)


def test_empty_payload_is_a_jws_and_no_jwt() -> None:
    assert_verdict(mint.token(b""), ErrorCode.MALFORMED_CLAIMS)


def json_serialisations() -> dict[str, str]:
    head, payload, signature = parts()
    flat: dict[str, Any] = {"protected": head, "payload": payload, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": head, "signature": signature}]}
    return {"flattened": json.dumps(flat), "general": json.dumps(general), "string": json.dumps(mint.token())}


@pytest.mark.parametrize("form", ["flattened", "general", "string"])
def test_json_serialisation_is_rejected(form: str) -> None:
    assert_verdict(json_serialisations()[form], MALFORMED)


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "DPoP ", " ", "\ufeff", "\u200b", '"'])
def test_anything_around_the_token(prefix: str) -> None:
    assert_verdict(prefix + mint.token(), MALFORMED)
    assert_verdict(mint.token() + prefix, MALFORMED)


@pytest.mark.parametrize(
    "text", ["\ud800", "\udfff.\ud800.a", "é.é.é", "\uff41.b.c", "\x00", "\U0001f511" * 3, "a.b.\u0661"]
)
def test_text_that_is_not_ascii(text: str) -> None:
    assert_verdict(text, MALFORMED)
    assert_verdict(mint.token() + text.replace(".", ""), MALFORMED)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\xc3\xa9.a.b", b"a.b", bytes(range(256))])
def test_bytes_that_are_no_text(data: bytes) -> None:
    assert_verdict(data, MALFORMED)


def test_jwe_is_unsupported() -> None:
    for head in (
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31 - 1, "p2s": "AAAA"},
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "RSA1_5", "enc": "A128CBC-HS256"},
    ):
        token = ".".join([mint.b64(mint.encode(head)), "AAAA", "AAAA", "A" * 8192, "AAAA"])
        assert_verdict(token, ErrorCode.UNSUPPORTED)
    assert_verdict("....", ErrorCode.UNSUPPORTED)
    nested = mint.token(head=mint.header(cty="JWT"), payload=mint.token().encode())
    assert_verdict(nested, ErrorCode.MALFORMED_CLAIMS)


def test_compressed_payload_is_never_inflated() -> None:
    bomb = zlib.compress(b"{" + b" " * 5_000_000 + b"}")
    token = mint.token(bomb, mint.header(zip="DEF"))
    assert_verdict(token, ErrorCode.MALFORMED_CLAIMS)
