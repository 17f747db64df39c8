"""What the verifier answers a gateway, and what the client gets of it: by a verifier that answers as a test says."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from gateways import GATEWAYS, Gateway, Running, running
from upstream import Seen, Upstream, recording
from wire import HOST, LONG, Answer, Wire

GATES = [gateway for gateway in GATEWAYS if gateway.served]
PROBLEM = '{"title":"Test","status":%d,"detail":"of a test","code":"test","trace_id":"0"}'
CHALLENGE = 'DPoP error="use_dpop_nonce", error_description="of a test", algs="EdDSA ES256"'


@dataclass
class Verifier:
    """Answers what ``answer`` is; a public path is always allowed."""

    answer: bytes = b""
    seen: list[Seen] = field(default_factory=list)

    def __call__(self, seen: Seen) -> bytes:
        targets = [seen.request_line.split(" ")[1], *seen.all("x-original-uri"), *seen.all("x-forwarded-uri")]
        if any(target.endswith("/public") for target in targets):
            return answered(200)
        self.seen.append(seen)
        return self.answer


def answered(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} Test", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()


@dataclass(frozen=True)
class Behind:
    """A gateway between an application and a verifier of the test."""

    gateway: Running
    application: Upstream
    verifier: Verifier
    verifier_port: Upstream

    def reached(self, wire: Wire, answer: bytes) -> tuple[Answer, list[Seen]]:
        self.verifier.answer = answer
        mark = uuid.uuid4().hex
        response = self.gateway.send(replace(wire, headers=(*wire.headers, ("X-Case", mark))))
        return response, self.application.seen(mark)


@pytest.fixture(name="behind", scope="module", params=GATES, ids=lambda gateway: gateway.name)
def _behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    gateway: Gateway = request.param
    verifier = Verifier()
    folder = tmp_path_factory.mktemp(gateway.name)
    with (
        recording() as application,
        recording(verifier) as port,
        running(gateway, folder, {"keys": []}, application.port, verifier=port.port) as ran,
    ):
        yield Behind(ran, application, verifier, port)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_rejection_keeps_its_status_and_its_headers(status: int, behind: Behind) -> None:
    problem = PROBLEM % status
    headers = (
        f"WWW-Authenticate: {CHALLENGE}",
        "DPoP-Nonce: the-next",
        "Retry-After: 5",
        "Cache-Control: no-store",
        "Content-Type: application/problem+json",
        f"X-Watchword-Problem: {problem}",
    )
    answer, seen = behind.reached(Wire("GET", "/orders/1"), answered(status, *headers, body=problem))
    assert not seen
    if status >= 500 and behind.gateway.gateway.name == "envoy":
        # It passes on no answer with a 5xx.
        assert answer.status == 503
        return
    assert answer.status == status
    assert answer.all("www-authenticate") == [CHALLENGE]
    assert answer.all("dpop-nonce") == ["the-next"]
    assert answer.all("retry-after") == ["5"]
    assert answer.all("cache-control") == ["no-store"]
    assert answer.all("content-type") == ["application/problem+json"]
    assert answer.body.decode() == problem


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nX-Auth-Sub: alice",
        b"not http\r\n\r\n",
        answered(404),
        answered(302, "Location: http://127.0.0.1:1/"),
    ],
    ids=["closed", "half a status line", "half a header", "not HTTP", "404", "302"],
)
def test_anything_else_lets_nothing_pass(answer: bytes, behind: Behind) -> None:
    response, seen = behind.reached(Wire("GET", "/orders/1"), answer)
    assert not seen
    assert response.status >= 300


def test_an_answer_without_identity_leaves_nothing_of_the_clients(behind: Behind) -> None:
    forged = (("X-Auth-Sub", "forged"), ("X-Auth-Scope", "forged"), ("x_auth_sub", "forged"), ("x.auth.sub", "forged"))
    response, (seen,) = behind.reached(Wire("GET", "/orders/1", forged), answered(200))
    assert response.status == 200
    assert b"forged" not in seen.head


def test_the_verifier_gets_no_body_and_no_upgrade(behind: Behind) -> None:
    response, (seen,) = behind.reached(Wire("POST", "/orders/1", body=b"x" * 1000), answered(200))
    assert response.status == 200
    assert seen.body == b"x" * 1000
    asked = behind.verifier.seen[-1]
    assert asked.body == b""
    assert asked.all("content-length") in ([], ["0"])
    response, (seen,) = behind.reached(Wire("GET", "/socket", websocket=True), answered(200))
    assert response.status == 101
    assert seen.all("upgrade") == ["websocket"]
    assert not behind.verifier.seen[-1].all("upgrade")


def test_connections_are_kept_open(behind: Behind) -> None:
    """To the application and to the verifier: opening one for each request costs a third of the throughput."""
    behind.verifier.answer = answered(200)
    accepted = behind.application.accepted, behind.verifier_port.accepted
    request = f"GET /orders/1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", behind.gateway.ports.http), timeout=LONG) as client:
        for _ in range(30):
            client.sendall(request)
            received = b""
            while not received.endswith(b'{"reached": true}'):
                chunk = client.recv(65536)
                assert chunk, received
                received += chunk
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert behind.application.accepted - accepted[0] <= 3
    assert behind.verifier_port.accepted - accepted[1] <= 3


#: Traefik's time-out is fixed: thirty seconds.
IMPATIENT = [gateway for gateway in GATES if gateway.impatient]


@pytest.mark.parametrize("gateway", IMPATIENT, ids=lambda gateway: gateway.name)
def test_a_verifier_that_does_not_answer_lets_nothing_pass(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> None:
    end = threading.Event()

    def answer(seen: Seen) -> bytes:
        if b"/slow" in seen.head:
            end.wait(LONG)
        return answered(200)

    folder = tmp_path_factory.mktemp(gateway.name)
    edited = replace(gateway, edits=lambda ports: {**gateway.edits(ports), **gateway.impatient})
    with (
        recording() as application,
        recording(answer) as verifier,
        running(edited, folder, {"keys": []}, application.port, verifier.port) as ran,
    ):
        response = ran.send(Wire("GET", "/slow", (("X-Case", "slow"),)))
        # Within its own time: the verifier still waits.
        assert response.status in (502, 503, 504)
        end.set()
        assert not application.seen("slow")


@pytest.mark.parametrize("gateway", GATES, ids=lambda gateway: gateway.name)
def test_without_a_verifier_nothing_passes(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp(gateway.name)
    with recording() as application:
        with recording(Verifier()) as port, running(gateway, folder, {"keys": []}, application.port, port.port) as ran:
            port.close()
            # On a connection that is kept open, too.
            answer = ran.send(Wire("GET", "/public", (("X-Case", "unreachable"), ("X-Auth-Sub", "alice"))))
            assert answer.status in (500, 502, 503)
        assert not application.seen("unreachable")
