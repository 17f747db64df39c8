"""The gate: routes, credentials, requirements, answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import watchword as ww
from watchword.dpop import DpopVerifier
from watchword.gate import Gate, Route, TrustedProxy
from watchword.holder import DpopProver
from watchword.testing import LocalIssuer

ISSUER = LocalIssuer(algorithms=("EdDSA", "ES256"))
URL = "https://api.example"
ROUTES = [
    Route("/health", public=True),
    Route("/orders/{id}", methods=["GET"], name="order", scopes=["read"]),
    Route("/orders/{id}", methods=["PUT"], scopes=["orders:{id}"]),
    Route("/maybe", optional=True),
    Route("/bound", dpop="required"),
    Route("/human", require_human_root=True, max_depth=1),
    Route("/strong", acr_values=["gold"], max_age=60),
    Route("/other", audience="https://other.example"),
]


def gate(**options: Any) -> Gate:
    verifier = options.pop("verifier", None) or ISSUER.verifier(token_cache=ww.TokenCache(max_bytes=1 << 20))
    return Gate(verifier, options.pop("routes", ROUTES), **{"public_url": URL, **options})


def bearer(**claims: Any) -> list[tuple[str, str]]:
    # For longer than any test run: some are made while the tests are collected.
    return [("Authorization", f"Bearer {ISSUER.mint(**{'expires_in': 86400, **claims})}")]


def parse(decision: Any) -> dict[str, Any]:
    return json.loads(decision.body)


def test_a_valid_token_is_allowed_with_what_was_verified() -> None:
    checked = gate().check(method="GET", target="/orders/7?x=1", headers=bearer(sub="alice"))
    assert checked.allowed
    assert checked.code == "allowed"
    assert checked.status == 200
    assert (checked.route, checked.variables) == ("order", {"id": "7"})
    assert checked.token is not None
    assert checked.token is checked.token
    assert checked.token.subject == "alice"
    assert (checked.scheme, checked.issuer, checked.proof) == ("Bearer", ISSUER.issuer, None)
    assert (checked.error, checked.headers, checked.body) == (None, (), b"")
    assert dict(checked.identity_headers)["X-Auth-Sub"] == "alice"
    assert len(checked.trace_id) == 32
    assert checked.trace_id == checked.trace_id


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "code"),
    [
        ("GET", "/orders/1", [], 401, "missing_token"),
        ("GET", "/orders/1", bearer(exp=1), 401, "expired"),
        ("GET", "/orders/1", bearer(aud="https://other.example"), 401, "wrong_audience"),
        ("GET", "/orders/1", bearer(iss="https://other.example"), 401, "wrong_issuer"),
        ("GET", "/orders/1", bearer(scope="write"), 403, "insufficient_scope"),
        ("GET", "/orders/1", bearer() * 2, 400, "malformed_request"),
        ("GET", "/orders/1", [("authorization", "Bearer a, Bearer b")], 400, "malformed_request"),
        ("GET", "/orders/1", [*bearer(), ("dpop", "a"), ("DPoP", "b")], 401, "dpop_several_proofs"),
        ("GET", "/orders/1?access_token=x", bearer(), 400, "token_in_query"),
        ("GET", "/orders/../health", bearer(), 400, "ambiguous_path"),
        ("GET", "//health", [], 400, "ambiguous_path"),
        ("GET", "/health;x", [], 400, "ambiguous_path"),
        ("GET", "/health", bearer() * 2, 400, "malformed_request"),
        ("GET", "/health", [("dpop", "a,b")], 401, "dpop_several_proofs"),
        ("GET", "/health", [("host", "a.example"), ("Host", "b.example")], 400, "malformed_request"),
        ("POST", "/orders/1", bearer(), 403, "no_route"),
        ("get", "/orders/1", bearer(), 403, "no_route"),
        ("GET", "/", bearer(), 403, "no_route"),
        ("PUT", "/orders/1", bearer(scope="orders:2"), 403, "insufficient_scope"),
        ("PUT", "/orders/*", bearer(scope="orders:*"), 403, "insufficient_scope"),
        ("GET", "/maybe", bearer(exp=1), 401, "expired"),
        ("GET", "/bound", bearer(), 401, "dpop_bound_token_required"),
        ("GET", "/human", bearer(), 403, "delegation_no_human_root"),
        ("GET", "/strong", bearer(), 401, "insufficient_user_authentication"),
        ("GET", "/other", bearer(), 401, "wrong_audience"),
        ("GET", "/orders/1", [*bearer(), ("Connection", "close, X-Auth-Sub")], 400, "malformed_request"),
    ],
)
def test_what_is_rejected_and_how(method: str, target: str, headers: Any, status: int, code: str) -> None:
    checked = gate().check(method=method, target=target, headers=headers)
    assert (checked.allowed, checked.status, checked.code) == (False, status, code)
    assert checked.token is None
    assert checked.identity_headers == ()
    problem = parse(checked)
    assert (problem["status"], problem["code"], problem["trace_id"]) == (status, code, checked.trace_id)
    assert checked.error is not None
    assert checked.error.code == code
    assert checked.error.http_status == status
    answered = dict(checked.headers)
    assert answered["Content-Type"] == "application/problem+json"
    assert ("WWW-Authenticate" in answered) is (checked.error.oauth_error is not None)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/health", []),
        ("GET", "/health", [("Authorization", "Bearer nonsense")]),
        ("GET", "/health", [("Authorization", "Basic dXNlcjo=")]),
        ("GET", "/health", [("host", "a.example"), ("Host", "A.example ")]),
        ("HEAD", "/orders/1", bearer()),
        ("PUT", "/orders/7", bearer(scope="orders:7")),
        ("GET", "/maybe", []),
        ("GET", "/maybe", bearer()),
        ("GET", "/human", bearer(sub="user:ada", act={"sub": "agent"})),
        ("GET", "/strong", bearer(acr="gold", auth_time=4_000_000_000 - 10)),
        ("GET", "/other", bearer(aud="https://other.example")),
    ],
)
def test_what_is_allowed(method: str, target: str, headers: Any) -> None:
    now = None if target != "/strong" else 4_000_000_000
    if now is not None:
        headers = bearer(acr="gold", auth_time=now - 10, iat=now, exp=now + 60)
    checked = gate().check(method=method, target=target, headers=headers, now=now)
    assert checked.allowed, checked.error


def test_a_proof_is_verified_for_the_public_url_and_used_once() -> None:
    prover = DpopProver()
    token = ISSUER.mint(cnf={"jkt": prover.jkt})
    headers = [("Authorization", f"DPoP {token}"), ("DPoP", prover.proof("GET", f"{URL}/orders/1", token))]
    checks = gate()
    assert checks.check(method="GET", target="/orders/1?x", headers=[*headers, ("Host", "evil.example")]).allowed
    again = checks.check(method="GET", target="/orders/1", headers=headers)
    assert (again.code, again.status) == ("dpop_replayed", 401)
    assert dict(again.headers)["WWW-Authenticate"].startswith("DPoP ")
    elsewhere = checks.check(method="GET", target="/orders/2", headers=headers)
    assert elsewhere.code == "dpop_wrong_uri"
    as_bearer = checks.check(method="GET", target="/orders/1", headers=[("Authorization", f"Bearer {token}")])
    assert as_bearer.code == "dpop_proof_required"


def test_behind_a_proxy_the_path_of_the_public_url_stays_a_prefix() -> None:
    prover = DpopProver()
    token = ISSUER.mint(cnf={"jkt": prover.jkt})
    checks = gate(public_url=f"{URL}/v1", proxy=TrustedProxy(origin="x-forwarded"))

    def check(*, uri: str, host: str = "tenant.example") -> str:
        sent = [("Authorization", f"DPoP {token}"), ("DPoP", prover.proof("GET", uri, token))]
        forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", host), ("Forwarded", "host=evil.example")]
        return checks.check(method="GET", target="/orders/1", headers=[*sent, *forwarded]).code

    assert check(uri="https://tenant.example/v1/orders/1") == "allowed"
    assert check(uri="https://tenant.example/orders/1") == "dpop_wrong_uri"
    assert check(uri="https://evil.example/v1/orders/1") == "dpop_wrong_uri"
    assert check(uri="https://tenant.example/v1/orders/1", host="a.example, b.example") == "malformed_request"


def test_a_nonce_is_given_with_the_rejection() -> None:
    nonces = ww.dpop.Nonces()
    prover = DpopProver()
    token = ISSUER.mint(cnf={"jkt": prover.jkt})
    headers = [("Authorization", f"DPoP {token}"), ("DPoP", prover.proof("GET", f"{URL}/orders/1", token))]
    checked = gate(verifier=ISSUER.verifier(dpop=DpopVerifier(nonces=nonces))).check(
        method="GET", target="/orders/1", headers=headers
    )
    assert checked.code == "dpop_nonce_required"
    nonce = dict(checked.headers)["DPoP-Nonce"]
    assert nonces.accepts(nonce)
    assert checked.error.nonce == nonce


def test_forged_identity_headers_do_not_reach_the_application() -> None:
    sent = [
        (b"authorization", bearer()[0][1].encode()),
        (b"x-auth-sub", b"admin"),
        (b"X_Auth_Sub", b"admin"),
        (b"X.Auth.Scope", b"*"),
        (b"x-auth-anything", b"1"),
        (b"x-other", b"kept"),
    ]
    checked = gate().check(method="GET", target=b"/orders/1", headers=sent)
    assert checked.allowed
    assert checked.has_removed_headers
    assert checked.forwarded_headers(sent) == [sent[0], sent[5]]
    plain = [sent[0], sent[5]]
    assert gate().check(method="GET", target=b"/orders/1", headers=plain).forwarded_headers(plain) is plain


def test_keys_are_fetched_once_and_awaited() -> None:
    with ISSUER.serve() as served:
        token = served.mint()
        checks = Gate(served.verifier(), [Route("/x")], public_url=URL)
        headers = [("Authorization", f"Bearer {token}")]
        assert checks.check(method="GET", target="/x", headers=headers).allowed
        assert asyncio.run(checks.check_async(method="GET", target="/x", headers=headers)).allowed
        fetched = len(served.requests)
        foreign = [("Authorization", f"Bearer {ISSUER.mint(key_id='eddsa-1', header={'kid': 'unknown'})}")]
        assert checks.check(method="GET", target="/x", headers=foreign).code == "wrong_issuer"
        assert len(served.requests) == fetched
        served.rotate()
        assert checks.check(method="GET", target="/x", headers=[("Authorization", f"Bearer {served.mint()}")]).allowed


def test_unavailable_keys_are_a_503() -> None:
    with ISSUER.serve() as served, served.outage():
        checks = Gate(served.verifier(), [Route("/x")], public_url=URL)
        checked = checks.check(method="GET", target="/x", headers=[("Authorization", f"Bearer {served.mint()}")])
        assert (checked.code, checked.status) == ("keys_unavailable", 503)
        assert dict(checked.headers)["Retry-After"] == "5"
        assert "WWW-Authenticate" not in dict(checked.headers)


def test_a_reload_replaces_the_routes() -> None:
    checks = gate()
    checks.reload([Route("/new")])
    assert checks.check(method="GET", target="/health", headers=[]).code == "no_route"
    assert checks.check(method="GET", target="/new", headers=bearer()).allowed
    with pytest.raises(ValueError, match="scopes"):
        checks.reload([Route("/x", scopes=["a b"])])
    assert checks.check(method="GET", target="/new", headers=bearer()).allowed


def test_an_issuer_that_is_added_or_removed_counts_at_once() -> None:
    other = LocalIssuer("https://second.test", key_ids=["second"])
    verifier = ISSUER.verifier()
    checks = Gate(verifier, [Route("/x")], public_url=URL)
    headers = [("Authorization", f"Bearer {other.mint()}")]
    assert checks.check(method="GET", target="/x", headers=headers).code == "wrong_issuer"
    verifier.add_issuer(other.as_issuer())
    assert checks.check(method="GET", target="/x", headers=headers).allowed
    verifier.remove_issuer(other.issuer)
    assert checks.check(method="GET", target="/x", headers=headers).code == "wrong_issuer"


def test_a_route_that_names_a_removed_issuer_accepts_none_of_its_tokens() -> None:
    other = LocalIssuer("https://second.test", key_ids=["second"])
    verifier = ww.Verifier([ISSUER.as_issuer(), other.as_issuer()], audience=ISSUER.audience)
    only_other = Route("/x", issuers=[other.issuer])
    checks = Gate(verifier, [only_other, Route("/y")], public_url=URL)
    guard = checks.guard(issuers=[other.issuer])
    verifier.remove_issuer(other.issuer)
    headers = [("Authorization", f"Bearer {other.mint()}")]
    assert checks.check(method="GET", target="/x", headers=headers).code == "wrong_issuer"
    assert guard.check(method="GET", target="/x", headers=headers).code == "wrong_issuer"
    assert checks.check(method="GET", target="/x", headers=bearer()).code == "wrong_issuer"
    assert checks.check(method="GET", target="/y", headers=bearer()).allowed
    # A mistake in what is given now is still an error.
    for mistaken in (lambda: checks.reload([only_other]), lambda: checks.guard(issuers=[other.issuer])):
        with pytest.raises(ValueError, match="not configured"):
            mistaken()


def test_a_guard_checks_what_a_framework_has_routed() -> None:
    checks = gate(routes=())
    guard = checks.guard(scopes=["orders:{id}"], name="order")
    headers = bearer(scope="orders:7")
    checked = guard.check(method="GET", target="/v1/orders/7", headers=headers, variables={"id": 7})
    assert (checked.allowed, checked.route) == (True, "order")
    assert guard.check(method="GET", target="/v1/orders/8", headers=headers, variables={"id": 8}).status == 403
    assert checks.guard(scopes=["admin"]).authorize(checked).code == "insufficient_scope"
    assert checks.guard(dpop="required").authorize(checked).code == "dpop_bound_token_required"
    assert checks.guard().authorize(checked).allowed
    rejected = guard.check(method="GET", target="/v1/orders/8", headers=[], variables={"id": 8})
    assert checks.guard().authorize(rejected).code == "missing_token"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": None, "client_id": "second"}, "allowed"),
        ({"aud": ["first", "second"], "client_id": "first"}, "wrong_audience"),
        ({"aud": ["first"], "client_id": "second"}, "wrong_audience"),
        ({"aud": None, "client_id": "first"}, "wrong_audience"),
    ],
)
def test_a_guard_reads_its_audience_from_the_issuers_claim(claims: dict[str, Any], code: str) -> None:
    issuer = ISSUER.as_issuer(audience=["first", "second"], audience_claim="client_id")
    checks = Gate(ww.Verifier([issuer]), [Route("/x")], public_url=URL)
    guard = checks.guard(audience="second")
    headers = [("Authorization", f"Bearer {ISSUER.mint(claims)}")]
    checked = checks.check(method="GET", target="/x", headers=headers)
    assert checked.allowed
    assert guard.check(method="GET", target="/x", headers=headers).code == code
    assert guard.authorize(checked).code == code


def test_the_hook_gets_each_decision_and_its_exceptions_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[str, float]] = []
    checks = gate(on_verdict=lambda decision, seconds: seen.append((decision.code, seconds)))
    checks.check(method="GET", target="/orders/1", headers=bearer())
    checks.check(method="GET", target="/orders/1", headers=[])
    assert [code for code, _ in seen] == ["allowed", "missing_token"]
    assert all(seconds >= 0 for _, seconds in seen)

    def raises(*_: object) -> None:
        raise RuntimeError("full disk")

    checks.on_verdict = raises
    assert checks.check(method="GET", target="/orders/1", headers=bearer()).allowed
    assert "full disk" in caplog.text


def test_the_metadata_document() -> None:
    checks = gate(resource="https://api.example/mcp")
    assert checks.metadata_path == "/.well-known/oauth-protected-resource/mcp"
    document = checks.metadata()
    assert document["resource"] == "https://api.example/mcp"
    assert document["authorization_servers"] == [ISSUER.issuer]
    assert document["scopes_supported"] == ["read"]
    challenge = dict(checks.check(method="GET", target="/orders/1", headers=[]).headers)["WWW-Authenticate"]
    assert 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp"' in challenge
    assert 'scope="read"' in challenge
