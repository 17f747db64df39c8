"""The dynamic module in a real Envoy: what the table of requests (``test_gateways``) does not show."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from envoy_process import FILTERS, TYPES, envoy, refusal, route, struct, updated_envoy, watchword
from gate_cases import FORGED, Requests
from gate_routes import ISSUER, ORIGIN, READ, ROUTES
from upstream import Upstream, recording
from wire import LONG, Wire, send

from watchword.testing import ClientCertificate, LocalIssuer


@pytest.fixture(name="requests", scope="module")
def _requests() -> Requests:
    return Requests(LocalIssuer(ISSUER, audience=ORIGIN, algorithms=("EdDSA", "ES256")))


@pytest.fixture(name="upstream", scope="module")
def _upstream() -> Iterator[Upstream]:
    with recording() as upstream:
        yield upstream


def gate(requests: Requests, **more: Any) -> dict[str, Any]:
    return {
        "public_url": ORIGIN,
        "token": {"audience": ORIGIN},
        "issuers": [{"issuer": ISSUER, "jwks": requests.issuer.jwks()}],
        "routes": ROUTES,
        **more,
    }


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# Configuration


def test_the_module_has_the_version_of_envoys_interface(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    with envoy(tmp_path, upstream.port, [watchword(struct({"gate": gate(requests)}))]) as running:
        assert "Dynamic module ABI version v0.2.0 matched" in running.log


def test_toml_in_a_string(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps(requests.issuer.jwks()))
    toml = f"""
        public_url = "{ORIGIN}"
        token.audience = "{ORIGIN}"
        issuers = [{{issuer = "{ISSUER}", jwks_file = "jwks.json"}}]
        routes = [{{path = "/orders/{{id}}", scopes = ["{READ}"]}}]
    """
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": toml}
    with envoy(tmp_path, upstream.port, [watchword(text)]) as running:
        assert running.send(requests.bearer()).status == 200
        assert running.send(requests.bad("expired")).status == 401


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gate": {"public_url": ORIGIN}}, "issuers are missing"),
        ({"gate": {"publicurl": ORIGIN}}, 'did you mean "public_url"?'),
        ({"keyfile": "/keys"}, 'unknown key "keyfile"'),
        ({"gate_file": "gate.toml"}, "gate and gate_file contradict each other"),
        ({"metadata_namespace": "x"}, "set payload_in_metadata"),
    ],
)
def test_a_bad_configuration_is_refused_with_its_reason(
    tmp_path: Path, requests: Requests, change: dict[str, Any], reason: str
) -> None:
    written = refusal(tmp_path, [watchword(struct({"gate": gate(requests), **change}))])
    assert "watchword: filter configuration: " in written
    assert reason in written


def test_a_filter_without_a_configuration_is_refused(tmp_path: Path) -> None:
    assert "filter_config is missing" in refusal(tmp_path, [watchword(None)])


def test_keys_that_are_fetched_need_the_file_of_keys_sync(tmp_path: Path, requests: Requests) -> None:
    remote = gate(requests, issuers=[{"issuer": ISSUER}])
    assert "watchword keys sync" in refusal(tmp_path, [watchword(struct({"gate": remote}))])


def test_a_shared_replay_store_is_refused(tmp_path: Path, requests: Requests) -> None:
    shared = gate(requests, dpop={"replay": "redis://user:secret@127.0.0.1:1"})
    written = refusal(tmp_path, [watchword(struct({"gate": shared}))])
    assert "dpop.replay is the URL of a Redis server" in written
    assert "watchword: filter configuration: dpop.replay" in written


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        ({"disabled": True}, "disabled: unknown key"),
        ({"scope": ["a"]}, 'did you mean "scopes"?'),
        ({"path": "/", "scopes": ["a"]}, "path"),
        ({"public": True, "scopes": ["a"]}, "a public route reads no token"),
    ],
)
def test_bad_requirements_of_a_route_are_refused_with_their_reason(
    tmp_path: Path, requests: Requests, requirements: dict[str, Any], reason: str
) -> None:
    filters = [watchword(struct({"gate": gate(requests)}))]
    written = refusal(tmp_path, filters, routes=[route("/", requirements)])
    assert "watchword: route configuration: " in written
    assert reason in written


# Routes


def test_a_route_of_envoy_with_requirements_of_its_own(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    routes = [
        route("/reports", {"scopes": ["reports:read"]}),
        route("/open", {"public": True}),
        route("/bound", {"dpop": "required", "name": "bound"}),
        route("/other", {"issuers": ["https://other.example"]}),
        route("/"),
    ]
    filters = [watchword(struct({"gate": gate(requests)}))]
    with envoy(tmp_path, upstream.port, filters, routes=routes) as running:
        allowed = requests.bearer(("X-Case", "reports"), target="/reports/7", scope="reports:read")
        assert running.send(allowed).status == 200
        (seen,) = upstream.seen("reports")
        assert seen.all("x-auth-route") == ["of-envoy"]
        rejected = running.send(requests.bearer(target="/reports/7"))
        assert (rejected.status, rejected.json["code"]) == (403, "insufficient_scope")
        assert 'scope="reports:read"' in rejected.all("www-authenticate")[0]
        forged = Wire("GET", "/open/1", (("X-Auth-Sub", FORGED), ("X_Auth_Sub", FORGED), ("X-Case", "open")))
        assert running.send(forged).status == 200
        (seen,) = upstream.seen("open")
        assert FORGED.encode() not in seen.head
        assert running.send(requests.bearer(target="/bound")).json["code"] == "dpop_bound_token_required"
        # The gate has no such issuer, which is known only when a request comes.
        assert running.send(requests.bearer(target="/other")).status == 500
        assert 'no issuer has the name "https://other.example"' in running.log
        assert running.send(requests.bearer(target="/orders/1")).status == 200


def test_a_forged_header_cannot_choose_a_laxer_route(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    internal = {"headers": [{"name": "x-auth-sub", "string_match": {"exact": "admin"}}]}
    routes = [route("/", {"public": True}, **internal), route("/", {"scopes": [READ]})]
    filters = [watchword(struct({"gate": gate(requests)}))]
    with envoy(tmp_path, upstream.port, filters, routes=routes) as running:
        assert running.send(Wire("GET", "/orders/1", (("X-Auth-Sub", "admin"),))).status == 401
        assert running.send(requests.bearer(("X-Auth-Sub", "admin"))).status == 200


def test_an_encoded_letter_does_not_lead_around_a_stricter_route(
    tmp_path: Path, requests: Requests, upstream: Upstream
) -> None:
    routes = [route("/orders/secret", {"scopes": ["admin"]}), route("/caf%C3%A9", {"public": True}), route("/")]
    filters = [watchword(struct({"gate": gate(requests)}))]
    with envoy(tmp_path, upstream.port, filters, routes=routes) as running:
        for target in ("/orders/secret", "/orders/%73ecret", "/%6Frders/s%65cret?a=%41"):
            answer = running.send(requests.bearer(target=target))
            assert (answer.status, answer.json.get("code")) == (403, "insufficient_scope"), target
        admin = requests.bearer(("X-Case", "admin"), target="/orders/s%65cret?a=%41&b=/x?", scope="admin")
        assert running.send(admin).status == 200
        assert running.send(Wire("GET", "/caf%c3%a9", (("X-Case", "admin"),))).status == 200
        targets = [seen.request_line.split(" ")[1] for seen in upstream.seen("admin")]
        assert targets == ["/orders/secret?a=%41&b=/x?", "/caf%C3%A9"]


# What Envoy believes


def test_the_scheme_that_a_client_claims_is_not_that_of_the_origin(
    tmp_path: Path, requests: Requests, upstream: Upstream
) -> None:
    filters = [watchword(struct({"gate": gate(requests)}))]
    with envoy(tmp_path, upstream.port, filters, use_remote_address=False) as running:
        claimed = (("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "elsewhere.example"))
        assert running.send(requests.proven(requests.proof, more=claimed)).status == 200

        def http(token: str) -> str:
            return requests.proof(token, url="http://api.example/orders/1")

        assert running.send(requests.proven(http, more=claimed)).json["code"] == "dpop_wrong_uri"


def test_a_normalized_path_is_what_the_gate_decides_on(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    filters = [watchword(struct({"gate": gate(requests)}))]
    with envoy(tmp_path, upstream.port, filters, normalize_path=True) as running:
        assert running.send(Wire("GET", "/public/../orders/1")).status == 401
        assert running.send(requests.bearer(("X-Case", "normalized"), target="/public/../orders/1")).status == 200
        (seen,) = upstream.seen("normalized")
        assert seen.request_line.split(" ")[1] == "/orders/1"


def test_trailers_have_no_identity_headers(tmp_path: Path, requests: Requests) -> None:
    trailers = {"enable_trailers": True}
    name = f"{TYPES}.upstreams.http.v3.HttpProtocolOptions"
    options = {"@type": name, "explicit_http_config": {"http_protocol_options": trailers}}
    cluster = {"typed_extension_protocol_options": {name.rpartition("/")[2]: options}}
    (credentials,) = requests.bearer().headers
    head = f"POST /orders/1 HTTP/1.1\r\nHost: api.example\r\n{': '.join(credentials)}\r\n"
    body = f"3\r\nabc\r\n0\r\nX-Auth-Sub: {FORGED}\r\nX_Auth_Sub: {FORGED}\r\nX-Checksum: 1\r\n\r\n"
    filters = [watchword(struct({"gate": gate(requests)}))]
    with (
        socket.create_server(("127.0.0.1", 0)) as application,
        envoy(
            tmp_path, application.getsockname()[1], filters, http_protocol_options=trailers, cluster=cluster
        ) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=LONG) as client,
    ):
        client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n{body}".encode())
        application.settimeout(LONG)
        connection, _ = application.accept()
        with connection, connection.makefile("rb") as stream:
            received = b"".join(iter(stream.readline, b"x-checksum: 1\r\n"))
    assert b"x-auth-sub: alice" in received
    assert FORGED.encode() not in received


def test_a_token_that_is_bound_to_a_certificate(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    server, alice, bob = (ClientCertificate.make(name) for name in ("server", "alice", "bob"))
    own = {
        "certificate_chain": {"inline_string": server.pem},
        "private_key": {"inline_string": server.private_key_pem},
    }
    trusted = {"trusted_ca": {"inline_string": alice.pem + bob.pem}}
    tls = {"common_tls_context": {"tls_certificates": [own], "validation_context": trusted}}
    filters = [watchword(struct({"gate": gate(requests)}))]
    token = requests.issuer.mint({"sub": "alice", "scope": READ}, certificate=alice.der)

    def status(port: int, client: ClientCertificate | None) -> tuple[int, str | None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if client is not None:
            chain = tmp_path / "client.pem"
            chain.write_text(client.pem + client.private_key_pem)
            context.load_cert_chain(chain)
        headers = {"Authorization": f"Bearer {token}", "Host": "api.example"}
        answer = httpx2.get(f"https://127.0.0.1:{port}/orders/1", headers=headers, verify=context, trust_env=False)
        return answer.status_code, answer.json().get("code")

    with envoy(tmp_path, upstream.port, filters, tls=tls) as running:
        assert status(running.port, alice) == (200, None)
        assert status(running.port, bob) == (401, "certificate_mismatch")
        assert status(running.port, None) == (401, "certificate_required")


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_a_rejected_grpc_call_has_the_status_of_grpc(
    tmp_path: Path, requests: Requests, upstream: Upstream, protocol: str
) -> None:
    grpc = (("Content-Type", "application/grpc+proto"), ("TE", "trailers"))
    too_little = requests.bearer(*grpc, scope="orders:list", method="POST")
    with envoy(tmp_path, upstream.port, [watchword(struct({"gate": gate(requests)}))]) as running:
        answers = [
            send(running.port, wire, protocol)
            for wire in (Wire("POST", "/orders/1", grpc), too_little, Wire("POST", "/orders//1", grpc))
        ]
        # UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT; Envoy answers every call with status 200.
        assert [(answer.status, answer.all("grpc-status")) for answer in answers] == [
            (200, ["16"]),
            (200, ["7"]),
            (200, ["3"]),
        ]
        assert 'scope="orders:read"' in answers[0].all("www-authenticate")[0]
        assert "missing_token" in answers[0].all("grpc-message")[0]
        assert running.send(Wire("POST", "/orders/1")).all("grpc-status") == []


# Metadata, logs and statistics


def _claim(path: list[str], value: dict[str, Any]) -> dict[str, Any]:
    """A principal: the claim has this value in the metadata of the filter for JWTs."""
    keys = [{"key": key} for key in ("jwt_payload", *path)]
    return {"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": keys, "value": value}}


def _rbac(*principals: dict[str, Any]) -> dict[str, Any]:
    policy = {"permissions": [{"any": True}], "principals": [{"and_ids": {"ids": [*principals]}}]}
    rules = {"action": "ALLOW", "policies": {"only": policy}}
    return {"name": "rbac", "typed_config": {"@type": f"{FILTERS}.rbac.v3.RBAC", "rules": rules}}


def _exact(text: str) -> dict[str, Any]:
    return {"string_match": {"exact": text}}


def test_rbac_reads_the_claims_where_jwt_authn_writes_them(
    tmp_path: Path, requests: Requests, upstream: Upstream
) -> None:
    config = {
        "gate": gate(requests),
        "payload_in_metadata": "jwt_payload",
        "header_in_metadata": "jwt_header",
        "space_delimited_claims": ["scope"],
    }
    rbac = _rbac(
        _claim(["sub"], _exact("alice")),
        _claim(["scope"], {"list_match": {"one_of": _exact(READ)}}),
        _claim(["team", "name"], _exact("blue")),
        _claim(["level"], {"double_match": {"exact": 3}}),
        _claim(["admin"], {"bool_match": False}),
    )
    claims: dict[str, Any] = {"team": {"name": "blue"}, "level": 3, "admin": False, "scope": f"a {READ} b"}
    with envoy(tmp_path, upstream.port, [watchword(struct(config)), rbac]) as running:
        assert running.send(requests.bearer(**claims)).status == 200
        assert running.send(requests.bearer(**{**claims, "sub": "bob"})).status == 403
        assert running.send(requests.bearer(**{**claims, "team": {"name": "red"}})).status == 403
        assert running.send(requests.bearer(**{**claims, "level": 4})).status == 403
        # Without a token nothing is written: no policy that names a claim applies.
        assert running.send(Wire("GET", "/optional")).status == 403


def test_a_rate_limit_counts_by_a_claim(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    always = {"default_value": {"numerator": 100}}

    def bucket(tokens: int) -> dict[str, Any]:
        return {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": "3600s"}

    limit = {
        "@type": f"{FILTERS}.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit",
        "filter_enabled": always,
        "filter_enforced": always,
        "token_bucket": bucket(100),
        "descriptors": [{"entries": [{"key": "sub", "value": "bob"}], "token_bucket": bucket(1)}],
    }
    metadata = {"key": "envoy.filters.http.jwt_authn", "path": [{"key": "jwt_payload"}, {"key": "sub"}]}
    limited = route("/")
    limited["route"]["rate_limits"] = [{"actions": [{"metadata": {"descriptor_key": "sub", "metadata_key": metadata}}]}]
    filters = [
        watchword(struct({"gate": gate(requests), "payload_in_metadata": "jwt_payload"})),
        {"name": "limit", "typed_config": limit},
    ]
    with envoy(tmp_path, upstream.port, filters, routes=[limited]) as running:
        assert [running.send(requests.bearer(sub="bob")).status for _ in range(3)] == [200, 429, 429]
        assert [running.send(requests.bearer()).status for _ in range(3)] == [200, 200, 200]


def test_rbac_reads_an_identity_header(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    header = {"header": {"name": "x-auth-sub", "string_match": {"exact": "alice"}}}
    filters = [watchword(struct({"gate": gate(requests)})), _rbac(header)]
    with envoy(tmp_path, upstream.port, filters) as running:
        assert running.send(requests.bearer()).status == 200
        assert running.send(requests.bearer(("X-Auth-Sub", "alice"), sub="bob")).status == 403
        assert running.send(Wire("GET", "/optional", (("X-Auth-Sub", "alice"),))).status == 403


def test_claims_that_are_nested_too_deeply_for_metadata(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    def nested(depth: int) -> Any:
        return {"a": nested(depth - 1)} if depth else 1

    config = {"gate": gate(requests), "payload_in_metadata": "jwt_payload"}
    deepest = _claim(["deep", *["a"] * 29], {"double_match": {"exact": 1}})
    with envoy(tmp_path, upstream.port, [watchword(struct(config)), _rbac(deepest)]) as running:
        assert running.send(requests.bearer(deep=nested(29))).status == 200
        # A policy that denies would not find the claims.
        assert running.send(requests.bearer(deep=nested(30))).status == 500


def test_statistics_and_the_access_log(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    with envoy(tmp_path, upstream.port, [watchword(struct({"gate": gate(requests)}))]) as running:
        wires = (requests.bearer(), requests.bearer(), Wire("GET", "/public"), requests.bad("expired"))
        assert [running.send(wire).status for wire in wires] == [200, 200, 200, 401]
        stats = running.stats()
        assert stats["watchword.allowed"] == 2
        assert stats["watchword.anonymous"] == 1
        assert stats["watchword.rejected.code.expired"] == 1
        until(lambda: "401 watchword{expired}" in running.access_log())


# Keys, and files that change


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file that is written beside ``path`` and then takes its place."""
    new = path.with_suffix(".new")
    yield new
    os.replace(new, path)


