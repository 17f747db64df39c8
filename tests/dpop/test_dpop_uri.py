"""The URI of a request in its normal form (RFC 3986 section 6.2)."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.dpop import normalize_uri

#: Spellings of one target.
SAME = [
    ["https://api.example/", "https://api.example", "HTTPS://API.EXAMPLE/", "https://api.example:443/",
     "https://api.example:/", "https://api.example:0443", "https://api.example?q=1", "https://api.example#f",
     "https://api.example/?", "https://api.example/.", "https://api.example/a/..", "https://api.example/../..",
     "https://%61pi.example/", "https://api.example/%2e", "https://api.example/a/%2E%2e/"],
    ["http://api.example/", "http://api.example:80", "hTTp://api.example:00080/"],
    ["http://api.example:443/", "http://API.example:443"],
    ["https://api.example/a/b", "https://api.example/a/./b", "https://api.example/x/../a/b",
     "https://api.example/%61/b", "https://api.example/a/b?x=/../", "https://api.example/a/b#/c"],
    ["https://api.example/~u/-._", "https://api.example/%7eu/%2D%2e%5F", "https://api.example/%7Eu/-._"],
    ["https://api.example/a%2Fb", "https://api.example/a%2fb"],
    ["https://api.example/a%7Cb", "https://api.example/a|b", "https://api.example/a%7cb"],
    ["https://api.example/%C3%BC", "https://api.example/ü", "https://api.example/%c3%bc"],
    ["https://xn--bcher-kva.example/", "https://bücher.example/", "https://BÜCHER.example",
     "https://b%C3%BCcher.example", "https://xn--BCHER-kva.EXAMPLE/", "https://bu\u0308cher.example/",
     "https://bücher\u3002example/"],
    ["https://xn--fa-hia.example/", "https://faß.example/"],
    ["https://api.example/", "https://ａｐｉ.example/"],
    ["https://[2001:db8::1]/", "https://[2001:DB8:0:0::0001]:443", "https://[2001:db8:0:0:0:0:0:1]"],
    ["https://192.0.2.1:8443/", "https://192.0.2.1:8443"],
    ["https://api.example/b//c%2Fd", "https://api.example/a/../b//c%2Fd"],
]  # fmt: skip

#: Neighbours that are different targets.
DIFFERENT = [
    ("https://api.example/a", "https://api.example/a/"),
    ("https://api.example/a", "https://api.example/A"),
    ("https://api.example/a//b", "https://api.example/a/b"),
    ("https://api.example//", "https://api.example/"),
    ("https://api.example/a%2Fb", "https://api.example/a/b"),
    ("https://api.example/a%3Fb", "https://api.example/a?b"),
    ("https://api.example/a;x", "https://api.example/a"),
    ("https://api.example/a%3Bx", "https://api.example/a;x"),
    ("https://api.example/%252e%252e/", "https://api.example/"),
    ("https://api.example/", "http://api.example/"),
    ("https://api.example/", "https://api.example:80/"),
    ("https://api.example/", "https://api.example./"),
    ("https://api.example/", "https://api.example.evil/"),
    ("https://faß.example/", "https://fass.example/"),
    ("https://аpi.example/", "https://api.example/"),  # a Cyrillic letter
    ("https://[::1]/", "https://localhost/"),
    ("https://127.0.0.1/", "https://0x7f000001/"),
    ("https://api.example/\\evil", "https://api.example/evil"),
]

NOT_URIS = [
    "", "/", "/orders", "api.example/orders", "//api.example/", "https:/api.example", "https:api.example", "https://",
    "https:///orders", "https://:443/", "https://?q", "ftp://api.example/", "ws://api.example/", "javascript:1",
    "https ://api.example", " https://api.example/", "https://api.example /", "https://api example/",
    "https://user@api.example/", "https://user:pass@api.example/", "https://@api.example/", "https://a@b@api.example/",
    "https://api.example:x/", "https://api.example:-1/", "https://api.example:+443/", "https://api.example:65536/",
    "https://api.example:443:443/", "https://api.example:99999999999999999999/", "https://[::1/", "https://[::1]x/",
    "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[v1.x]/", "https://[]/", "https://::1/",
    "https://api.example/%", "https://api.example/%2", "https://api.example/%zz", "https://api.example/%+1",
    "https://%zz/", "https://%ff/", "https://%2f/", "https://a%20b/", "https://a%00b/", "https://a%40b/",
    "https://api.example/a b", "https://api.example/a\tb", "https://api.example/a\r\nb", "https://api.example/\x00",
    "https://api.example/\x7f", "https://api.example\\@evil.example/", "https://api.example\\evil/",
    "https://a<b/", "https://a|b/", "https://a^b/", "https://\u2100.example/", "https://a\u3002\u3002b/ ",
    "https://" + "a" * 1025 + "/", "https://" + "ü" * 600 + "/", "https://api.example/" + "a" * 20_000,
    "https://\ud800.example/",
]  # fmt: skip


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_spellings_of_one_target(spellings: list[str]) -> None:
    assert {normalize_uri(uri) for uri in spellings} == {normalize_uri(spellings[0])}


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_targets(one: str, other: str) -> None:
    # If the other is invalid, that is as good.
    with contextlib.suppress(ValueError):
        assert normalize_uri(one) != normalize_uri(other)


@pytest.mark.parametrize("uri", NOT_URIS, ids=lambda uri: ascii(uri[:40]))
def test_what_is_no_uri(uri: str) -> None:
    with pytest.raises(ValueError):
        normalize_uri(uri)


def test_the_normal_form() -> None:
    assert normalize_uri("HTTP://Bücher.Example:080/%7Ea/./b/../c|?q#f") == "http://xn--bcher-kva.example/~a/c%7C"


def test_the_query_may_be_long_and_contain_anything() -> None:
    assert normalize_uri("https://api.example/a?" + "%zz \x00" * 50_000) == "https://api.example/a"


@given(st.text())
def test_no_text_does_more_than_raise(text: str) -> None:
    for uri in (text, "https://" + text, "https://api.example/" + text, "https://api.example:" + text):
        try:
            normal = normalize_uri(uri)
        except ValueError:
            continue
        assert normal.isascii()
        assert normalize_uri(normal) == normal
        assert not {"", ".", ".."} & {normal.split("/")[2]}
        assert not {".", ".."} & set(normal.split("/")[3:])


segments = st.lists(st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@", max_size=5), max_size=6)


@given(segments, st.data())
def test_escaping_what_need_not_be_changes_nothing(parts: list[str], data: st.DataObject) -> None:
    plain = "/".join(parts)
    unreserved = string.ascii_letters + string.digits + "-._~"
    escaped = "".join(
        f"%{ord(ch):02{data.draw(st.sampled_from('xX'))}}" if ch in unreserved and data.draw(st.booleans()) else ch
        for ch in plain
    )
    assert normalize_uri(f"https://api.example/{escaped}") == normalize_uri(f"https://api.example/{plain}")


@given(segments)
def test_dots_are_resolved_as_the_rfc_does_it(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    assert normalize_uri("https://api.example" + path) == "https://api.example" + _remove_dot_segments(path)


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4, word for word."""
    out = ""
    while path:
        if path.startswith("../"):
            path = path[3:]
        elif path.startswith(("./", "/./")):
            path = path[2:]
        elif path == "/.":
            path = "/"
        elif path.startswith("/../") or path == "/..":
            path = "/" + path[4:]
            out = out[: out.rfind("/")] if "/" in out else ""
        elif path in (".", ".."):
            path = ""
        else:
            end = path.find("/", 1)
            end = len(path) if end < 0 else end
            out, path = out + path[:end], path[end:]
    return out
