"""The origin of a service is set by its operator, never by a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.dpop import normalize_uri
from watchword.origin import PublicOrigin

ONE = PublicOrigin("https://api.example")
TWO = PublicOrigin(["https://api.example/", "http://b.example:8080/v1/"])


@pytest.mark.parametrize(
    ("public_url", "path", "uri"),
    [
        ("https://api.example", "/a?b=c", "https://api.example/a?b=c"),
        ("https://API.example:443/", "/", "https://api.example/"),
        ("http://127.0.0.1:8000", "/a%2Fb", "http://127.0.0.1:8000/a%2Fb"),
        ("https://[::1]:8443", "/", "https://[::1]:8443/"),
        ("https://api.example/v1", "/a", "https://api.example/v1/a"),
        ("https://api.example", "", "https://api.example/"),
        ("https://api.example", "*", "https://api.example/*"),
        ("https://api.example", "//evil.example/a", "https://api.example//evil.example/a"),
    ],
)
def test_a_uri_is_the_origin_and_the_path(public_url: str, path: str, uri: str) -> None:
    assert PublicOrigin(public_url).uri(path) == uri
    assert PublicOrigin(public_url).uri(path, host="evil.example") == uri


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("api.example", "https://api.example"),
        ("api.example:443", "https://api.example"),
        ("api.example:80", "https://api.example"),
        ("b.example:8080", "http://b.example:8080/v1"),
        (" B.Example:8080 ", "http://b.example:8080/v1"),
        ("b.example", "https://api.example"),
        ("evil.example", "https://api.example"),
        ("evil@b.example:8080", "https://api.example"),
        ("", "https://api.example"),
        (None, "https://api.example"),
    ],
)
def test_a_host_chooses_among_the_configured_ones(host: str | None, origin: str) -> None:
    assert TWO.uri("/x", host=host) == f"{origin}/x"


@given(st.text(max_size=40), st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["b.example:8080", "@x"])))
def test_no_request_makes_up_an_origin(path: str, host: str | None) -> None:
    assert ONE.uri(path, host=host).startswith("https://api.example/")
    for uri in (ONE.uri(path, host=host), TWO.uri(path, host=host)):
        try:
            normal = normalize_uri(uri)
        except ValueError:
            continue
        assert normal.startswith(("https://api.example/", "http://b.example:8080/"))


@pytest.mark.parametrize(
    "public_url",
    [
        None,
        "",
        [],
        "api.example",
        "ftp://api.example",
        "https://",
        "https://user@api.example",
        "https://api.example?x=1",
        "https://api.example#x",
        "https://api.example:port",
        "https://api.example:99999",
        ["https://api.example", "http://api.example"],
        ["https://api.example", ""],
    ],
)
def test_what_is_no_origin(public_url: Any) -> None:
    with pytest.raises(ValueError, match="public_url"):
        PublicOrigin(public_url)


def test_an_origin_is_text() -> None:
    with pytest.raises(TypeError, match="public_url"):
        PublicOrigin([b"https://api.example"])  # type: ignore[list-item]
    assert repr(TWO) == "PublicOrigin(['https://api.example', 'http://b.example:8080/v1'])"
