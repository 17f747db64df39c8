"""SPIFFE IDs: the rules of section 2 of the standard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.providers.agentwrit import SpiffeId

LONG_SEGMENT = "a" * (2048 - len("spiffe://example/"))


@pytest.mark.parametrize(
    ("text", "trust_domain", "path"),
    [
        ("spiffe://example", "example", ()),
        ("spiffe://example.org/payments/web-fe", "example.org", ("payments", "web-fe")),
        (
            "spiffe://agentwrit.local/agent/my-service/task-001/a1b2c3d4",
            "agentwrit.local",
            ("agent", "my-service", "task-001", "a1b2c3d4"),
        ),
        ("spiffe://a_b-c.1/A.b_C-9", "a_b-c.1", ("A.b_C-9",)),
        ("spiffe://example/...", "example", ("...",)),
        ("spiffe://" + "a" * 255, "a" * 255, ()),
        ("spiffe://example/" + LONG_SEGMENT, "example", (LONG_SEGMENT,)),
    ],
)
def test_good_ones(text: str, trust_domain: str, path: tuple[str, ...]) -> None:
    found = SpiffeId.parse(text)
    assert (found.trust_domain, found.path) == (trust_domain, path)
    assert str(found) == text
    assert SpiffeId(trust_domain, path) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spiffe:/example",
        "spiffe://",
        "spiffe:///path",
        "SPIFFE://example/path",
        "https://example/path",
        " spiffe://example/path",
        "spiffe://example/path\n",
        "spiffe://Example/path",
        "spiffe://example:443/path",
        "spiffe://user@example/path",
        "spiffe://exa%6dple/path",
        "spiffe://exämple/path",
        "spiffe://example/",
        "spiffe://example/path/",
        "spiffe://example//path",
        "spiffe://example/./path",
        "spiffe://example/../path",
        "spiffe://example/p%61th",
        "spiffe://example/pa th",
        "spiffe://example/path?query",
        "spiffe://example/path#fragment",
        "spiffe://example/päth",
        "spiffe://" + "a" * 256,
        "spiffe://example/" + LONG_SEGMENT + "a",
    ],
)
def test_bad_ones(text: str) -> None:
    with pytest.raises(ValueError, match="SPIFFE ID"):
        SpiffeId.parse(text)


def test_a_bad_one_is_not_quoted() -> None:
    for text in ("secret", "spiffe://Secret", "spiffe://example/secret/", "spiffe://example/" + "secret" * 400):
        with pytest.raises(ValueError, match="SPIFFE ID") as caught:
            SpiffeId.parse(text)
        assert "secret" not in str(caught.value).lower()


@pytest.mark.parametrize("wrong", [None, 5, b"spiffe://example"])
def test_what_is_no_text_is_a_mistake(wrong: Any) -> None:
    with pytest.raises(TypeError):
        SpiffeId.parse(wrong)


@given(st.text() | st.text("spife:/.-_aA9%?#@").map("spiffe://".__add__))
def test_there_is_one_spelling_of_each(text: str) -> None:
    try:
        found = SpiffeId.parse(text)
    except ValueError:
        return
    assert str(found) == text


#: Section 2 of the standard as one expression, apart from the length.
ANY_SPIFFE_ID = re.compile(r"spiffe://[a-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*")
PIECES = st.sampled_from(
    ["spiffe:", "/", "//", ".", "..", "a", "A", "org", "-", "_", "%2f", ":1", "@", "?", "#", "\n", "é", "\x00"]
)


@given(
    st.lists(PIECES, max_size=8).map("".join).map("spiffe://example".__add__)
    | st.lists(PIECES, max_size=8).map("".join)
)
def test_it_is_what_the_standard_says(text: str) -> None:
    try:
        SpiffeId.parse(text)
    except ValueError:
        assert not ANY_SPIFFE_ID.fullmatch(text)
    else:
        assert ANY_SPIFFE_ID.fullmatch(text)


def test_text_that_cannot_be_encoded_is_no_spiffe_id() -> None:
    with pytest.raises(ValueError, match="SPIFFE ID") as caught:
        SpiffeId.parse("spiffe://example/\ud800")
    assert not isinstance(caught.value, UnicodeError)
