"""FastAPI: the dependency, with and without the middleware, and its answers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from asgi_calls import http
from asgi_gate import ISSUER, VERIFIER, BrokenGate, bearer, bound, make_gate, token
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security, WebSocket
from fastapi.responses import PlainTextResponse
from fastapi.security import SecurityScopes
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from watchword import VerifiedToken
from watchword.integrations.fastapi import Authenticated, GateMiddleware, RejectedError

GATE = make_gate()
AUTHENTICATED = Authenticated(GATE)

router = APIRouter()


@router.get("/orders/{order_id}")
async def order(
    order_id: int,
    request: Request,
    token: Annotated[VerifiedToken, Depends(Authenticated(GATE, scopes=["orders:{order_id}"]))],
) -> Any:
    assert request.state.token.token_id == token.token_id
    assert request.state.decision.allowed
    return {"order": order_id, "of": token.subject}


@router.get("/threads/{order_id}")
def in_thread(
    order_id: int, token: Annotated[VerifiedToken, Depends(Authenticated(GATE, scopes=["orders:{order_id}"]))]
) -> Any:
    return {"order": order_id, "of": token.subject}


@router.get("/security/{order_id}")
async def with_security(
    order_id: int, token: Annotated[VerifiedToken, Security(AUTHENTICATED, scopes=["orders:{order_id}"])]
) -> Any:
    return {"order": order_id, "of": token.subject}


def current_user(token: Annotated[VerifiedToken, Security(AUTHENTICATED, scopes=["a"])]) -> str:
    return token.subject or ""


@router.get("/nested/{order_id}")
async def nested(order_id: int, user: Annotated[str, Security(current_user, scopes=["orders:{order_id}"])]) -> Any:
    return {"order": order_id, "of": user}


@router.get("/catalogue")
async def catalogue(token: Annotated[VerifiedToken | None, Depends(Authenticated(GATE, optional=True))]) -> Any:
    return None if token is None else token.subject


@router.get("/twice", dependencies=[Depends(Authenticated(GATE, scopes=["a"]))])
async def twice(
    token: Annotated[VerifiedToken, Depends(Authenticated(GATE, scopes=["b"]))],
    same: Annotated[VerifiedToken, Security(AUTHENTICATED, scopes=["c"])],
) -> Any:
    assert token.token_id == same.token_id
    return token.subject


@router.websocket("/listen/{order_id}")
async def listen(
    order_id: str,
    websocket: WebSocket,
    token: Annotated[VerifiedToken, Security(AUTHENTICATED, scopes=["orders:{order_id}"])],
) -> None:
    await websocket.accept()
    await websocket.send_json([order_id, token.subject])
    await websocket.close()


def application(*, middleware: bool) -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    if middleware:
        app.add_middleware(GateMiddleware, gate=GATE)
    return app


@pytest.fixture(name="client", params=[False, True], ids=["alone", "behind the middleware"])
def _client(request: pytest.FixtureRequest) -> TestClient:
    return TestClient(application(middleware=request.param))


@pytest.mark.parametrize("path", ["/orders/7", "/threads/7", "/security/7", "/nested/7"])
def test_scopes_may_have_variables_of_the_path(client: TestClient, path: str) -> None:
    assert client.get(path, headers=token(scope="orders:7 a")).json() == {"order": 7, "of": "alice"}
    for scope in ("", "orders:8 a", "orders:{order_id} a", "orders:* a", "orders"):
        answer = client.get(path, headers=token(scope=scope))
        assert answer.status_code == 403, scope
        assert "orders:7" in answer.headers["www-authenticate"]


def test_a_rejection_is_the_gates_response(client: TestClient) -> None:
    headers: Any
    for headers, status, code in (
        ({}, 401, "missing_token"),
        (bearer("garbage"), 401, "malformed_token"),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], 400, "malformed_request"),
        (token(), 403, "insufficient_scope"),
    ):
        answer = client.get("/orders/7", headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert "Bearer" in answer.headers["www-authenticate"]
        problem = answer.json()
        assert problem["code"] == code
        assert problem["status"] == status


def test_a_token_may_be_optional(client: TestClient) -> None:
    assert client.get("/catalogue").json() is None
    assert client.get("/catalogue", headers=token()).json() == "alice"
    assert client.get("/catalogue", headers=bearer("garbage")).status_code == 401


@pytest.mark.parametrize("path", ["/orders/7", "/nested/7", "/twice", "/catalogue"])
def test_a_proof_is_consumed_once_for_one_request(client: TestClient, path: str) -> None:
    headers = bound(path, scope="orders:7 a b c")
    assert client.get(path, headers=headers).status_code == 200
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "dpop_replayed"


def test_every_dependency_of_an_endpoint_counts(client: TestClient) -> None:
    assert client.get("/twice", headers=token(scope="a b c")).json() == "alice"
    for scope in ("a b", "b c", "a c"):
        assert client.get("/twice", headers=token(scope=scope)).status_code == 403


def test_a_websocket_endpoint_is_rejected_before_it_is_accepted(client: TestClient) -> None:
    with client.websocket_connect("/listen/7", headers=token(scope="orders:7")) as session:
        assert session.receive_json() == ["7", "alice"]
    for headers, status in (({}, 401), (token(scope="orders:8"), 403)):
        with (
            pytest.raises(WebSocketDenialResponse) as rejected,
            client.websocket_connect("/listen/7", headers=headers),
        ):
            pass
        assert rejected.value.status_code == status
        assert rejected.value.json()["status"] == status


@pytest.mark.parametrize("middleware", [False, True])
def test_a_server_that_cannot_answer_a_handshake_closes_it(middleware: bool) -> None:
    app = application(middleware=middleware)

    async def server(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "extensions": {}}, receive, send)

    client = TestClient(server)
    for headers, code in (({}, 4401), (token(), 4403)):
        if middleware and code == 4403:
            continue  # the middleware requires no scope
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/listen/7", headers=headers):
            pass
        assert closed.value.code == code


def test_nobody_is_let_in_because_other_arguments_are_invalid(client: TestClient) -> None:
    assert client.get("/orders/x").status_code == 401
    assert client.get("/orders/x", headers=token()).status_code == 403
    assert client.get("/orders/x", headers=token(scope="orders:x")).status_code == 422


# The application's own handlers and tests.


def test_a_handler_of_the_applications_own_takes_precedence() -> None:
    app = application(middleware=False)

    @app.exception_handler(RejectedError)
    async def own(request: Request, error: RejectedError) -> PlainTextResponse:
        return PlainTextResponse(error.decision.code, error.status_code, error.headers)

    answer = TestClient(app).get("/orders/7")
    assert (answer.status_code, answer.text) == (401, "missing_token")
    assert "Bearer" in answer.headers["www-authenticate"]


def test_a_handler_of_other_exceptions_does_not() -> None:
    app = application(middleware=False)

    @app.exception_handler(HTTPException)
    async def own(request: Request, error: HTTPException) -> PlainTextResponse:
        return PlainTextResponse("own", error.status_code)

    assert TestClient(app).get("/orders/7").json()["code"] == "missing_token"


def test_without_handlers_the_exception_has_everything() -> None:
    with pytest.raises(RejectedError) as raised:
        asyncio.run(AUTHENTICATED(Request(http()), SecurityScopes()))
    assert raised.value.status_code == 401
    assert raised.value.headers is not None
    assert "Bearer" in raised.value.headers["WWW-Authenticate"]
    assert raised.value.detail["code"] == "missing_token"


def test_an_applications_own_tests_may_say_who_calls() -> None:
    app = application(middleware=False)
    app.dependency_overrides[AUTHENTICATED] = lambda: VERIFIER.verify(ISSUER.mint(sub="bob"))
    assert TestClient(app).get("/security/7").json() == {"order": 7, "of": "bob"}


# Misuse.


@pytest.mark.parametrize("requirements", [{"scopes": ['a"b']}, {"dpop": "maybe"}, {"unknown": 1}, {"scopes": "a b"}])
def test_requirements_that_cannot_be_met_are_the_callers_mistake(requirements: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Authenticated(GATE, **requirements)


def test_scopes_that_cannot_be_met_are_an_error_of_the_server() -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(token: Annotated[VerifiedToken, Security(AUTHENTICATED, scopes=['a"b'])]) -> Any:
        return token.subject

    with pytest.raises(ValueError, match="scope"):
        TestClient(app).get("/", headers=token(scope="a"))


@pytest.mark.parametrize("name", ["check_async", "authorize"])
def test_no_exception_lets_a_request_through(name: str) -> None:
    gate: Any = BrokenGate(GATE, name)
    app = FastAPI()
    called = []

    @app.get("/orders/{order_id}", dependencies=[Depends(Authenticated(gate, scopes=["orders:{order_id}"]))])
    async def endpoint(order_id: str) -> Any:
        called.append(order_id)

    if name == "authorize":
        app.add_middleware(GateMiddleware, gate=gate)
    answer = TestClient(app).get("/orders/7", headers=token(scope="orders:7"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert called == []
