"""What calls read and send: delays, nonces, URLs, settings, servers' words; and no secret in a repr."""

from __future__ import annotations

import json

import pytest
from client_calls import SECRET, caller
from endpoint import Server

from watchword.client import (
    Answer,
    CallSettings,
    OriginNonces,
    Request,
    check_base_url,
    path_segment,
    retry_after_seconds,
    server_text,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sat, 22 Nov 2025 00:00:10 GMT", 10),
        ("Sat, 22 Nov 2025 00:00:00 GMT", 0),
        ("Fri, 21 Nov 2025 00:00:00 GMT", 0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("9" * 5000, 999_999_999_999),
        ("Sat, 22 Nov 99999999 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    got = Answer(429, {"retry-after": value}, b"", "/token")
    assert retry_after_seconds(got, now=1_763_769_600) == seconds


def test_the_last_nonce_of_each_origin() -> None:
    nonces = OriginNonces()
    for value, is_new in (
        ("one", True),
        ("one", False),
        ("two", True),
        ("a, b", False),
        ('"', False),
        ("x" * 2000, False),
    ):
        assert nonces.learn("https://as.example", Answer(401, {"dpop-nonce": value}, b"", "/token")) is is_new
    assert nonces.get("https://as.example") == "two"
    assert nonces.get("https://other.example") is None
    assert "two" not in repr(nonces)


@pytest.mark.parametrize("value", ["", ".", "..", None, 7])
def test_what_is_not_a_segment_of_a_path(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="agent_id"):
        path_segment(value, what="agent_id")  # type: ignore[arg-type]


def test_a_segment_is_escaped() -> None:
    assert path_segment("a/b?c#d%2e ü", what="x") == "a%2Fb%3Fc%23d%252e%20%C3%BC"


@pytest.mark.parametrize(
    ("url", "hosts", "found"),
    [
        ("https://as.example/", (), "https://as.example"),
        ("http://127.0.0.1:8000", (), "http://127.0.0.1:8000"),
        ("http://localhost:8000//", (), "http://localhost:8000"),
        ("http://broker.test", ("broker.test",), "http://broker.test"),
        ("http://broker.test", (), None),
        ("http://broker.test.evil.example", ("broker.test",), None),
        ("https://user:password@as.example", (), None),
        ("https://as.example/?a=b", (), None),
        ("ftp://as.example", (), None),
        ("", (), None),
    ],
)
def test_base_urls(url: str, hosts: tuple[str, ...], found: str | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="base_url"):
            check_base_url(url, http_hosts=hosts)
    else:
        assert check_base_url(url, http_hosts=hosts) == found


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": 1e10},
        {"deadline": 10**400},
        {"first_delay": 10**400},
        {"deadline": -1},
        {"max_retries": -1},
        {"max_retries": True},
        {"max_bytes": 0},
        {"max_delay": -1},
    ],
)
def test_invalid_settings(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        CallSettings(**options)  # type: ignore[arg-type]


def test_secrets_are_in_no_repr(server: Server) -> None:
    shown = [
        repr(Request("POST", "/token", form={"client_secret": SECRET}, headers={"authorization": SECRET})),
        repr(Answer(200, {"x": SECRET}, SECRET.encode(), "/token")),
        repr(Answer(200, {"content-type": "application/json"}, json.dumps({"a": SECRET}).encode(), "/token").members()),
        repr(caller(server, headers={"x-api-key": SECRET})),
    ]
    assert not any(SECRET in one for one in shown)


JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("the code has expired", "the code has expired"),
        ("  two\r\nlines\x00 and \x1b[31mcolour\u202e ", "two lines and [31mcolour"),
        ("x" * 10_000_000, "x" * 512),
        ("", None),
        (" \n", None),
        (None, None),
        (7, None),
        ({"a": "b"}, None),
        (f"the secret {SECRET} is wrong", None),
        (f"in JSON: {json.dumps(SECRET + chr(34))}", None),
        (f"the token {JWT} has expired", None),
        (f"claims {JWT.split('.')[1]}", None),
        ("agent", "agent"),
    ],
)
def test_a_servers_words_are_bounded_and_repeat_no_secret(value: object, found: str | None) -> None:
    assert server_text(value, [SECRET, SECRET + '"', JWT, "a.agent.b", None, ""]) == found
