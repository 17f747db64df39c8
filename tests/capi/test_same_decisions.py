"""The same configuration and requests through ``watchword.gate.Gate`` and through libwatchword: the same answers.

Python compiles a configuration to issuers, policies and routes by its own classes, the library by
``GateConfig::compile``.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import native_gate
import pytest
from native_gate import Decided, NativeGate

from watchword.gate import Gate, GateConfig
from watchword.testing import LocalIssuer

ORIGIN = "https://api.example"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

FIRST, SECOND, TENANT, DOMAIN = (
    LocalIssuer(name, audience=ORIGIN, algorithms=["EdDSA", "ES256"], key_ids=[f"{kid}-ed", f"{kid}-es"])
    for name, kid in (
        ("https://first.example", "first"),
        ("https://second.example", "second"),
        ("https://login.example/t1/v2.0", "tenant"),
        ("spiffe://workloads.example", "domain"),
    )
)
STRANGER = LocalIssuer("https://stranger.example", audience=ORIGIN)
PROVER = FIRST.prover()
Config = dict[str, Any]


def issuer(local: LocalIssuer, **settings: Any) -> Config:
    return {"issuer": local.issuer, "jwks": local.jwks(), **settings}


def config(*issuers: Config, token: Config | None = None, route: Config | None = None, **settings: Any) -> Config:
    """Return a configuration: the route under test is ``/orders/{id}``."""
    return {
        "public_url": ORIGIN,
        "token": {"audience": ORIGIN} if token is None else token,
        "issuers": list(issuers) or [issuer(FIRST), issuer(SECOND)],
        "routes": [
            {"path": "/health", "public": True},
            {"path": "/maybe", "optional": True},
            {"path": "/bound", "dpop": "required", "name": "bound"},
            {"path": "/orders/{id}", **(route or {})},
        ],
        **settings,
    }


TENANTS = {"issuer": "https://login.example/{tid}/v2.0", "jwks": TENANT.jwks()}

#: What ``[token]`` and one of the ``[[issuers]]`` may say, each.
REQUIREMENTS: list[Config] = [
    {},
    {"audience": "https://other.example"},
    {"audience": [ORIGIN, "https://other.example"]},
    {"any_audience": True},
    {"audience": ORIGIN, "any_audience": False},
    {"algorithms": ["ES256"]},
    {"algorithms": ["ES256", "EdDSA"]},
    {"types": ["JWT"]},
    {"types": ["at+jwt", "none"]},
    {"leeway": 3600},
    {"leeway": 0},
    {"required": []},
    {"required": ["exp", "act", "client_id"]},
    {"bound_tokens": "accept"},
    {"bound_tokens": "reject"},
    {"scope_claims": ["roles"]},
    {"scope_claims": ["scope", "roles"]},
    {"max_token_bytes": 400},
    {"max_token_bytes": 100_000},
    {"max_header_bytes": 50},
    {"max_header_bytes": 20_000, "max_token_bytes": 100_000},
]

ROUTES: list[Config] = [
    {},
    {"audience": "https://other.example"},
    {"audience": ["https://other.example", "client-7"]},
    {"issuers": [FIRST.issuer]},
    {"issuers": [SECOND.issuer]},
    {"issuers": [SECOND.issuer], "audience": "https://other.example"},
    {"scopes": ["orders:read"]},
    {"scopes": ["orders:{id}"], "scope_grammar": "resource", "name": "by id"},
    {"optional": True, "scopes": ["orders:read"]},
    {"methods": ["POST"]},
    {"dpop": "required"},
    {"max_depth": 0},
    {"max_depth": 1, "require_human_root": True},
    {"allowed_actors": ["agent-1", {"sub": "agent-2", "iss": FIRST.issuer}]},
    {"acr_values": ["gold", "silver"], "max_age": 300},
]


def configs() -> Iterator[tuple[str, Config]]:
    for (i, token), (j, own) in itertools.product(enumerate(REQUIREMENTS), enumerate(REQUIREMENTS)):
        if i == 0 or j == 0 or (i + j) % 3 == 0:
            yield f"token {token}, issuer {own}", config(issuer(FIRST, **own), issuer(SECOND), token=token)
    for own in REQUIREMENTS:
        yield f"one issuer, {own}", config(issuer(FIRST, **own))
        yield f"tenants, {own}", config({**TENANTS, "tenants": ["t1"], **own}, issuer(FIRST))
        yield f"trust domain, {own}", config(issuer(DOMAIN, **own), issuer(FIRST))
    for route in ROUTES:
        for token in ({"audience": ORIGIN}, {"any_audience": True}, {}):
            yield f"route {route}, token {token}", config(route=route, token=token)
        yield (
            f"route {route}, client_id",
            config(issuer(FIRST, audience_claim="client_id", audience="client-7"), issuer(SECOND), route=route),
        )
    for dpop in (
        {},
        {"max_age": 1},
        {"max_age": 3600, "leeway": 3600},
        {"leeway": 0},
        {"algorithms": ["EdDSA"]},
        {"algorithms": ["ES256", "EdDSA"]},
        {"replay": "none"},
        {"nonce_keys_file": "nonces", "nonce_lifetime": 1e9},
    ):
        yield f"dpop {dpop}", config(dpop=dpop)
        yield f"dpop {dpop}, required", config(dpop=dpop, route={"dpop": "required"})
    for settings in (
        {"realm": "orders"},
        {"resource": "https://api.example/orders?a=b"},
        {"resource": "urn:orders"},
        {"resource": "https://api.example#a"},
        {"public_url": ["https://API.example:443/", "https://other.example/v1"]},
        {"public_url": "https://api.example/v1"},
        {"public_url": "https://api.example", "resource": "https://api.example/"},
        {"identity_prefix": "X-Id-"},
        {"identity_secret_file": "secrets"},
        {"proxy": {"origin": "x-forwarded"}},
        {"proxy": {"origin": "forwarded"}},
        {"token_cache": {"max_bytes": 0}},
    ):
        yield f"{settings}", config(**settings)
    for several in (
        [issuer(FIRST, aliases=["https://alias.example"])],
        [issuer(FIRST, aliases=["https://alias.example"]), issuer(SECOND)],
        [issuer(FIRST), issuer(SECOND, aliases=[FIRST.issuer])],
        [issuer(FIRST), issuer(FIRST)],
        [issuer(FIRST), issuer(STRANGER, aliases=["https://alias.example", "https://alias.example"])],
        [{**TENANTS, "tenants": "any"}],
        [{**TENANTS, "tenants": ["t1", "t3"]}],
        [{**TENANTS, "tenants": ["t2"]}, issuer(FIRST)],
        [{**TENANTS, "tenants": "any"}, issuer(TENANT)],
        [{**TENANTS, "tenants": ["t1"]}, issuer(TENANT)],
        [{**TENANTS, "tenants": "t1"}],
        [{**TENANTS, "tenants": []}],
        [TENANTS],
        [{**TENANTS, "tenants": "any", "audience_claim": "tid", "audience": "t1"}],
        [issuer(FIRST, tenants="any")],
        [issuer(DOMAIN)],
        [issuer(DOMAIN, audience_claim="client_id", audience="client-7"), issuer(SECOND)],
        [issuer(DOMAIN, aliases=["https://alias.example"])],
        [issuer(DOMAIN, required=["iss"])],
        [issuer(FIRST, audience_claim="client_id")],
        [issuer(FIRST, audience_claim="azp", any_audience=True)],
        [issuer(FIRST, audience_claim="scope")],
        [issuer(FIRST, audience_claim="")],
        [issuer(FIRST, algorithms=[])],
        [issuer(FIRST, algorithms=["HS256"])],
        [issuer(FIRST, types=[])],
        [issuer(FIRST, scope_claims=[])],
        [issuer(FIRST, scope_claims=["aud"])],
        [issuer(FIRST, required=[""])],
        [issuer(FIRST, leeway=-1)],
        [issuer(FIRST, leeway=1e6)],
        [issuer(FIRST, max_token_bytes=0)],
        [issuer(FIRST, max_token_bytes=10_000_000)],
        [issuer(FIRST, max_header_bytes=10_000_000)],
        [issuer(FIRST, max_header_bytes=9000, max_token_bytes=8000)],
        [issuer(FIRST, audience=[])],
        [issuer(FIRST, audience="")],
        [issuer(FIRST, audience=ORIGIN, any_audience=True)],
        [{"issuer": "", "jwks": FIRST.jwks()}],
        [{"issuer": "a", "jwks": {"keys": []}}],
        [{"issuer": "a", "jwks": FIRST.jwks()["keys"][0]}],
        [{"issuer": "a", "jwks": json.dumps(FIRST.jwks())}],
        [{"issuer": "a", "pem": "x"}],
        [{"issuer": "a", "jwks_file": "absent.json"}],
        [{"issuer": "a", "jwks": FIRST.jwks(), "allow_http_hosts": ["keys.example"]}],
        [{"issuer": "a", "jwks": FIRST.jwks(), "allow_loopback_http": True}],
        [{"issuer": "a", "jwks": FIRST.jwks(), "cache": {"check_interval": 0}}],
        [{"issuer": "a", "jwks_file": "keys.json", "aliases": [FIRST.issuer]}],
        [{"issuer": "https://keys.example", "jwks_uri": "http://keys.example"}],
    ):
        name = [{key: value for key, value in one.items() if key != "jwks"} for one in several]
        yield f"issuers {name}", config(*several)
        yield f"issuers {name}, client", config(*several, token={"audience": "client-7"})


def tokens() -> Iterator[str]:
    for local in (FIRST, SECOND, TENANT, STRANGER):
        yield local.mint(sub="alice", scope="orders:read orders:7")
    mint = functools.partial(FIRST.mint, sub="alice")
    for claims in (
        {"aud": "https://other.example"},
        {"aud": ["x", ORIGIN]},
        {"aud": "client-7", "client_id": "x"},
        {"aud": None},
        {"client_id": "client-7"},
        {"client_id": ["client-7", ORIGIN]},
        {"azp": "client-7"},
        {"iss": "https://alias.example"},
        {"iss": None},
        {"iss": SECOND.issuer},
        {"exp": None},
        {"expires_in": -600},
        {"nbf": time.time() + 600},
        {"roles": ["orders:read"], "scope": None},
        {"act": {"sub": "agent-1"}, "client_id": "c"},
        {"act": {"sub": "agent-2", "iss": FIRST.issuer, "act": {"sub": "agent-1"}}},
        {"act": {"client_id": "unnamed"}},
        {"cnf": {"jkt": "x"}},
        {"cnf": {"x5t#S256": base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()}},
        {"acr": "gold", "auth_time": int(time.time()) - 10},
        {"acr": "bronze", "auth_time": int(time.time()) - 10_000},
        {"scope": "x" * 1000},
        {"scope": "x" * 60_000},
        {"sub": "a,b c%\u00e9"},
    ):
        yield mint(claims) if "expires_in" not in claims else mint(**claims)
    yield mint(algorithm="ES256")
    for typ in ("JWT", None, "dpop+jwt"):
        yield mint(header={"typ": typ})
    for header in ({"kid": "unknown"}, {"kid": None}, {"x": "y" * 9000}):
        yield mint(header=header)
    yield TENANT.mint(tid="t1")
    yield TENANT.mint(tid="t2", iss="https://login.example/t2/v2.0")
    yield TENANT.mint(tid="t2")
    yield TENANT.mint(tid="t1", iss=FIRST.issuer)
    workload = {"sub": "spiffe://workloads.example/a", "typ": None}
    for claims in ({"iss": None}, {"iss": FIRST.issuer}, {"iss": STRANGER.issuer}, {"iss": DOMAIN.issuer}):
        yield DOMAIN.mint({**workload, **claims}, header={"typ": "JWT"})
    yield DOMAIN.mint({**workload, "iss": None, "client_id": "client-7"})
    yield DOMAIN.mint({"sub": "spiffe://other.example/a", "iss": None})
    for bad in FIRST.defects():
        yield bad.token
    yield "a.b.c"
    yield "x"


def requests() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """What each gate is asked: method, target, headers."""
    for token in tokens():
        bearer = ("Authorization", f"Bearer {token}")
        yield "GET", "/orders/7", [bearer]
        if len(token) < 2000:
            yield "POST", "/maybe", [bearer]
    good = FIRST.mint(sub="alice", scope="orders:read")
    yield "GET", "/health", []
    yield "GET", "/maybe", []
    yield "GET", "/orders/7", []
    yield "GET", "/nowhere", []
    yield "GET", "/v1/orders/7", [("Authorization", f"Bearer {good}")]
    yield "GET", "/orders/%2e%2e/x", [("Authorization", f"Bearer {good}")]
    yield "GET", "/orders/7", [("Authorization", f"Bearer {good}"), ("X-Auth-Sub", "forged"), ("X_Id_Sub", "forged")]
    yield "GET", "/bound", [("Authorization", f"Bearer {good}")]


def proven() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Requests with proofs, new ones for each pair of gates."""
    bound = FIRST.mint(sub="alice", scope="orders:read", cnf={"jkt": PROVER.jkt})
    late = FIRST.prover(clock=lambda: time.time() - 30)
    for prover, target, url in (
        (PROVER, "/orders/7", f"{ORIGIN}/orders/7"),
        (PROVER, "/bound", f"{ORIGIN}/bound"),
        (PROVER, "/bound", "https://other.example/bound"),
        (PROVER, "/bound", "https://other.example/v1/bound"),
        (PROVER, "/bound", f"{ORIGIN}/v1/bound"),
        (late, "/bound", f"{ORIGIN}/bound"),
    ):
        for extra in (
            [],
            [("Host", "other.example")],
            [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "other.example")],
            [("Forwarded", "proto=https;host=other.example")],
        ):
            proof = prover.proof("GET", url, bound)
            sent = [("Authorization", f"DPoP {bound}"), ("DPoP", proof), *extra]
            yield "GET", target, sent
            yield "GET", target, sent
            yield "GET", target, [("Authorization", f"Bearer {bound}"), ("DPoP", proof), *extra]


