"""Signed requests of the in-memory issuer: test clients send what was signed, and each bad one gets its status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import flask
import httpx
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

import watchword as ww
from watchword.gate import Decision, Gate, Route
from watchword.testing import (
    ALGORITHMS,
    BadRequest,
    Defect,
    LocalIssuer,
    RequestDefect,
    SignedRequest,
    forged_identity_headers,
)

API = "https://api.test"
URL = f"{API}/orders?page=2"
READ = "orders:read"


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> LocalIssuer:
    return LocalIssuer(algorithms=ALGORITHMS)


def _gate(issuer: LocalIssuer, **options: Any) -> Gate:
    return Gate(issuer.verifier(**options), [Route("/orders", scopes=(READ,))], public_url=API)


def _check(gate: Gate, request: SignedRequest, form: bytes | None = None) -> Decision:
    return gate.check(method=request.method, target=request.target, headers=request.headers, form=form)


# Good requests


@pytest.mark.parametrize("dpop", [False, True])
def test_a_signed_request_is_accepted(issuer: LocalIssuer, dpop: bool) -> None:
    request = issuer.sign_request("GET", URL, dpop=dpop, sub="alice", scope=READ, headers={"X-More": "1"})
    decision = _check(_gate(issuer), request)
    assert decision.allowed
    assert decision.token is not None
    assert decision.token.subject == "alice"
    assert decision.scheme == ("DPoP" if dpop else "Bearer")
    assert ("X-More", "1") in request.headers


def test_a_token_and_a_key_of_ones_own(issuer: LocalIssuer) -> None:
    prover = ww.dpop.DpopProver("EdDSA")
    token = issuer.mint(scope=READ, cnf={"jkt": prover.jkt})
    decision = _check(_gate(issuer), issuer.sign_request("GET", URL, token=token, dpop=prover))
    assert decision.allowed
    assert decision.proof is not None
    assert decision.proof.jkt == prover.jkt


def test_no_credentials_in_the_repr(issuer: LocalIssuer) -> None:
    request = issuer.sign_request("GET", f"{URL}&access_token=secret", dpop=True)
    shown = f"{request!r} {BadRequest(Defect.EXPIRED, ww.ErrorCode.EXPIRED, 401, request)!r} {issuer.auth(dpop=True)!r}"
    assert "secret" not in shown
    for _, value in request.headers:
        assert value.split()[-1] not in shown


def test_forged_identity_headers_do_not_reach_the_application(issuer: LocalIssuer) -> None:
    request = issuer.sign_request("GET", URL, scope=READ, headers=forged_identity_headers())
    decision = _check(_gate(issuer), request)
    assert decision.allowed
    assert [name for name, _ in decision.forwarded_headers(request.headers)] == ["Authorization"]
    assert sum(value == "forged" for _, value in request.headers) == 20


# Conversions


def _told(method: str, url: str, headers: Any, body: bytes) -> dict[str, Any]:
    kept = [(name.lower(), value) for name, value in headers if name.lower() in ("authorization", "dpop", "x-more")]
    return {"method": method, "url": url, "headers": sorted(kept), "body": body.decode()}


def _expected(request: SignedRequest) -> dict[str, Any]:
    told = _told(request.method, request.url, request.headers, request.body)
    return {**told, "headers": [list(pair) for pair in told["headers"]]}


@pytest.fixture(name="request_", params=["GET", "POST"])
def _request(request: pytest.FixtureRequest, issuer: LocalIssuer) -> SignedRequest:
    found = issuer.sign_request(request.param, URL, dpop=True, headers=[("X-More", "1"), ("X-More", "2")])
    form = ("Content-Type", "application/x-www-form-urlencoded")
    if request.param == "GET":
        return found
    return SignedRequest(found.method, found.url, (*found.headers, form), b"x=1")


def test_for_starlette(request_: SignedRequest) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from starlette.testclient import TestClient

    async def echo(request: Request) -> JSONResponse:
        pairs = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]
        return JSONResponse(_told(request.method, str(request.url), pairs, await request.body()))

    app = Starlette()
    app.add_route("/orders", echo, methods=["GET", "POST"])
    assert TestClient(app).request(**request_.for_httpx()).json() == _expected(request_)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_for_httpx(request_: SignedRequest, library: Any) -> None:
    def echo(request: Any) -> Any:
        pairs = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]
        return library.Response(200, json=_told(request.method, str(request.url), pairs, request.content))

    with library.Client(transport=library.MockTransport(echo)) as client:
        assert client.request(**request_.for_httpx()).json() == _expected(request_)


def test_for_flask(request_: SignedRequest) -> None:
    app = flask.Flask(__name__)

    @app.route("/orders", methods=["GET", "POST"])
    def echo() -> Any:
        found = flask.request
        return _told(found.method, found.url, found.headers.items(), found.get_data(cache=False))

    answer = app.test_client().open(**request_.for_flask())
    assert _joined(answer.get_json()) == _joined(_expected(request_))


def test_for_django(request_: SignedRequest, tmp_path: Path) -> None:
    # Django is configured once for a process, so it has one of its own.
    script = """
