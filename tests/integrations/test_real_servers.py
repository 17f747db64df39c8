"""Every row of ``gate_cases`` through real servers: one answer, whatever the server; nothing forged gets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from gate_answers import check_rejection, plain_name
from gate_cases import CASES, FORGED, Case, Expected, Requests
from gate_routes import ISSUER, ORIGIN
from servers import SERVERS, Running, Server, running
from wire import Answer, Wire

from watchword.testing import LocalIssuer


@pytest.fixture(name="requests", scope="module")
def _requests() -> Requests:
    return Requests(LocalIssuer(ISSUER, audience=ORIGIN, algorithms=("EdDSA", "ES256")))


@pytest.fixture(name="server", scope="module", params=SERVERS, ids=lambda server: server.name)
def _server(
    request: pytest.FixtureRequest, requests: Requests, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    server: Server = request.param
    folder = tmp_path_factory.mktemp(server.name)
    (folder / "reached").touch()
    env = {"TEST_JWKS": json.dumps(requests.issuer.jwks()), "TEST_REACHED": str(folder / "reached")}
    with running(server, folder / "log", env) as found:
        yield found


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_a_case_through_a_server(case: Case, server: Running, requests: Requests) -> None:
    *before, last = case.wires(requests)
    with server.showing_log():
        for wire in before:
            assert server.send(wire).status == 200
        marked = Wire(last.method, last.target, (*last.headers, ("X-Case", case.name)), last.body, last.websocket)
        answer = server.send(marked)
        reached = case.name in (server.log.parent / "reached").read_text().splitlines()
        _check(case, server.server, answer, reached=reached)


def _check(case: Case, server: Server, answer: Answer, *, reached: bool) -> None:
    own = next((case.own[name] for name in case.own if server.name.startswith(name)), None)
    if own is not None and (answer.status, reached) == (own, False):
        return
    expected = next((case.instead[name] for name in case.instead if server.name.startswith(name)), case.expected)
    assert answer.status == _status(expected, answer, server), (answer.headers, answer.body)
    if expected.code is None:
        if expected.sees:
            assert reached
            _check_seen(answer.json, expected, server)
    else:
        assert not reached
        # A WebSocket may be closed without a body.
        if answer.json is not None:
            check_rejection(answer, expected)


def _status(expected: Expected, answer: Answer, server: Server) -> int:
    if expected.status == 101 and not server.websockets:
        # A request like others.
        return 200
    # A server without the extension for responses to a handshake answers 403, whatever the close code was.
    without_body = server.websockets and expected.code is not None and answer.status == 403 and not answer.json
    return 403 if without_body else expected.status


def _check_seen(seen: dict[str, Any], expected: Expected, server: Server) -> None:
    assert FORGED not in json.dumps(seen)
    assert {name: seen[name] for name in expected.sees} == dict(expected.sees)
    # Under every name that an application might take for the gate's: the gate's values, each once.
    claimed = [(plain_name(name), value) for name, value in seen["headers"] if plain_name(name).startswith("x-auth-")]
    if server.identity_headers:
        assert sorted(claimed) == sorted(tuple(pair) for pair in seen["identity"])
    else:
        assert not claimed
