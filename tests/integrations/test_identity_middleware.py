"""The middlewares of applications behind a gate in another process."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
from typing import Any

import pytest
from asgi_calls import call, http, websocket

from watchword.gate import Gate, Identity, IdentityHeaders, Route
from watchword.integrations import asgi_identity, wsgi_identity
from watchword.testing import LocalIssuer

ISSUER = LocalIssuer(audience="https://api.example")
SECRET = secrets.token_urlsafe(32)
GATE = Gate(ISSUER.verifier(), [Route("/orders")], public_url="https://api.example", identity_secret=SECRET)


def identity_headers(sub: str = "alice") -> list[tuple[str, str]]:
    headers = [("Authorization", f"Bearer {ISSUER.mint(sub=sub)}")]
    return list(GATE.check(method="GET", target="/orders", headers=headers).identity_headers)


def encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


class Application:
    """Both an ASGI and a WSGI application that keeps what reaches it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        self.seen.append(environ)
        start_response("200 OK", [])
        return [b"in"]


def environ(headers: list[tuple[str, str]], **more: str) -> dict[str, Any]:
    variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/orders", "wsgi.input": io.BytesIO(), **variables, **more}


def serve_wsgi(app: Any, request: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    started: list[Any] = []
    body = b"".join(app(request, lambda *answer: started.extend(answer)))
    return started[0], dict(started[1]), body


def test_asgi_puts_the_identity_into_the_state_and_removes_the_headers() -> None:
    application = Application()
    app = asgi_identity.IdentityMiddleware(application.asgi, IdentityHeaders(SECRET))
    others = [(b"host", b"x"), (b"accept", b"a"), (b"accept", b"b")]
    scope = http(headers=[*encoded(identity_headers()), *others, (b"x_auth_other", b"y")], state={"kept": 1})
    assert call(app, scope).status == 200
    (seen,) = application.seen
    assert seen["headers"] == others
    assert seen["state"]["kept"] == 1
    assert isinstance(seen["state"]["identity"], Identity)
    assert seen["state"]["identity"].subject == "alice"
    assert seen["watchword.identity"] is seen["state"]["identity"]
    # What is outside still has what was sent, and no identity.
    assert len(scope["headers"]) > len(others)
    assert scope["state"] == {"kept": 1}


def test_asgi_rejects_what_did_not_pass_the_gate(caplog: pytest.LogCaptureFixture) -> None:
    application = Application()
    app = asgi_identity.IdentityMiddleware(application.asgi, IdentityHeaders(SECRET))
    forged = encoded([("X-Auth-Sub", "admin"), ("X-Auth-Secret", "0" * 43)])
    with caplog.at_level(logging.WARNING, "watchword.integrations"):
        for _ in range(3):
            answer = call(app, http(headers=forged))
    assert answer.status == 403
    assert answer.body["code"] == "untrusted_identity"
    assert "www-authenticate" not in answer.headers
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/problem+json", "no-store")
    assert SECRET not in json.dumps(answer.body)
    # Once, however often a client tries.
    assert [record.message for record in caplog.records] == [
        "a request was rejected: untrusted_identity: X-Auth-Secret has another secret than those that are accepted here"
    ]
    closed = call(app, websocket(headers=forged))
    assert closed.messages == [{"type": "websocket.close", "code": 4403, "reason": "untrusted_identity"}]
    assert call(app, websocket(headers=forged, extensions={"websocket.http.response": {}})).status == 403
    assert application.seen == []


def test_asgi_passes_the_start_of_the_server_on() -> None:
    application = Application()
    app = asgi_identity.IdentityMiddleware(application.asgi, IdentityHeaders(SECRET))
    asyncio.run(app({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert application.seen == [{"type": "lifespan"}]
    call(app, websocket(headers=encoded(identity_headers())))
    assert application.seen[1]["state"]["identity"].subject == "alice"


def test_wsgi_puts_the_identity_into_the_environment_and_removes_the_headers() -> None:
    application = Application()
    app = wsgi_identity.IdentityMiddleware(application.wsgi, IdentityHeaders(SECRET))
    request = environ([*identity_headers(), ("Host", "x"), ("X-Auth-Other", "y")], CONTENT_TYPE="text/plain")
    assert serve_wsgi(app, request)[0] == "200 OK"
    (seen,) = application.seen
    assert seen["watchword.identity"].subject == "alice"
    assert [key for key in seen if key.startswith("HTTP_")] == ["HTTP_HOST"]
    assert seen["CONTENT_TYPE"] == "text/plain"


def test_wsgi_rejects_what_did_not_pass_the_gate() -> None:
    application = Application()
    app = wsgi_identity.IdentityMiddleware(application.wsgi, IdentityHeaders(SECRET))
    headers = identity_headers()
    # Servers join repeated headers, and those with underscores, which have the same variable.
    joined = [(name, f"{value},admin" if name == "X-Auth-Sub" else value) for name, value in headers]
    for sent in ([("X-Auth-Sub", "admin")], headers[:-1], joined):
        status, answered, body = serve_wsgi(app, environ(sent))
        assert status == "403 Forbidden"
        assert "WWW-Authenticate" not in answered
        assert json.loads(body)["code"] == "untrusted_identity"
        assert answered["Content-Length"] == str(len(body))
    assert application.seen == []


def test_a_framework_gets_the_identity() -> None:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route as Endpoint
    from starlette.testclient import TestClient

    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse([request.state.identity.subject, [name for name in request.headers if "auth" in name]])

    middleware = [Middleware(asgi_identity.IdentityMiddleware, identity_headers=IdentityHeaders(SECRET))]
    with TestClient(Starlette(routes=[Endpoint("/orders", endpoint)], middleware=middleware)) as client:
        assert client.get("/orders", headers=identity_headers()).json() == ["alice", []]
        assert client.get("/orders").status_code == 403


@pytest.mark.parametrize("module", [asgi_identity, wsgi_identity])
def test_invalid_arguments(module: Any) -> None:
    with pytest.raises(TypeError, match=r"watchword\.gate\.IdentityHeaders"):
        module.IdentityMiddleware(lambda: None, SECRET)
