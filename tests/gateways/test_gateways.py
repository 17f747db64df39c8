"""Every row of ``gate_cases`` and of ``hazards`` through real gateways: nothing forged reaches the application, and no
rejection loses its status or its challenge.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from gate_answers import check_challenge, check_rejection, plain_name
from gate_cases import CASES, FORGED, Case, Expected, Requests
from gate_routes import ISSUER, ORIGIN
from gateways import GATEWAYS, SECRET, Gateway, Running, running
from hazards import HAZARDS
from upstream import Seen, Upstream, recording
from wire import Answer, Wire

from watchword.gate import IdentityHeaders
from watchword.testing import LocalIssuer

ALL = {**CASES, **HAZARDS}


@pytest.fixture(name="requests", scope="module")
def _requests() -> Requests:
    return Requests(LocalIssuer(ISSUER, audience=ORIGIN, algorithms=("EdDSA", "ES256")))


@pytest.fixture(name="upstream", scope="module")
def _upstream() -> Iterator[Upstream]:
    with recording() as upstream:
        yield upstream


@pytest.fixture(name="gateway", scope="module", params=GATEWAYS, ids=lambda gateway: gateway.name)
def _gateway(
    request: pytest.FixtureRequest,
    requests: Requests,
    upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    gateway: Gateway = request.param
    folder = tmp_path_factory.mktemp(gateway.name)
    with running(gateway, folder, requests.issuer.jwks(), upstream.port) as ran:
        yield ran


@pytest.mark.parametrize("case", ALL.values(), ids=lambda case: case.name)
def test_a_case_through_a_gateway(case: Case, gateway: Running, upstream: Upstream, requests: Requests) -> None:
    _run(case, gateway, upstream, requests, "http/1.1")


#: What HTTP/2 has: no Connection header, no absolute-form, no WebSockets but by RFC 8441.
_HTTP2 = {
    name: case
    for name, case in ALL.items()
    if not any(word in name for word in ("websocket", "hop-by-hop", "absolute", "asterisk", "Host", "chunked", "twice"))
}


@pytest.mark.parametrize("case", _HTTP2.values(), ids=lambda case: case.name)
def test_a_case_through_a_gateway_by_http2(
    case: Case, gateway: Running, upstream: Upstream, requests: Requests
) -> None:
    _run(case, gateway, upstream, requests, "h2")


def _run(case: Case, gateway: Running, upstream: Upstream, requests: Requests, protocol: str) -> None:
    *before, last = case.wires(requests)
    mark = uuid.uuid4().hex
    with gateway.showing_logs():
        for wire in before:
            assert gateway.send(wire, protocol).status == 200
        marked = replace(last, headers=(*last.headers, ("X-Case", mark)))
        answer = gateway.send(marked, protocol)
        _check(case, gateway, marked, answer, upstream.seen(mark), requests, protocol)


def _check(
    case: Case,
    gateway: Running,
    wire: Wire,
    answer: Answer,
    seen: list[Seen],
    requests: Requests,
    protocol: str,
) -> None:
    names = [f"{gateway.gateway.name}-{protocol}", gateway.gateway.name, "gateway"]
    own = _of(case.own, names)
    if own is not None and (answer.status, seen) == (own, []):
        return
    expected = _of(case.instead, names) or case.expected
    assert answer.status == expected.status, (answer.headers, answer.body, [each.head for each in seen])
    if expected.code is None and expected.status >= 400:
        # The gateway's own answer.
        assert not seen
    elif expected.code is None:
        if "oauth-protected-resource" in wire.target:
            assert answer.json["resource"] == ORIGIN
            # The verifier's answer to a check must not reach a client.
            assert not [name for name, _ in answer.headers if plain_name(name).startswith("x-auth-")]
            return
        assert len(seen) == 1
        _check_seen(seen[0], wire, expected, requests, gateway.gateway)
    else:
        assert not seen, [each.head for each in seen]
        if wire.method == "HEAD":
            check_challenge(answer, expected)
        else:
            check_rejection(answer, expected)


def _of(table: Any, names: list[str]) -> Any:
    """The entry for the gateway: that of the longest name; else that of all gateways."""
    keys = sorted((key for key in table if any(name.startswith(key) for name in names)), key=len, reverse=True)
    keys.sort(key=lambda key: key == "gateway")
    return table[keys[0]] if keys else None


def _check_seen(seen: Seen, wire: Wire, expected: Expected, requests: Requests, gateway: Gateway) -> None:
    method, target, _ = seen.request_line.split(" ")
    # What needs no encoding may be decoded (RFC 3986 section 6.2.2.2).
    assert method == wire.method
    assert unquote(target) == unquote(re.sub("^http://[^/]+", "", wire.target))
    assert seen.body == wire.body
    assert seen.all("x-forwarded-proto") in ([], ["http"], ["ws"])
    assert not seen.all("forwarded")
    if wire.target.startswith("http:"):
        # The host that was asked for, whatever the Host header says (RFC 9112 section 3.2.2).
        assert seen.all("host") == [urlsplit(wire.target).hostname]
    if not any("elsewhere" in named for named in (wire.target, *wire.hosts)):
        for name, value in seen.headers:
            if plain_name(name) in ("host", "x-forwarded-host", "x-forwarded-for"):
                assert "elsewhere" not in value, seen.headers
    # Under every name that an application might take for the gate's: the gate's values, each once.
    claimed = [(plain_name(name), value) for name, value in seen.headers if plain_name(name).startswith("x-auth-")]
    if not gateway.removes_prefix:
        claimed = [(name, value) for name, value in claimed if name in _IDENTITY_NAMES]
    assert not any(FORGED in value for _, value in claimed)
    identity = dict(claimed)
    assert len(identity) == len(claimed), claimed
    assert identity.pop("x-auth-route")
    assert len(identity.pop("x-auth-trace-id")) == 32
    assert identity.pop("x-auth-secret") == SECRET
    # A gateway may remove an empty header.
    assert {name: value for name, value in identity.items() if value} == _identity(wire, expected, requests)
    # The application's own check.
    read = IdentityHeaders(SECRET, empty_headers=gateway.empty_headers).read(seen.headers)
    assert read.subject == expected.sees.get("subject")


_OWN = ("sub", "iss", "client-id", "scope", "actors", "jti", "exp", "jkt", "route", "trace-id", "secret")
_IDENTITY_NAMES = {f"x-auth-{name}" for name in _OWN}


def _identity(wire: Wire, expected: Expected, requests: Requests) -> dict[str, str]:
    """What the headers must say of the token."""
    if expected.sees.get("subject") is None:
        return {}
    (credentials,) = (value for name, value in wire.headers if name.lower() == "authorization")
    scheme, _, token = credentials.partition(" ")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    names = ("sub", "iss", "client_id", "scope", "jti", "exp")
    told = {f"x-auth-{name.replace('_', '-')}": str(claims[name]) for name in names if name in claims}
    return {**told, "x-auth-jkt": requests.prover.jkt} if scheme == "DPoP" else told