def _synced(issuer: LocalIssuer) -> str:
    return json.dumps({"issuers": {ISSUER: {"jwks": issuer.jwks(), "valid_until": time.time() + 3600}}})


def test_keys_rotate_by_their_file(tmp_path: Path, upstream: Upstream) -> None:
    old, new = (Requests(LocalIssuer(ISSUER, audience=ORIGIN)) for _ in range(2))
    keys = tmp_path / "keys.json"
    keys.write_text(_synced(old.issuer))
    config = {"gate": gate(old, issuers=[{"issuer": ISSUER}]), "keys_file": str(keys)}
    with envoy(tmp_path, upstream.port, [watchword(struct(config))], workers=2) as running:
        assert running.send(old.bearer()).status == 200
        assert running.send(new.bearer()).status == 401
        with _replacing(keys) as replaced:
            replaced.write_text(_synced(new.issuer))
        until(lambda: running.send(new.bearer()).status == 200)
        assert running.send(old.bearer()).status == 401
        with _replacing(keys) as replaced:
            replaced.write_text("{")
        until(lambda: "the old keys stay in use" in running.log)
        assert running.send(new.bearer()).status == 200
        stats = running.stats()
        assert (stats["watchword.files_loaded"], stats["watchword.files_refused"]) == (1, 1)