import json, sys, django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for a test")
django.setup()
from django.http import JsonResponse
from django.test import Client
from django.urls import path
def echo(request):
    names = ("HTTP_AUTHORIZATION", "HTTP_DPOP", "HTTP_X_MORE")
    pairs = [(name[5:].lower().replace("_", "-"), request.META[name]) for name in names]
    return JsonResponse({"method": request.method, "path": request.get_full_path(), "headers": pairs,
                         "body": request.body.decode(), "type": request.META.get("CONTENT_TYPE", "")})
urlpatterns = [path("orders", echo)]
arguments = json.load(sys.stdin)
arguments["data"] = arguments["data"].encode()
print(json.dumps(Client().generic(**arguments).json()))
"""
    (tmp_path / "run.py").write_text(script)
    arguments = request_.for_django()
    arguments["data"] = arguments["data"].decode()
    done = subprocess.run(
        [sys.executable, "run.py"],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    seen, expected = json.loads(done.stdout), _joined(_expected(request_))
    assert (seen["method"], seen["path"], seen["body"]) == (request_.method, "/orders?page=2", request_.body.decode())
    assert sorted(seen["headers"]) == expected["headers"]
    if request_.body:
        assert seen["type"] == "application/x-www-form-urlencoded"


def _joined(told: dict[str, Any]) -> dict[str, Any]:
    """As WSGI has it: repeated headers are joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in told["headers"]:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return {**told, "headers": sorted([name, value.replace(", ", ",")] for name, value in joined.items())}


def test_for_grpc(issuer: LocalIssuer) -> None:
    request = issuer.sign_request("POST", f"{API}/orders.Orders/List", dpop=True)
    assert [name for name, _ in request.for_grpc()] == ["authorization", "dpop"]
    with pytest.raises(ValueError, match="X-More"):
        SignedRequest("POST", API, (("X-More", "café"),)).for_grpc()


# A client's auth


def _service(gate: Gate, library: Any) -> Any:
    def answer(request: Any) -> Any:
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]
        decision = gate.check(method=request.method, target=request.url.raw_path, headers=headers)
        return library.Response(200 if decision.allowed else decision.status, headers=dict(decision.headers or ()))

    return library.MockTransport(answer)


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("dpop", [False, True])
def test_an_auth_signs_every_request(issuer: LocalIssuer, library: Any, dpop: bool) -> None:
    auth = issuer.auth(dpop=dpop, scope=READ)
    with library.Client(transport=_service(_gate(issuer), library), auth=auth, base_url=API) as client:
        assert [client.get("/orders").status_code for _ in range(3)] == [200, 200, 200]


def test_an_auth_sends_the_nonce_that_the_server_requires(issuer: LocalIssuer) -> None:
    nonces = ww.dpop.Nonces(ww.dpop.Nonces.new_key())
    gate = _gate(issuer, dpop=ww.dpop.DpopVerifier(nonces=nonces))
    auth = issuer.auth(dpop=True, scope=READ)
    with httpx2.Client(transport=_service(gate, httpx2), auth=auth, base_url=API) as client:
        assert [client.get("/orders").status_code for _ in range(2)] == [200, 200]
    auth = issuer.auth(dpop=True, scope=READ)
    hooks = {"response": [auth.remember]}
    with httpx.Client(transport=_service(gate, httpx), auth=auth, base_url=API, event_hooks=hooks) as client:
        assert [client.get("/orders").status_code for _ in range(2)] == [401, 200]


# Bad requests


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_bad_request_gets_exactly_its_code_and_status(issuer: LocalIssuer, algorithm: str, method: str) -> None:
    gate = _gate(issuer)
    wrong = {}
    for bad in issuer.defects(over_http=True, algorithm=algorithm, method=method, url=URL, scope=READ):
        if bad.first is not None:
            assert _check(gate, bad.first).allowed
        decision = _check(gate, bad.request, bad.request.body or None)
        if (decision.code, decision.status) != (bad.code, bad.status):
            wrong[bad.defect] = (decision.code, decision.status)
    assert not wrong


def test_what_is_yielded(issuer: LocalIssuer) -> None:
    unsendable = {Defect.LEADING_SPACE, Defect.TRAILING_NEWLINE, Defect.NEWLINE_INSIDE}
    found = {bad.defect for bad in issuer.defects(over_http=True, method="POST", scope=READ)}
    assert found == {*Defect, *RequestDefect} - unsendable
    less = {bad.defect for bad in issuer.defects(over_http=True)}
    assert found - less == {RequestDefect.TOKEN_IN_BODY, RequestDefect.MISSING_SCOPE}


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "testing.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    (example,) = (block for block in blocks if "GateMiddleware" in block)
    (tmp_path / "test_orders.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_orders.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
