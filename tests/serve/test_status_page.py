"""The status page: well-formed, without scripts, readable by everybody, whatever issuers and keys are called."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
import server_states
from server_states import history, issuer, state

from watchword import KeySet, TokenCache
from watchword.serve.pages import Pages
from watchword.serve.status_page import status_page

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style></title></svg><h1>owned",
    "\u202egpj.exe\u2066\u200f",
    "nul\x00esc\x1b[31m\r\n\x7f\x85",
    "a" + "\u0301" * 60,
    "]]>--><!--",
    "x" * 10_240,
]


def tree(page: str) -> ET.Element:
    assert page.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(page.partition("\n")[2])


def text(page: str) -> str:
    return " ".join("".join(tree(page).find("body").itertext()).replace("\N{NO-BREAK SPACE}", " ").split())


def test_what_an_operator_sees() -> None:
    seen = text(status_page(state(token_cache=TokenCache(max_bytes=1 << 20).stats())))
    for expected in (
        "Ready.",
        "es256-1",
        "2 minutes 2 seconds ago",
        "in 1 minute 53 seconds",
        "allowed/orders/{id}https://as.example124,690",
        "missing_token401/orders/{id}",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "17 of 1,000,000",
        "/etc/watchword/gate.toml",
        "2 applied, 0 refused",
        "0 bytes of 1.0 MiB",
    ):
        assert expected in seen, expected
    assert "not reloaded" not in seen


def test_what_is_wrong_is_said_first() -> None:
    missing = issuer("https://new.example", None, fetches=3, failures=3, consecutive_failures=3)
    expired = issuer("https://old.example", None, fetches=9, failures=2, expires_in=0.0)
    page = status_page(
        state(refused=server_states.REFUSED, missing=("https://new.example",), issuers=(missing, expired))
    )
    seen = text(page)
    assert "Not ready: the keys of 1 issuer are missing." in seen
    assert "The keys of https://old.example have expired" in seen
    assert 'routes[0].method: unknown key; did you mean "methods"?' in seen
    assert "the last 3 attempts failed" in seen
    assert seen.index("not reloaded") < seen.index("Verdicts")
    assert "Stopping" in text(status_page(state(stopping=True)))


def test_an_hour_without_requests() -> None:
    seen = text(status_page(state(history=history(), counters={"verdicts": {}}, rejections=())))
    assert "0 requests in the last hour" in seen
    assert "No request was checked yet." in seen


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_of_others_is_shown_and_nothing_else(hostile: str) -> None:
    key = {**server_states.KEYS.jwks()["keys"][0], "kid": hostile[:256]}
    shown = issuer(hostile, KeySet.from_json(json.dumps({"keys": [key]})), keys=1)
    rejection = server_states.state().rejections[0]
    page = status_page(
        state(
            issuers=(shown, issuer(hostile + "2", None)),
            missing=(hostile,),
            config_file=hostile,
            refused=type(server_states.REFUSED)(0.0, hostile),
            counters={"verdicts": {(hostile, "expired", "", "false", hostile): 1}},
            rejections=(type(rejection)(0.0, "expired", 401, hostile, hostile, hostile),),
        )
    )
    root = tree(page)
    assert not {one.tag for one in root.iter()} & {"script", "img", "iframe", "object", "link", "base", "form", "b"}
    assert len(list(root.iter("h1"))) == len(list(root.iter("style"))) == 1
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on") or name == "style"]
    assert [one for one in page if not one.isprintable() and one not in "\n\N{NO-BREAK SPACE}"] == []
    assert page.count("\u0301") <= 2 * page.count("a\u0301")


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    page = status_page(state(refused=server_states.REFUSED))
    assert not re.search(r"(?i)\b(src|srcset|action|ping|poster)\s*=", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {"/metrics", "/readyz"}
    style = tree(page).find("head/style").text
    assert not re.search(r"(?i)url\(|@import|@font-face|expression", style)
    (policy,) = (one.get("content") for one in tree(page).iter("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_page_can_be_read_aloud() -> None:
    root = tree(status_page(state(refused=server_states.REFUSED)))
    assert root.get("lang") == "en-GB"
    identifiers = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(identifiers) == len(set(identifiers))
    for one in root.iter():
        for name in ("aria-labelledby", "aria-describedby"):
            assert one.get(name) is None or one.get(name) in identifiers
    levels = [int(one.tag[1]) for one in root.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 200), ({"stopping": True}, 503), ({"missing": ("https://as.example",)}, 503)],
)
def test_readiness(changes: dict[str, Any], status: int) -> None:

    pages = Pages(lambda: state(**changes), lambda: b"", list)
    answer = pages("/readyz?verbose")
    assert answer[0] == status
    body = json.loads(answer[2])
    assert body["ready"] is (status == 200)
    assert body["issuers"] == {"https://as.example": "missing" if "missing" in changes else "loaded"}


def test_liveness_and_what_is_not_there() -> None:
    stuck: list[str] = []
    pages = Pages(state, lambda: b"metrics", lambda: stuck)
    assert pages("/livez")[0] == 200
    stuck.append("watchword-key-feed")
    assert pages("/livez") == (503, "text/plain; charset=utf-8", b"stuck: watchword-key-feed\n")
    assert pages("/metrics")[2] == b"metrics"
    assert pages("/")[1] == "text/html; charset=utf-8"
    for path in ("/../etc/passwd", "", "/metrics/", "//"):
        assert pages(path)[0] == 404