def test_a_changed_configuration_is_used_and_a_bad_one_refused(
    tmp_path: Path, requests: Requests, upstream: Upstream
) -> None:
    file = tmp_path / "gate.json"
    file.write_text(json.dumps(gate(requests)))
    routes = [route("/reports", {"scopes": ["reports:read"], "issuers": [ISSUER]}), route("/")]
    with envoy(tmp_path, upstream.port, [watchword(struct({"gate_file": str(file)}))], routes=routes) as running:
        assert running.send(requests.bearer(target="/new")).status == 403
        reports = requests.bearer(target="/reports", scope="reports:read")
        assert running.send(reports).status == 200
        with _replacing(file) as replaced:
            replaced.write_text(json.dumps(gate(requests, routes=[{"path": "/new"}])))
        until(lambda: running.send(requests.bearer(target="/new")).status == 200)
        assert running.send(requests.bearer()).status == 403
        assert running.send(reports).status == 200
        other = {"issuer": "https://other.example", "jwks": requests.issuer.jwks()}
        with _replacing(file) as replaced:
            replaced.write_text(json.dumps(gate(requests, routes=[{"path": "/new"}], issuers=[other])))
        until(lambda: running.send(reports).status == 500)
        assert f'a route contradicts the gate: issuers: no issuer has the name "{ISSUER}" any more' in running.log
        with _replacing(file) as replaced:
            replaced.write_text(json.dumps(gate(requests, routes=[{"path": "/new"}])))
        until(lambda: running.send(reports).status == 200)
        with _replacing(file) as replaced:
            replaced.write_text("{}")
        until(lambda: "a new configuration is refused" in running.log)
        assert running.send(requests.bearer(target="/new")).status == 200


def test_all_workers_share_the_memory_of_used_proofs(tmp_path: Path, requests: Requests, upstream: Upstream) -> None:
    with envoy(tmp_path, upstream.port, [watchword(struct({"gate": gate(requests)}))], workers=4) as running:
        proven = requests.proven(requests.proof)
        statuses = [running.send(proven).status for _ in range(20)]
        assert statuses == [200] + [401] * 19


def test_an_updated_listener_knows_the_proofs_that_were_used_before(
    tmp_path: Path, requests: Requests, upstream: Upstream
) -> None:
    with updated_envoy(tmp_path, upstream.port, [watchword(struct({"gate": gate(requests)}))]) as (running, update):

        def answers_as(server_name: str) -> bool:
            with contextlib.suppress(OSError):
                return running.send(Wire("GET", "/public")).all("server") == [server_name]
            return False

        until(lambda: answers_as("first"))
        used = requests.proven(requests.proof)
        assert running.send(used).status == 200
        for server_name in ("second", "third"):
            update(server_name)
            until(functools.partial(answers_as, server_name))
            assert running.send(used).json["code"] == "dpop_replayed"
        assert running.send(requests.proven(requests.proof)).status == 200