def decide(gate: Gate, method: str, target: str, headers: list[tuple[str, str]]) -> Decided:
    decision = gate.check(method=method, target=target, headers=headers)
    fields = list(decision.identity_headers if decision.allowed else decision.headers)
    texts = decision.body.decode(), decision.route or "", decision.issuer or ""
    return Decided(decision.allowed, decision.code, decision.status, fields, *texts)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    native_gate.require_library()
    folder = tmp_path_factory.mktemp("gate")
    for name in ("secrets", "nonces"):
        (folder / name).write_bytes(base64.urlsafe_b64encode(bytes(range(32))))
    (folder / "keys.json").write_text(json.dumps(SECOND.jwks()))
    return folder


def python_gate(path: Path) -> Gate | None:
    try:
        config = GateConfig.from_file(path)
        problems = config.check_files()
        return None if problems else Gate.from_config(config)
    except ValueError:
        return None


def native(path: Path) -> NativeGate | None:
    try:
        return NativeGate(path)
    except ValueError:
        return None


def test_every_configuration(folder: Path) -> None:
    # How keys are fetched is checked only by whoever fetches them: none of these issuers' are.
    asked, differences, codes, opened = list(requests()), [], set(), 0
    path = folder / "gate.json"
    for name, settings in configs():
        path.write_text(json.dumps(settings))
        ours, theirs = python_gate(path), native(path)
        if ours is None or theirs is None:
            if (ours is None) != (theirs is None):
                differences.append(f"{name}: refused by {'Python' if ours is None else 'the library'} only")
            continue
        opened += 1
        for method, target, headers in (*asked, *(proven() if len(settings["issuers"]) == 2 else ())):
            # With a trace id of its own, the answers are the same to the byte.
            sent = [*headers, ("traceparent", TRACE)]
            expected, found = decide(ours, method, target, sent), theirs.check(method, target, sent)
            codes.add(expected.code)
            if expected != found:
                differences.append(f"{name}: {method} {target} {headers}:\n  {expected}\n  {found}")
        ours.close()
        theirs.close()
    assert not differences, f"{len(differences)}:\n" + "\n".join(differences[:20])
    assert opened > 250
    assert {"allowed", "wrong_audience", "wrong_issuer", "wrong_type", "dpop_replayed", "dpop_nonce_required"} <= codes
