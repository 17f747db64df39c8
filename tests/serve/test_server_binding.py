"""The server of the extension: what its host sees, and what proxies are answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import watchword as ww
from watchword._kernel import KeySet, NonceKeys, Server
from watchword.gate import Gate, Route
from watchword.testing import LocalIssuer

API = "https://api.test"
ROUTES = [
    Route("/health", public=True),
    Route("/orders/{id}", methods=["GET"], scopes=["orders:read"], name="order"),
    Route("/payments", dpop="required"),
]


def pages(path: str) -> tuple[int, str, bytes]:
    """Render a status page."""
    if path == "/broken":
        raise RuntimeError("a defect")
    return 200, "text/plain", path.encode()


def arguments(issuer: LocalIssuer, **changes: Any) -> dict[str, Any]:
    """Return the arguments of a server with the gate of ``ROUTES``."""
    cache = ww.TokenCache(max_bytes=1 << 20)
    gate = Gate(issuer.verifier(token_cache=cache), ROUTES, public_url=API)
    settings = {"listen": ["127.0.0.1:0"], "status_listen": ["127.0.0.1:0"], "proxy": "nginx", "threads": 2}
    return {
        "settings": settings | changes.pop("settings", {}),
        "rules": gate._state.rules,
        "keys": [issuer.key_set()],
        "cache": cache,
        "replay": "memory",
        "replay_capacity": None,
        "nonces": None,
        "pages": pages,
    } | changes


@contextlib.contextmanager
def running(issuer: LocalIssuer, **changes: Any) -> Iterator[Server]:
    """Start a server; stop it at the end."""
    server = Server(**arguments(issuer, **changes))
    server.start()
    try:
        yield server
    finally:
        server.stop(5)


def ask(
    address: str, headers: Mapping[str, str], method: str = "GET", path: str = "/"
) -> tuple[int, dict[str, str], bytes]:
    """Send one request; return status, headers and body of the answer."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def check(
    server: Server, target: str, *more: tuple[str, str], method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Ask as nginx does."""
    headers = {"X-Original-Method": method, "X-Original-URI": target, **dict(more)}
    return ask(server.addresses[0], headers)


def bearer(issuer: LocalIssuer, **claims: Any) -> tuple[str, str]:
    """Return the header with a valid token."""
    return "Authorization", f"Bearer {issuer.mint(claims)}"


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    """Return an issuer."""
    return LocalIssuer()


def test_a_request_is_allowed_with_all_identity_headers(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        status, headers, body = check(server, "/orders/7", bearer(issuer, scope="orders:read", sub="alice"))
        assert (status, body) == (200, b"")
        assert headers["x-auth-sub"] == "alice"
        assert headers["x-auth-route"] == "order"
        assert headers["x-auth-jkt"] == headers["x-auth-actors"] == ""
        assert headers["cache-control"] == "no-store"
        assert headers["content-length"] == "0"


def test_a_rejection_keeps_its_challenge_and_its_problem(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        status, headers, body = check(server, "/orders/7", bearer(issuer, scope="orders:write"))
        assert status == 403
        assert 'error="insufficient_scope"' in headers["www-authenticate"]
        assert json.loads(body)["code"] == "insufficient_scope"
        assert headers["x-watchword-problem"].encode() == body
        assert headers["content-type"] == "application/problem+json"
        assert check(server, "/nothing")[0] == 403


def test_only_the_headers_of_one_proxy_are_read(issuer: LocalIssuer) -> None:
    forwarded = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/health"}
    with running(issuer) as server:
        status, _, body = ask(server.addresses[0], forwarded)
        assert (status, json.loads(body)["code"]) == (400, "malformed_request")
        assert (
            ask(server.addresses[0], {**forwarded, "X-Original-Method": "GET", "X-Original-URI": "/payments"})[0] == 401
        )
    with running(issuer, settings={"proxy": "caddy"}) as server:
        assert ask(server.addresses[0], forwarded)[0] == 200
    with running(issuer, settings={"proxy": "envoy", "path_prefix": "/check"}) as server:
        assert ask(server.addresses[0], forwarded, path="/check/health")[0] == 200
        assert ask(server.addresses[0], forwarded, path="/health")[0] == 400
        assert ask(server.addresses[0], forwarded, path="/check/payments")[0] == 401


def test_a_proof_is_used_once(issuer: LocalIssuer) -> None:
    request = issuer.sign_request("POST", f"{API}/payments", dpop=True)
    with running(issuer) as server:
        assert check(server, "/payments", *request.headers, method="POST")[0] == 200
        status, headers, body = check(server, "/payments", *request.headers, method="POST")
        assert (status, json.loads(body)["code"]) == (401, "dpop_replayed")
        assert headers["www-authenticate"].startswith("DPoP ")
        assert server.stats()["replay_size"] == 1
        # A reload does not forget it.
        again = arguments(issuer)
        server.replace(rules=again["rules"], keys=again["keys"], cache=again["cache"], nonces=None)
        assert check(server, "/payments", *request.headers, method="POST")[0] == 401


def test_a_nonce_is_required_and_given(issuer: LocalIssuer) -> None:
    nonces = NonceKeys([bytes(32)], 300)
    with running(issuer, nonces=nonces) as server:
        request = issuer.sign_request("GET", f"{API}/payments", dpop=True)
        status, headers, _ = check(server, "/payments", *request.headers)
        assert status == 401
        assert headers["dpop-nonce"]
        assert 'error="use_dpop_nonce"' in headers["www-authenticate"]


def test_a_request_waits_for_keys_that_the_host_looks_up() -> None:
    issuer = LocalIssuer()
    old = issuer.key_set()
    issuer.rotate()
    answers: list[int] = []
    with running(issuer, keys=[old]) as server:
        asking = [
            threading.Thread(
                target=lambda: answers.append(check(server, "/orders/7", bearer(issuer, scope="orders:read"))[0])
            )
            for _ in range(3)
        ]
        for thread in asking:
            thread.start()
        while (lookup := server.next_lookup(30)) is not None:
            number, name, seen, key_ids = lookup
            assert name == issuer.issuer
            assert seen is not None
            assert all(key_id is not None for key_id in key_ids)
            server.set_keys(name, issuer.key_set())
            server.finish_lookup(number)
            for thread in asking:
                thread.join(0.1)
            if not any(thread.is_alive() for thread in asking):
                break
        assert answers == [200, 200, 200]


def test_keys_that_are_not_found_reject_the_request(issuer: LocalIssuer) -> None:
    found: list[tuple[int, bytes]] = []
    with running(issuer, keys=[None]) as server:

        def ask_one() -> None:
            status, _, body = check(server, "/orders/7", bearer(issuer, scope="orders:read"))
            found.append((status, json.loads(body)["code"]))

        thread = threading.Thread(target=ask_one)
        thread.start()
        lookup = server.next_lookup(30)
        assert lookup is not None
        assert lookup[2] is None
        server.finish_lookup(lookup[0])
        thread.join()
        assert found == [(503, "keys_unavailable")]
        # A token that is invalid whatever the keys are causes no lookup.
        assert check(server, "/orders/7", ("Authorization", "Bearer a.b.c"))[0] == 401
        assert server.next_lookup(0) is None
    assert server.next_lookup(30) is None


def test_status_pages_are_rendered_by_the_host(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        (status_port,) = server.status_addresses
        status, headers, body = ask(status_port, {}, path="/metrics?x=1")
        assert (status, body) == (200, b"/metrics")
        assert headers["x-content-type-options"] == "nosniff"
        assert ask(status_port, {}, "HEAD", "/")[::2] == (200, b"")
        assert ask(status_port, {}, "POST", "/")[0] == 405


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_page_that_raises_is_503(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        assert ask(server.status_addresses[0], {}, path="/broken")[0] == 503


def test_records_and_counters(issuer: LocalIssuer) -> None:
    with running(issuer, settings={"log_allowed": True}) as server:
        token = bearer(issuer, scope="orders:read")
        trace_ids = [check(server, "/orders/7", token)[1]["x-auth-trace-id"] for _ in range(2)]
        records = []
        while len(records) < 2:
            records += server.drain_records(30)
        assert [decision.trace_id for decision, _, _ in records] == trace_ids
        assert [decision.cached for decision, _, _ in records] == [False, True]
        stats = server.stats()
        assert stats["verdicts"] == {
            (issuer.issuer, "allowed", "Bearer", cached, "order"): 1 for cached in ("false", "true")
        }
        assert stats["requests"] == 2
        assert sum(stats["seconds"]["allowed", "Bearer", "true"][0]) == 1
        assert len(stats["bounds"]) + 1 == len(stats["seconds"]["allowed", "Bearer", "true"][0])


def test_the_metadata_is_served_and_its_path_is_never_a_check(issuer: LocalIssuer) -> None:
    path = "/.well-known/oauth-protected-resource"
    with running(issuer, metadata=(path, b"{}")) as server:
        status, headers, body = ask(server.addresses[0], {}, path=path)
        assert (status, headers["content-type"], body) == (200, "application/json", b"{}")
        # Of a client, whose headers the proxy passes on: the answer has no identity header, and no secret.
        asked = {"X-Original-Method": "GET", "X-Original-URI": "/health"}
        assert "x-auth-route" not in ask(server.addresses[0], asked, path=path)[1]
        assert ask(server.addresses[0], asked, path="/%2Ewell-known/oauth-protected-resource")[0] == 404
    with running(issuer, settings={"proxy": "envoy"}, metadata=(path, b"{}")) as server:
        assert ask(server.addresses[0], {}, path=path)[0] == 403


def test_a_unix_socket(issuer: LocalIssuer, tmp_path: Path) -> None:
    path = tmp_path / "gate.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    settings = {"listen": [f"unix:{path}"], "status_listen": [], "socket_mode": 0o600}
    with running(issuer, settings=settings) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert server.addresses == (f"unix:{path}",)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Original-Method: GET\r\nX-Original-URI: /health\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(OSError, match="another process listens there"):
            Server(**arguments(issuer, settings=settings))
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"settings": {"listen": ["localhost"]}}, ValueError, "must be an IP address"),
        ({"settings": {"listen": []}}, ValueError, "listen is empty"),
        ({"settings": {"proxy": "apache"}}, ValueError, '"nginx"'),
        ({"settings": {"path_prefix": "/x"}}, ValueError, "envoy"),
        ({"settings": {"max_header_bytes": 100}}, ValueError, "8192"),
        ({"settings": {"idle_timeout": 0}}, ValueError, "positive"),
        ({"settings": {"unknown": 1}}, TypeError, "unknown"),
        ({"settings": {"threads": 0}}, ValueError, "threads"),
        ({"replay": "http://redis"}, ValueError, "redis://"),
        ({"replay": "rediss://redis"}, ValueError, "TLS"),
        ({"keys": []}, ValueError, "keys has 0 elements"),
        ({"pages": 1}, TypeError, "callable"),
    ],
)
def test_invalid_arguments(issuer: LocalIssuer, changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Server(**arguments(issuer, **changes))


def test_an_address_that_is_taken_is_an_error(issuer: LocalIssuer) -> None:
    with running(issuer) as server, pytest.raises(OSError, match="cannot listen on"):
        Server(**arguments(issuer, settings={"listen": list(server.addresses)}))


def test_a_stopped_server_is_not_started_again(issuer: LocalIssuer) -> None:
    server = Server(**arguments(issuer))
    server.stop(0)
    with pytest.raises(OSError, match="stopped"):
        server.start()
    server.stop(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_cannot_use_the_server_and_does_not_end_it(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        child = os.fork()
        if child == 0:
            try:
                server.stop(0)
            except RuntimeError:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert check(server, "/health")[0] == 200


def test_an_issuer_that_is_not_known_has_no_keys(issuer: LocalIssuer) -> None:
    with running(issuer) as server:
        assert server.set_keys("https://other.test", KeySet.from_json({"keys": []})) is False
        assert server.set_keys(issuer.issuer, None) is True
