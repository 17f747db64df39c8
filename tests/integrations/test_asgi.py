"""The gate in front of an ASGI application: what reaches the application, and what is answered instead."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from asgi_calls import Answer, Application, Headers, call, http, websocket
from asgi_gate import API, ISSUER, METADATA, make_gate

import watchword as ww
from watchword.integrations.asgi import GateMiddleware
from watchword.testing import LocalIssuer

FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")
GATE = make_gate()


def serve(gate: Any = GATE, **options: Any) -> tuple[Application, GateMiddleware]:
    app = Application()
    return app, GateMiddleware(app, gate, **options)


def bearer(raw: str) -> Headers:
    return [(b"authorization", f"Bearer {raw}".encode())]


def token(**claims: Any) -> Headers:
    # For longer than any test run: some are made while the tests are collected.
    return bearer(ISSUER.mint(**{"sub": "alice", "expires_in": 86400, **claims}))


def test_a_valid_token_reaches_the_application() -> None:
    app, middleware = serve()
    scope = http("/orders/7?x=1", token())
    assert call(middleware, scope).status == 204
    (seen,) = app.scopes
    assert seen["state"]["token"].subject == "alice"
    assert seen["state"]["decision"].allowed
    assert seen["headers"] == scope["headers"]


@pytest.mark.parametrize(
    ("target", "headers", "status", "code"),
    [
        ("/orders", [], 401, "missing_token"),
        ("/orders", bearer("garbage"), 401, "malformed_token"),
        ("/orders", bearer(ISSUER.mint_bad("expired")), 401, "expired"),
        ("/admin", token(), 403, "insufficient_scope"),
        ("/catalogue", bearer("garbage"), 401, "malformed_token"),
        ("/orders", [(b"authorization", b"Basic YTpi")], 401, "missing_token"),
    ],
)
def test_any_other_request_is_answered_by_the_gate(target: str, headers: Any, status: int, code: str) -> None:
    app, middleware = serve()
    answer = call(middleware, http(target, headers))
    assert answer.status == status
    assert answer.body["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["content-length"]) == len(answer.messages[1]["body"])
    assert f'resource_metadata="{API}{METADATA}"' in answer.headers["www-authenticate"]
    assert app.scopes == []


@pytest.mark.parametrize("path", ["/health", "/catalogue"])
def test_public_and_optional_routes_have_no_token(path: str) -> None:
    app, middleware = serve()
    # As a middleware outside would have left it.
    scope = http(path, state={"token": "of another gate", "decision": "of another gate", "other": 1})
    assert call(middleware, scope).status == 204
    (seen,) = app.scopes
    assert seen["state"]["token"] is None
    assert seen["state"]["decision"].allowed
    assert seen["state"]["other"] == 1


def test_a_server_without_state_gets_one() -> None:
    app, middleware = serve()
    scope = http(headers=token())
    del scope["state"], scope["extensions"], scope["root_path"]
    assert call(middleware, scope).status == 204
    assert app.scopes[0]["state"]["token"].subject == "alice"


def test_keys_are_fetched_for_the_first_token() -> None:
    with LocalIssuer(audience=API, algorithms=("ES256",)).serve() as issuer:
        verifier = ww.Verifier([ww.Issuer(issuer.issuer, allow_loopback_http=True)], audience=API)
        _, middleware = serve(make_gate(verifier=verifier))
        for scope in (http, websocket):
            answer = call(middleware, scope(headers=bearer(issuer.mint(sub="alice"))))
            assert answer.messages[0].get("status", 204) == 204
            assert answer.messages[0]["type"] in ("http.response.start", "websocket.accept")


def test_unavailable_keys_are_not_the_clients_fault() -> None:
    with LocalIssuer(audience=API, algorithms=("ES256",)).serve() as issuer:
        raw = issuer.mint()
    # Nothing listens there any more.
    verifier = ww.Verifier([ww.Issuer(issuer.issuer, allow_loopback_http=True)], audience=API)
    app, middleware = serve(make_gate(verifier=verifier))
    answer = call(middleware, http(headers=bearer(raw)))
    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert "www-authenticate" not in answer.headers
    assert call(middleware, websocket(headers=bearer(raw))).messages[0]["code"] == 4503
    assert app.scopes == []


# Headers.


FORGED = [(b"x-auth-sub", b"root"), (b"X-Auth-Scope", b"*"), (b"x_auth_sub", b"root"), (b"accept", b"*/*")]


def test_identity_headers_of_a_client_are_removed() -> None:
    app, middleware = serve()
    scope = http(headers=[*token(), *FORGED])
    sent = list(scope["headers"])
    assert call(middleware, scope).status == 204
    assert [name for name, _ in app.scopes[0]["headers"]] == [b"authorization", b"accept"]
    assert scope["headers"] == sent
    # Also without a token.
    call(middleware, http("/health", FORGED))
    assert app.scopes[1]["headers"] == [(b"accept", b"*/*")]


def test_a_server_may_have_lists_for_pairs() -> None:
    app, middleware = serve()
    headers: Any = [[name, value] for name, value in [*token(), (b"accept", b"*/*")]]
    assert call(middleware, http(headers=headers)).status == 204
    assert app.scopes[0]["headers"] == headers
    assert call(middleware, http(headers=[*headers, [b"x-auth-sub", b"root"]])).status == 204
    assert [tuple(pair) for pair in app.scopes[1]["headers"]] == [tuple(pair) for pair in headers]


def test_identity_headers_are_added_on_request() -> None:
    app, middleware = serve(identity_headers=True)
    assert call(middleware, http(headers=[*token(), *FORGED])).status == 204
    seen = app.scopes[0]["headers"]
    assert [value for name, value in seen if name.replace(b"_", b"-") == b"x-auth-sub"] == [b"alice"]
    assert all(name == name.lower() for name, _ in seen)
    assert app.scopes[0]["state"]["token"].subject == "alice"


# What the gate is given.


class Recording:
    """A gate that remembers with what it is called."""

    def __init__(self, gate: Any = GATE) -> None:
        self._gate = gate
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    def check_steps(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        return self._gate.check_steps(**arguments)

    async def check_async(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        return await self._gate.check_async(**arguments)


def given(scope: dict[str, Any]) -> dict[str, Any]:
    """What the gate is given for a request."""
    gate = Recording()
    call(serve(gate)[1], scope)
    return gate.calls[0]


def test_the_gate_is_given_what_was_received() -> None:
    headers = [*token(), (b"dpop", b"a"), (b"dpop", b"b"), (b"\xff", b"\xff")]
    scope = http("/o%2Frders//x/../%zz?a=%2F&a", headers, method="PUT")
    assert given(scope) == {
        "method": "PUT",
        "target": b"/o%2Frders//x/../%zz?a=%2F&a",
        "headers": headers,
        "certificate": None,
    }
    assert given(websocket("/ws?x", headers))["method"] == "GET"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/orders", b"/orders?x=1"),
        ("/a b/é/%", b"/a%20b/%C3%A9/%25?x=1"),
        ("/a;b=1,2/$&'()*+=:@!~", b"/a;b=1,2/$&'()*+=:@!~?x=1"),
        ("/a?b#c", b"/a%3Fb%23c?x=1"),
    ],
)
def test_a_server_without_raw_path_gives_the_path_escaped_again(path: str, target: bytes) -> None:
    scope = http("/orders?x=1", token(), path=path, raw_path=None)
    assert given(scope)["target"] == target
    del scope["raw_path"]
    assert given(scope)["target"] == target


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        ("/v1/orders/é", "/v1"),  # Starlette, uvicorn
        ("/orders/é", "/v1"),  # frameworks that take the prefix away
        ("/v1/orders/é", ""),
    ],
)
def test_a_mounted_application_is_known_by_the_whole_path(path: str, root_path: str) -> None:
    scope = http("/v1/orders/%C3%A9", token(), path=path, root_path=root_path)
    assert given(scope)["target"] == b"/v1/orders/%C3%A9"
    assert call(serve()[1], scope).status == 204


def test_a_raw_path_may_have_the_query_too() -> None:
    """Not by the specification, but in the test clients of some years."""
    scope = http("/orders?x=1", token(), raw_path=b"/orders?x=1")
    assert call(serve()[1], scope).status == 204


def test_a_rewritten_path_is_rejected() -> None:
    """The gate would choose a route by one path, and the application an endpoint by another."""
    app, middleware = serve()
    for path in ("/admin", "/health/../admin", "/healthy"):
        answer = call(middleware, http("/health", path=path))
        assert answer.status == 500
    assert app.scopes == []


def test_the_client_certificate_is_that_of_the_tls_extension() -> None:
    assert given(http(extensions={"tls": {"client_cert_chain": iter(["PEM 1", "PEM 2"])}}))["certificate"] == "PEM 1"
    assert given(websocket(extensions={"tls": {"client_cert_chain": ("PEM 1",)}}))["certificate"] == "PEM 1"
    for tls in ({"client_cert_chain": []}, {"client_cert_name": "CN=alice"}, {"client_cert_chain": None}, {}, None):
        assert given(http(extensions={"tls": tls}))["certificate"] is None
    # Headers are the gate's business.
    headers = [(b"x-forwarded-client-cert", b"Cert=x"), (b"x-ssl-cert", b"x")]
    assert given(http(headers=headers))["certificate"] is None


# Tokens in the body.


def parts(*bodies: bytes, complete: bool = True) -> list[dict[str, Any]]:
    more = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    return [*more, {"type": "http.request"}] if complete else more


def test_a_form_is_shown_to_the_gate_if_the_token_is_missing() -> None:
    gate = Recording()
    app, middleware = serve(gate)
    answer = call(middleware, http(headers=[FORM], method="POST"), *parts(b"access_", b"token=x.y.z"))
    assert answer.status in (400, 401)
    assert [arguments.get("form") for arguments in gate.calls] == [None, b"access_token=x.y.z"]
    assert app.scopes == []


@pytest.mark.parametrize(
    "received",
    [
        parts(b"a" * 40_000),
        parts(*[b"a" * 1000] * 40),
        parts(b"a" * 10_000, b"b" * 10_000, complete=False),
        # The client goes away, or sends byte by byte.
        parts(b"a", complete=False),
        [{"type": "http.disconnect"}],
        parts(*[b"a"] * 10_000, complete=False),
        parts(*[b""] * 10_000, complete=False),
    ],
    ids=["one large", "many", "two", "gone", "gone at once", "slow", "empty"],
)
def test_reading_a_form_ends(received: list[dict[str, Any]]) -> None:
    gate = Recording()
    answer = call(serve(gate)[1], http(headers=[FORM], method="POST"), *received)
    assert answer.status == 401
    assert len(gate.calls[1]["form"]) <= 16 * 1024


@pytest.mark.parametrize(
    "scope",
    [
        http(headers=[(b"content-type", b"application/json")], method="POST"),
        http(method="POST"),
        http(headers=[FORM, *bearer("garbage")], method="POST"),
        http("/catalogue", headers=[FORM], method="POST"),
        http(headers=[FORM, *token()], method="POST"),
        websocket(headers=[FORM]),
    ],
    ids=["json", "no type", "invalid token", "optional", "valid token", "websocket"],
)
def test_no_other_body_is_read(scope: dict[str, Any]) -> None:
    gate = Recording()
    _, middleware = serve(gate)
    body = {"type": "http.request", "body": b"access_token=x", "more_body": False}
    call(middleware, scope, body)
    assert len(gate.calls) == 1


def test_a_gate_that_allows_a_form_after_a_rejection_changes_nothing() -> None:
    class Confused(Recording):
        async def check_async(self, **arguments: Any) -> Any:
            target = b"/health" if "form" in arguments else b"/orders"
            return await GATE.check_async(**{**arguments, "target": target})

    app, middleware = serve(Confused())
    assert call(middleware, http(headers=[FORM], method="POST"), *parts(b"a=1")).status == 401
    assert app.scopes == []


# Protected resource metadata.


def test_metadata_is_served_to_anyone() -> None:
    app, middleware = serve()
    for scope in (http(METADATA), http(f"{METADATA}?x=1", bearer("garbage"))):
        answer = call(middleware, scope)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.body["resource"] == API
    head = call(middleware, http(METADATA, method="HEAD"))
    assert head.status == 200
    assert int(head.headers["content-length"]) == int(answer.headers["content-length"])
    assert head.messages[1]["body"] == b""
    assert app.scopes == []


def test_a_browser_may_ask_for_metadata_with_headers_of_its_own() -> None:
    headers = [(b"origin", b"https://inspector.example"), (b"access-control-request-headers", b"mcp-protocol-version")]
    answer = call(serve()[1], http(METADATA, headers, method="OPTIONS"))
    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]


def test_metadata_is_only_read() -> None:
    answer = call(serve()[1], http(METADATA, method="POST"))
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


# WebSockets.


def test_a_websocket_with_a_valid_token_is_the_applications() -> None:
    app, middleware = serve()
    answer = call(middleware, websocket(headers=token()))
    assert answer.messages[0]["type"] == "websocket.accept"
    assert app.scopes[0]["state"]["token"].subject == "alice"


@pytest.mark.parametrize(("path", "code"), [("/orders", 4401), ("/admin", 4403)])
@pytest.mark.parametrize("extensions", [{}, None, {"tls": {}}])
def test_a_websocket_is_closed_before_it_is_accepted(path: str, code: int, extensions: Any) -> None:
    app, middleware = serve()
    headers = token() if code == 4403 else []
    answer = call(middleware, websocket(path, headers, extensions=extensions))
    reason = "missing_token" if code == 4401 else "insufficient_scope"
    assert answer.messages == [{"type": "websocket.close", "code": code, "reason": reason}]
    assert app.scopes == []


@pytest.mark.parametrize(("path", "status"), [("/orders", 401), ("/admin", 403)])
def test_a_websocket_gets_the_gates_response_if_the_server_can_send_it(path: str, status: int) -> None:
    app, middleware = serve()
    headers = token() if status == 403 else []
    answer = call(middleware, websocket(path, headers, extensions={"websocket.http.response": {}}))
    start, body = answer.messages
    assert start["type"] == "websocket.http.response.start"
    assert body["type"] == "websocket.http.response.body"
    assert answer.status == status
    assert "Bearer" in answer.headers["www-authenticate"]
    assert answer.body["code"]
    assert app.scopes == []


# The gate fails, or is missing.


class BrokenError(Exception):
    """Not one of ours."""


class Broken:
    """A gate or a decision, of which some attributes raise."""

    def __init__(self, inner: Any, *names: str) -> None:
        self._inner, self._names = inner, names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name in self._names and not callable(value):
            raise BrokenError(name)

        def check_steps(**arguments: Any) -> Any:
            if name in self._names:
                raise BrokenError(name)
            return Broken(value(**arguments), *self._names)

        def method(*arguments: Any) -> Any:
            if name in self._names:
                raise BrokenError(name)
            return value(*arguments)

        if name == "check_steps":
            return check_steps
        return method if callable(value) else value


@pytest.mark.parametrize("target", ["/orders", "/health"])
@pytest.mark.parametrize("name", ["check_steps", "allowed", "token", "forwarded_headers", "identity_headers"])
@pytest.mark.parametrize("scope", [http, websocket])
def test_no_exception_lets_a_request_through(name: str, scope: Any, target: str) -> None:
    app, middleware = serve(Broken(GATE, name), identity_headers=True)
    answer = call(middleware, scope(target, token(), extensions={"websocket.http.response": {}}))
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"Broken" not in answer.messages[1]["body"]
    assert app.scopes == []


def test_metadata_that_cannot_be_made_is_an_error() -> None:
    app, middleware = serve(Broken(GATE, "metadata"))
    assert call(middleware, http(METADATA)).status == 500
    assert app.scopes == []


@pytest.mark.parametrize("scope", [http, websocket])
def test_without_an_answer_the_exception_is_the_servers(scope: Any) -> None:
    app, middleware = serve(Broken(GATE, "check_steps", "failed"))
    with pytest.raises(BrokenError, match="check_steps"):
        call(middleware, scope("/health"))
    assert app.scopes == []


def test_an_answer_to_an_exception_never_allows() -> None:
    class Confused(Broken):
        def failed(self, error: Exception) -> Any:
            return type("Allowing", (), {"allowed": True})()

    app, middleware = serve(Confused(GATE, "check_steps"))
    with pytest.raises(BrokenError):
        call(middleware, http("/health"))
    assert app.scopes == []


def test_exceptions_of_the_application_are_its_own() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise BrokenError

    with pytest.raises(BrokenError):
        call(GateMiddleware(app, GATE), http(headers=token()))


def test_other_protocols_are_rejected() -> None:
    app, middleware = serve()
    with pytest.raises(ValueError, match="'mqtt'"):
        call(middleware, {"type": "mqtt", "state": {}})
    assert app.scopes == []


def start(app: Any) -> Answer:
    """What an application answers to a server's start and end, if it then raises, too."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        with contextlib.suppress(Exception):
            await app(scope, receive, send)

    return call(guarded, {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"gate": None}, "gate must be"),
        ({"gate": "gate.toml"}, "gate must be"),
        ({"startup_keys": "no"}, "startup_keys"),
    ],
)
def test_a_middleware_that_is_misconfigured_is_not_made(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises((TypeError, ValueError), match=problem):
        serve(**arguments)

    async def made_late(scope: Any, receive: Any, send: Any) -> None:
        """As Starlette makes middleware: with the first event."""
        app, middleware = serve(**arguments)
        try:
            await middleware(scope, receive, send)
        finally:
            assert app.scopes == []

    (failed,) = start(made_late).messages
    assert failed["type"] == "lifespan.startup.failed"
    assert failed["message"].startswith("GateMiddleware: ")
    assert problem in failed["message"]
    for scope in (http(headers=token()), websocket(headers=token())):
        with pytest.raises((TypeError, ValueError), match=problem):
            call(made_late, scope)


# Start-up.


class Keys(Recording):
    """A gate whose keys are available or not."""

    def __init__(self, *, available: bool) -> None:
        super().__init__()
        self._available = available

    async def refresh_async(self) -> None:
        self.calls.append({})
        if not self._available:
            raise ww.KeysUnavailableError("no answer")


@pytest.mark.parametrize(
    ("startup_keys", "available", "fetched", "starts"),
    [
        ("skip", False, 0, True),
        ("try", True, 1, True),
        ("try", False, 1, True),
        ("require", True, 1, True),
        ("require", False, 1, False),
    ],
)
def test_keys_are_fetched_at_startup_on_request(startup_keys: Any, available: bool, fetched: int, starts: bool) -> None:
    gate = Keys(available=available)
    app, middleware = serve(gate, startup_keys=startup_keys)
    answer = start(middleware)
    assert len(gate.calls) == fetched
    if starts:
        assert [message["type"] for message in answer.messages] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]
    else:
        (failed,) = answer.messages
        assert failed["type"] == "lifespan.startup.failed"
        assert "no answer" in failed["message"]
        assert app.scopes == []
