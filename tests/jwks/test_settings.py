"""Everything that needs no network: settings, URLs, Cache-Control."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest

from watchword.jwks import CacheSettings
from watchword.jwks.cache_control import lifetime
from watchword.jwks.urls import check_issuer_url, check_url, redact


@pytest.mark.parametrize(
    ("settings", "error", "why"),
    [
        ({"ttl": 10}, ValueError, "between min_ttl and max_ttl"),
        ({"ttl": 7200}, ValueError, "between min_ttl and max_ttl"),
        ({"timeout": 30}, ValueError, "longer than timeout"),
        ({"timeout": 0}, ValueError, "timeout must be over 0"),
        ({"max_stale": -1}, ValueError, "not negative"),
        ({"max_stale": math.inf}, ValueError, "finite"),
        ({"max_stale": math.nan}, ValueError, "finite"),
        ({"max_stale": "3600"}, TypeError, "number of seconds"),
        ({"max_stale": True}, TypeError, "number of seconds"),
        ({"max_stale": None}, TypeError, "number of seconds"),
        ({"refresh_ahead": 0}, ValueError, "share"),
        ({"refresh_ahead": 1.1}, ValueError, "share"),
        ({"max_waiters": 1.5}, TypeError, "whole number"),
        ({"max_waiters": -1}, ValueError, "not negative"),
        ({"max_bytes": 0}, ValueError, "over 0"),
        ({"max_bytes": 1024 * 1024 + 1}, ValueError, "at most"),
        ({"max_keys": 257}, ValueError, "at most"),
        ({"backoff_cap": 0}, ValueError, "over 0"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        CacheSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"cache-control": ""}, 300),
        ({"cache-control": "public"}, 300),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "Public, MAX-AGE = 600 , must-revalidate"}, 600),
        ({"cache-control": 'max-age="600"'}, 600),
        ({"cache-control": "max-age=600, max-age=400"}, 400),
        ({"cache-control": "max-age=0"}, 30),
        ({"cache-control": "max-age=29"}, 30),
        ({"cache-control": "max-age=86400"}, 3600),
        ({"cache-control": "max-age=" + "9" * 10_000}, 3600),
        ({"cache-control": "s-maxage=600"}, 300),
        ({"cache-control": "no-store"}, 30),
        ({"cache-control": "no-cache, max-age=600"}, 30),
        ({"cache-control": "max-age=600, no-store"}, 30),
        ({"cache-control": "max-age"}, 30),
        ({"cache-control": "max-age=-5"}, 30),
        ({"cache-control": "max-age=1e3"}, 30),
        ({"cache-control": "max-age=٦٠٠"}, 30),
        ({"cache-control": "max-age=600, max-age=x"}, 30),
        ({"cache-control": "max-age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=600", "age": "10000"}, 30),
        ({"cache-control": "max-age=600", "age": "x"}, 600),
        ({"age": "100"}, 300),
        ({"expires": "0"}, 300),
    ],
)
def test_how_long_an_answer_is_fresh(headers: dict[str, str], seconds: float) -> None:
    assert lifetime(headers, CacheSettings()) == seconds


def test_the_defaults_are_the_documented_ones() -> None:
    text = Path(__file__).parents[2].joinpath("docs", "keys.md").read_text(encoding="utf-8")
    units = {"1 MiB": 1024 * 1024}
    documented: dict[str, float] = {}
    for names, values in re.findall(r"^\| (`[a-z_`, ]+`) \| ([0-9., MiB]+) \|", text, re.MULTILINE):
        for name, value in zip(re.findall(r"[a-z_]+", names), values.split(", "), strict=True):
            documented[name] = units.get(value.strip()) or float(value)
    assert documented == dataclasses.asdict(CacheSettings())


GOOD = [
    "https://as.example",
    "https://as.example/",
    "https://as.example:8443/keys?p=policy&v=2.0",
    "https://xn--bcher-kva.example/jwks.json",
    "https://auth_server/jwks",
    "https://[2001:db8::1]/jwks",
    "https://192.0.2.1/jwks",
]
LOOPBACK = [
    "http://127.0.0.1/jwks",
    "http://127.8.9.1:8000",
    "http://[::1]:8000/jwks",
    "http://localhost:8000/jwks",
    "http://LocalHost/",
]
BAD = [
    "",
    "as.example",
    "//as.example",
    "https:/as.example",
    "https://",
    "https:///jwks",
    "HTTPS://as.example",
    "ftp://as.example",
    "file:///etc/passwd",
    "data:application/json,{}",
    "https://user@as.example",
    "https://user:password@as.example",
    "https://as.example/#keys",
    "https://as.example#",
    "https://as.example:0",
    "https://as.example:65536",
    "https://as.example:x",
    "https://as.example:",
    "https://bücher.example",
    "https://as.example/ü",
    "https://as.example\\@localhost",
    "https://as.example/\\",
    "https://as.example /",
    " https://as.example",
    "https://as.example\n",
    "https://as.example/\r\nHost: other",
    "https://as.example\t/",
    "https://%6cocalhost",
    "https://[::1%25eth0]/",
    "http://as.example",
    "http://localhost.as.example",
    "http://localhost.",
    "http://127.0.0.1.as.example",
    "http://127.0.0.1@as.example",
    "http://2130706433",
    "http://127.1",
    "http://0x7f.0.0.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://192.168.0.1",
]


@pytest.mark.parametrize("url", GOOD)
def test_https_is_allowed(url: str) -> None:
    check_url(url, allow_loopback_http=False, what="it")


@pytest.mark.parametrize("url", LOOPBACK)
def test_http_to_this_machine_is_allowed_on_request(url: str) -> None:
    check_url(url, allow_loopback_http=True, what="it")
    with pytest.raises(ValueError, match="allow_loopback_http=True"):
        check_url(url, allow_loopback_http=False, what="it")


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        check_url(url, allow_loopback_http=True, what="it")


def test_an_issuer_to_discover_has_no_query() -> None:
    with pytest.raises(ValueError, match="query"):
        check_issuer_url("https://as.example/?tenant=1", allow_loopback_http=False)


def test_a_query_is_not_shown() -> None:
    assert redact("https://as.example/jwks?code=secret") == "https://as.example/jwks?…"
    assert redact("https://as.example/jwks") == "https://as.example/jwks"
