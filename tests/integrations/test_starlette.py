"""Starlette: the middleware, and single endpoints that require something, with and without it."""

from __future__ import annotations

from typing import Any

import pytest
from asgi_gate import API, BrokenGate, bound, make_gate, token
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from watchword.integrations.starlette import GateMiddleware, GateState, requires

GATE = make_gate()


def shown(request: Request[GateState]) -> JSONResponse:
    token = request.state.token
    return JSONResponse(None if token is None else token.subject)


@requires(GATE, scopes=["orders:{id}"])
async def order(request: Request[GateState]) -> JSONResponse:
    return shown(request)


@requires(GATE, scopes=["orders:{id}"])
def order_in_thread(request: Request[GateState]) -> JSONResponse:
    return shown(request)


class Order(HTTPEndpoint):
    @requires(GATE, scopes=["orders:{id}"])
    async def get(self, request: Request[GateState]) -> JSONResponse:
        return shown(request)


@requires(GATE, optional=True)
async def catalogue(request: Request[GateState]) -> JSONResponse:
    return shown(request)


@requires(GATE)
@requires(GATE, scopes=["twice"])
async def twice(request: Request[GateState]) -> JSONResponse:
    return shown(request)


async def anything(request: Request[GateState]) -> JSONResponse:
    return shown(request)


@requires(GATE, scopes=["listen"])
async def listen(websocket: WebSocket[GateState]) -> None:
    await websocket.accept()
    assert websocket.state.token is not None
    await websocket.send_text(websocket.state.token.subject or "")
    await websocket.close()


ENDPOINTS = [
    Route("/orders/{id}", order),
    Route("/threads/{id:int}", order_in_thread),
    Route("/classes/{id}", Order),
    Route("/catalogue", catalogue),
    Route("/twice", twice),
    WebSocketRoute("/listen", listen),
]
ALONE = Starlette(routes=ENDPOINTS)
BEHIND = Starlette(routes=ENDPOINTS, middleware=[Middleware(GateMiddleware, gate=GATE)])

APPLICATIONS = pytest.mark.parametrize("app", [ALONE, BEHIND], ids=["alone", "behind the middleware"])


@APPLICATIONS
@pytest.mark.parametrize("path", ["/orders/7", "/threads/7", "/classes/7"])
def test_an_endpoint_requires_its_scopes(app: Starlette, path: str) -> None:
    client = TestClient(app)
    assert client.get(path, headers=token(scope="orders:7")).json() == "alice"
    for headers, status in ((token(scope="orders:8"), 403), ({}, 401)):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert "Bearer" in answer.headers["www-authenticate"]
    assert 'scope="orders:7"' in client.get(path, headers=token()).headers["www-authenticate"]


@APPLICATIONS
def test_a_token_may_be_optional(app: Starlette) -> None:
    client = TestClient(app)
    assert client.get("/catalogue").json() is None
    assert client.get("/catalogue", headers=token()).json() == "alice"
    assert client.get("/catalogue", headers={"Authorization": "Bearer garbage"}).status_code == 401


@APPLICATIONS
@pytest.mark.parametrize("path", ["/orders/7", "/twice"])
def test_a_proof_is_consumed_once_for_one_request(app: Starlette, path: str) -> None:
    client = TestClient(app)
    headers = bound(path, scope="orders:7 twice")
    assert client.get(path, headers=headers).json() == "alice"
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "dpop_replayed"


@APPLICATIONS
def test_a_websocket_endpoint_requires_its_scopes(app: Starlette) -> None:
    client = TestClient(app)
    with client.websocket_connect("/listen", headers=token(scope="listen")) as session:
        assert session.receive_text() == "alice"
    for headers, status in ((token(), 403), ({}, 401)):
        with (
            pytest.raises(WebSocketDenialResponse) as rejected,
            client.websocket_connect("/listen", headers=headers),
        ):
            pass
        assert rejected.value.status_code == status
        assert rejected.value.json()["status"] == status


def test_a_proof_is_for_the_whole_path_of_a_mounted_application() -> None:
    for app in (
        Starlette(routes=[Mount("/v1", ALONE)]),
        Starlette(routes=[Mount("/v1", GateMiddleware(ALONE, GATE))]),
        Starlette(routes=[Mount("/v1", ALONE)], middleware=[Middleware(GateMiddleware, gate=GATE)]),
    ):
        headers = bound("/v1/orders/7", scope="orders:7")
        assert TestClient(app).get("/v1/orders/7?x=1", headers=headers).json() == "alice"
        assert TestClient(app).get("/v1/orders/7", headers=bound("/orders/7", scope="orders:7")).status_code == 401


def test_another_gates_decision_does_not_count() -> None:
    other = make_gate()
    app = Starlette(routes=ENDPOINTS, middleware=[Middleware(GateMiddleware, gate=other)])
    client = TestClient(app)
    assert client.get("/orders/7", headers=token(scope="orders:7")).json() == "alice"
    # A proof that the other gate has used is used.
    assert client.get("/orders/7", headers=bound("/orders/7", scope="orders:7")).status_code == 401


def test_a_decision_is_known_by_its_gate_and_not_by_the_state_of_the_request() -> None:
    """The state is the application's: a part of it may have put the decision of another gate there."""
    other = make_gate()

    class Confused:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                decision = await other.check_async(method="GET", target="/", headers=token(scope="orders:7"))
                scope["state"]["decision"] = decision
            await self.app(scope, receive, send)

    app = Starlette(routes=ENDPOINTS, middleware=[Middleware(GateMiddleware, gate=GATE), Middleware(Confused)])
    assert TestClient(app).get("/orders/7", headers=token(scope="other")).status_code == 403


def test_an_endpoint_on_a_public_route_still_requires_its_token() -> None:
    @requires(GATE)
    async def endpoint(request: Request[GateState]) -> JSONResponse:
        return shown(request)

    app = Starlette(routes=[Route("/health", endpoint)], middleware=[Middleware(GateMiddleware, gate=GATE)])
    assert TestClient(app).get("/health").status_code == 401
    assert TestClient(app).get("/health", headers=bound("/health")).json() == "alice"


def test_a_client_cannot_say_that_it_is_allowed() -> None:
    # What is known of a request is not in its headers.
    headers = {"watchword.gate": "x", "state": "x", "X-Auth-Sub": "root"}
    assert TestClient(ALONE).get("/orders/7", headers=headers).status_code == 401


@pytest.mark.parametrize("name", ["check_async", "authorize"])
def test_no_exception_lets_a_request_through(name: str) -> None:
    gate: Any = BrokenGate(GATE, name)
    called = []

    @requires(gate, scopes=["orders:{id}"])
    async def endpoint(request: Request[GateState]) -> JSONResponse:
        called.append(request)
        return shown(request)

    middleware = [Middleware(GateMiddleware, gate=gate)] if name == "authorize" else []
    app = Starlette(routes=[Route("/orders/{id}", endpoint)], middleware=middleware)
    answer = TestClient(app).get("/orders/7", headers=token(scope="orders:7"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert called == []


def test_an_endpoint_is_called_with_its_request() -> None:
    import asyncio

    with pytest.raises(TypeError, match="request"):
        asyncio.run(order())  # type: ignore[call-arg]  # that is the mistake


def test_a_middleware_without_a_gate_does_not_start() -> None:
    app = Starlette(routes=ENDPOINTS, middleware=[Middleware(GateMiddleware, gate=None)])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gate must be a"), TestClient(app):
        pass


def test_metadata_is_served_by_the_middleware() -> None:
    answer = TestClient(BEHIND).get(GATE.metadata_path)
    assert answer.json()["resource"] == API
