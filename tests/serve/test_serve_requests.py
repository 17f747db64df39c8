"""``watchword serve`` as a proxy sees it: verdicts, keys that come and go, requests in flight."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from pathlib import Path

import endpoint
import pytest
import redis_server
from endpoint import eventually
from serving import API, Served, configuration, request, serving

from watchword.testing import LocalIssuer, ServedIssuer

SCOPE = "orders:read"


def test_requests_are_allowed_and_rejected(server: Served, issuer: ServedIssuer) -> None:
    allowed = server.ask(token=issuer.mint(sub="alice", scope=SCOPE), X_Auth_Sub="mallory")
    assert (allowed.status, allowed.body) == (200, b"")
    assert allowed.headers.get_all("X-Auth-Sub") == ["alice"]
    assert allowed.headers.get_all("X-Auth-Actors") == [""]
    assert server.ask("/health").status == 200
    missing = server.ask()
    assert (missing.status, missing.code) == (401, "missing_token")
    assert 'Bearer scope="orders:read"' in missing.headers["WWW-Authenticate"]
    scope = server.ask(token=issuer.mint(scope="orders:write"))
    assert (scope.status, scope.code) == (403, "insufficient_scope")
    assert server.ask("/orders/%2e%2e/health").code == "ambiguous_path"
    assert server.ask("/elsewhere", token=issuer.mint(scope=SCOPE)).code == "no_route"


def test_the_metadata_is_answered(server: Served, issuer: ServedIssuer) -> None:
    found = request(server.address, "/.well-known/oauth-protected-resource")
    assert found.status == 200
    assert found.json["resource"] == API
    assert found.json["authorization_servers"] == [issuer.issuer]


def test_a_new_key_is_found_at_once_and_invented_ones_cost_little(server: Served, issuer: ServedIssuer) -> None:
    assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
    issuer.rotate()
    assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
    fetches = server.metric("watchword_keys_fetches_total")
    assert fetches == 2
    assert server.metric("watchword_keys_set_changes_total") == 2


def test_invented_kids_are_rejected_within_the_limits_of_fetching(tmp_path: Path) -> None:
    key, stranger = endpoint.Key("a"), endpoint.Key("b")
    with endpoint.running() as upstream:
        upstream.routes["/jwks"] = endpoint.answer(endpoint.jwks(key))
        config = tmp_path / "gate.toml"
        text = configuration(upstream.url).replace("cooldown = 0", "cooldown = 3600")
        config.write_text(text.replace("allow_loopback", f'jwks_uri = "{upstream.url}/jwks"\nallow_loopback'))
        with serving(config) as server:
            eventually(lambda: server.page("/readyz").status == 200)
            token = key.token(upstream.url, aud=API, scope=SCOPE)
            assert server.ask(token=token).status == 200
            answers = [
                server.ask(token=stranger.token(upstream.url, kid=f"invented-{number}", aud=API, scope=SCOPE))
                for number in range(20)
            ]
            assert {answer.code for answer in answers} == {"unknown_key"}
            assert server.ask(token=token).status == 200
        assert upstream.count("/jwks") <= 3


def test_keys_that_are_unavailable_at_first(config: Path, issuer: ServedIssuer) -> None:
    with contextlib.ExitStack() as outage:
        outage.enter_context(issuer.outage())
        with serving(config) as server:
            assert (server.page("/readyz").status, server.page("/livez").status) == (503, 200)
            assert server.page("/readyz").json["issuers"] == {issuer.issuer: "missing"}
            rejected = server.ask(token=issuer.mint(scope=SCOPE))
            assert (rejected.status, rejected.code) == (503, "keys_unavailable")
            assert server.ask("/health").status == 200
            assert server.ask(token="no-token").code == "malformed_token"
            assert server.metric("watchword_server_ready") == 0
            fetches = server.metric("watchword_keys_fetches_total")
            eventually(lambda: server.metric("watchword_keys_fetches_total") > fetches + 2)
            assert server.metric("watchword_keys_unavailable_total") == 1
            outage.close()
            eventually(lambda: server.page("/readyz").status == 200)
            assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
    assert "the keys of" in "\n".join(server.log)


def test_an_outage_does_not_reject_while_the_keys_may_be_used(server: Served, issuer: ServedIssuer) -> None:
    assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
    with issuer.outage():
        assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
        assert server.page("/readyz").status == 200


def test_one_issuer_does_not_stop_another(tmp_path: Path, issuer: ServedIssuer) -> None:
    with endpoint.running() as upstream:
        upstream.routes["/.well-known/openid-configuration"] = hang = endpoint.Hang()
        config = tmp_path / "gate.toml"
        config.write_text(configuration(issuer.issuer, upstream.url))
        with serving(config) as server:
            eventually(lambda: server.page("/readyz").json["issuers"][issuer.issuer] == "loaded")
            waiting = threading.Thread(
                target=server.ask, kwargs={"token": endpoint.Key("a").token(upstream.url, aud=API, scope=SCOPE)}
            )
            waiting.start()
            assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
            hang.released.set()
            waiting.join(endpoint.LONG)


def test_requests_in_flight_are_answered_before_it_stops(tmp_path: Path) -> None:
    key = endpoint.Key("a")
    with endpoint.running() as upstream:
        hang = endpoint.Hang(endpoint.answer(endpoint.jwks(key)))
        upstream.routes["/jwks"] = hang
        config = tmp_path / "gate.toml"
        text = configuration(upstream.url)
        config.write_text(text.replace("allow_loopback", f'jwks_uri = "{upstream.url}/jwks"\nallow_loopback'))
        with serving(config) as server:
            upstream.wait_for(1)
            answers = []
            token = key.token(upstream.url, aud=API, scope=SCOPE)
            waiting = threading.Thread(target=lambda: answers.append(server.ask(token=token)))
            waiting.start()
            eventually(lambda: server.metric("watchword_server_key_lookups_waiting"))
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("stopping")
            hang.released.set()
            waiting.join(endpoint.LONG)
            assert [answer.status for answer in answers] == [200]
            assert server.wait() == 0
            with pytest.raises(OSError):
                server.ask("/health")


def test_it_stops_in_time_whatever_is_in_flight(tmp_path: Path, issuer: ServedIssuer) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(configuration(issuer.issuer, server="stop_timeout = 0.5"))
    with serving(config) as server:
        host, _, port = server.address.rpartition(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            assert server.stop(signal.SIGINT) == 0


def test_decisions_are_logged_without_tokens(tmp_path: Path, issuer: ServedIssuer) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(configuration(issuer.issuer, more="[log]\nallowed = true"))
    token, expired = issuer.mint(sub="alice", scope=SCOPE), issuer.mint_bad("expired")
    with serving(config) as server:
        assert server.ask(token=token).status == 200
        assert (
            server.ask(token=expired, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").status
            == 401
        )
        allowed = json.loads(server.wait_for('"allowed"', in_decisions=True))
        rejected = json.loads(server.wait_for('"rejected"', in_decisions=True))
        page = server.page("/").body.decode()
        assert server.page("/metrics").status == 200
    assert (allowed["subject"], allowed["route"]) == ("alice", "/orders/{id}")
    assert (rejected["code"], rejected["status"]) == ("expired", 401)
    assert rejected["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert rejected["trace_id"] in page
    for text in (*server.decisions, *server.log, page):
        for part in (token, expired):
            assert part.split(".")[2] not in text


def test_a_proof_is_used_once_by_two_processes_with_redis(tmp_path: Path) -> None:
    origin = LocalIssuer(audience=API)
    with redis_server.running(tmp_path) as store, origin.serve() as issuer:
        config = tmp_path / "gate.toml"
        config.write_text(configuration(issuer.issuer, more=f'[dpop]\nreplay = "{store.url}"'))
        with serving(config) as one, serving(config) as another:
            signed = issuer.sign_request("GET", f"{API}/orders/7", dpop=True, scope=SCOPE)
            headers = dict(signed.headers)
            assert one.ask(**headers).status == 200
            again = another.ask(**headers)
            assert (again.status, again.code) == (401, "dpop_replayed")
            store.kill()
            signed = issuer.sign_request("GET", f"{API}/orders/7", dpop=True, scope=SCOPE)
            refused = one.ask(**dict(signed.headers))
            assert (refused.status, refused.code) == (503, "dpop_replay_unavailable")
            assert one.metric("watchword_server_replay_errors_total") == 1
            assert one.page("/readyz").status == 200
