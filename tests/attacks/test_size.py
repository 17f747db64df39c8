"""Limits on the size of what is decoded, and on its nesting."""

from __future__ import annotations

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

TOKEN_CAP = 16 * 1024
HEADER_CAP = 4 * 1024


def of_length(length: int) -> str:
    """A valid token of exactly this many characters."""
    for header_pad in range(8):
        head = mint.encode(mint.header()) + b" " * header_pad
        fixed = len(mint.b64(head)) + len(mint.b64(bytes(64))) + 2
        size = (length - fixed) * 3 // 4
        for payload_size in (size, size + 1):
            payload = mint.encode(mint.claims()).ljust(payload_size)
            token = mint.token(payload, head)
            if len(token) == length:
                return token
    raise AssertionError(f"no token of {length} characters")


def test_token_cap_is_exact() -> None:
    assert_verdict(of_length(TOKEN_CAP - 1), None)
    assert_verdict(of_length(TOKEN_CAP), None)
    assert_verdict(of_length(TOKEN_CAP + 1), ErrorCode.TOO_LARGE)


def test_header_cap_is_exact() -> None:
    def token(size: int) -> str:
        return mint.token(head=mint.encode(mint.header()).ljust(size))

    assert len(token(3072).partition(".")[0]) == HEADER_CAP
    assert_verdict(token(3071), None)
    assert_verdict(token(3072), None)
    assert_verdict(token(3073), ErrorCode.TOO_LARGE)


@pytest.mark.parametrize("size", [TOKEN_CAP + 1, 1_000_000, 32_000_000])
def test_huge_segment(size: int) -> None:
    head, payload, signature = mint.token().split(".")
    huge = "A" * size
    for token in (f"{huge}.{payload}.{signature}", f"{head}.{huge}.{signature}", f"{head}.{payload}.{huge}", huge):
        assert_verdict(token, ErrorCode.TOO_LARGE)


@pytest.mark.parametrize("byte", [".", "\x00", "=", "{", " ", "é"])
def test_huge_nonsense(byte: str) -> None:
    assert_verdict(byte * (TOKEN_CAP + 1), ErrorCode.TOO_LARGE)


def test_a_megabyte_header_validly_signed() -> None:
    assert_verdict(mint.token(head=mint.header(pad="x" * 1_000_000)), ErrorCode.TOO_LARGE)


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


@pytest.mark.parametrize(
    ("opening", "closing", "leaf"), [("[", "]", ""), ('{"a":', "}", "1")], ids=["arrays", "objects"]
)
def test_nesting_cap_is_exact(opening: str, closing: str, leaf: str) -> None:
    def deep(levels: int) -> str:
        return '"deep":' + opening * levels + leaf + closing * levels

    # The outermost object is the first of 32 levels.
    assert_verdict(mint.token(mint.with_member(mint.claims(), deep(31))), None)
    assert_verdict(mint.token(mint.with_member(mint.claims(), deep(32))), ErrorCode.MALFORMED_CLAIMS)
    assert_verdict(mint.token(head=mint.with_member(mint.header(), deep(31))), None)
    assert_verdict(mint.token(head=mint.with_member(mint.header(), deep(32))), ErrorCode.MALFORMED_HEADER)


def test_deep_nesting() -> None:
    # As deep as the caps leave room for, and deeper.
    assert_verdict(
        mint.token(head=mint.with_member(mint.header(), '"deep":' + nested(1400))), ErrorCode.MALFORMED_HEADER
    )
    payload = mint.with_member(mint.claims(), '"deep":' + nested(5_500))
    assert_verdict(mint.token(payload), ErrorCode.MALFORMED_CLAIMS)
    assert_verdict(mint.token(b"[" * 12_000), ErrorCode.MALFORMED_CLAIMS)
    assert_verdict(mint.token(b'{"a":' * 2_000), ErrorCode.MALFORMED_CLAIMS)
    assert_verdict(mint.token(mint.with_member(mint.claims(), '"deep":' + nested(100_000))), ErrorCode.TOO_LARGE)


def test_many_members() -> None:
    # As many as the cap leaves room for, in a document whose names all have to be compared.
    many = ",".join(f'"{index}":0' for index in range(1_300))
    assert_verdict(mint.token(mint.with_member(mint.claims(), many)), None)
    repeated = many + ',"0":0'
    assert_verdict(mint.token(mint.with_member(mint.claims(), repeated)), ErrorCode.MALFORMED_CLAIMS)
