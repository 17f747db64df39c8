"""Specific to FastAPI: dependencies, decorators on every kind of endpoint, mounted applications."""

from __future__ import annotations

from typing import Annotated, Any

import mint
import pytest
from authgent_apps import PUBLIC
from authgent_tokens import ISSUER, KEYS, token, transaction_token
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.fastapi import AgentAuthMiddleware, get_agent_identity, require_agent_auth


def good() -> dict[str, str]:
    return {"Authorization": f"Bearer {token()}"}


def guarded(endpoint: Any) -> TestClient:
    """The application of one endpoint."""
    app = FastAPI()
    app.add_middleware(AgentAuthMiddleware, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    app.get("/items/{item}")(endpoint)
    return TestClient(app)


@require_agent_auth()
async def bare(item: int) -> int:
    return item


@require_agent_auth(scopes=["read"])
def not_async(item: int) -> int:
    return item


@require_agent_auth(["read"])
async def with_request(item: int, request: Request) -> int:
    assert request.state.authgent_identity.subject == "client:agnt_1"
    return item


@require_agent_auth(scopes="read search:execute")
async def with_request_by_another_name(asked: Request, item: int) -> int:
    assert asked.state.authgent_identity.subject == "client:agnt_1"
    return item


@require_agent_auth()
async def with_dependency(item: int, agent: Annotated[authgent.AgentIdentity, Depends(get_agent_identity)]) -> int:
    assert agent.scopes == ["search:execute", "read"]
    return item


async def only_dependency(item: int, agent: Annotated[authgent.AgentIdentity, Depends(get_agent_identity)]) -> int:
    assert agent.client_id == "agnt_1"
    return item


@pytest.mark.parametrize(
    "endpoint", [bare, not_async, with_request, with_request_by_another_name, with_dependency, only_dependency]
)
def test_every_kind_of_endpoint_can_be_guarded(endpoint: Any) -> None:
    client = guarded(endpoint)
    assert client.get("/items/7", headers=good()).json() == 7
    assert client.get("/items/x", headers=good()).status_code == 422
    answer = client.get("/items/7")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "No valid agent identity"}
    # The guard adds nothing to the application's own OpenAPI description.
    parameters = client.app.openapi()["paths"]["/items/{item}"]["get"]["parameters"]  # type: ignore[attr-defined]  # it is FastAPI's
    assert [one["name"] for one in parameters] == ["item"]


def test_an_endpoint_needs_its_scopes() -> None:
    client = guarded(not_async)
    assert client.get("/items/7", headers={"Authorization": f"Bearer {token(scope='write')}"}).status_code == 403


@pytest.mark.parametrize("scopes", [['a"b'], ["a\nb"], [""]])
def test_what_is_no_scope_is_the_callers_mistake(scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="scope"):
        require_agent_auth(scopes=scopes)


def test_a_guarded_endpoint_is_called_with_its_request() -> None:
    with pytest.raises(TypeError, match="request"):
        not_async(item=7)


def test_an_application_without_middleware_rejects_everybody() -> None:
    app = FastAPI()
    app.get("/items/{item}")(only_dependency)
    answer = TestClient(app).get("/items/7", headers=good())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="authgent"'


def test_an_applications_own_tests_may_say_who_calls() -> None:
    app = FastAPI()
    app.get("/items/{item}")(only_dependency)
    agent = authgent.AgentIdentity("client:test", [], authgent.DelegationChain(), authgent.TokenClaims(), "agnt_1")
    app.dependency_overrides[get_agent_identity] = lambda: agent
    assert TestClient(app).get("/items/7").json() == 7


async def _who(request: StarletteRequest) -> JSONResponse:
    return JSONResponse(get_agent_identity(request).subject)


def test_an_application_in_another_goes_by_its_own_issuer() -> None:
    # A token of the outer issuer is invalid for the inner application.
    inner = Starlette(routes=[Route("/who", _who)])
    other = authgent.JWKSFetcher("https://other.example", jwks=mint.jwks("p256-b"))
    inner.add_middleware(
        AgentAuthMiddleware,
        issuer="https://other.example",
        jwks_fetcher=other,
        public_url=PUBLIC,
    )
    outer = Starlette(routes=[Route("/who", _who), Mount("/inner", inner)])
    outer.add_middleware(AgentAuthMiddleware, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    client = TestClient(outer)
    assert client.get("/who", headers=good()).json() == "client:agnt_1"
    assert client.get("/inner/who", headers=good()).status_code == 401


def test_a_proof_is_for_the_whole_path_of_an_application_in_another() -> None:
    app = Starlette(routes=[Mount("/v1", Starlette(routes=[Route("/who", _who)]))])
    app.add_middleware(AgentAuthMiddleware, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    headers = client.create_proof_headers(raw, "GET", f"{PUBLIC}/v1/who")
    assert TestClient(app).get("/v1/who?x=1", headers=headers).status_code == 200


def test_websockets_need_a_token_too() -> None:
    app = FastAPI()
    app.add_middleware(AgentAuthMiddleware, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.state.authgent_identity.subject)
        await websocket.close()

    client = TestClient(app)
    with client.websocket_connect("/ws", headers=good()) as connection:
        assert connection.receive_json() == "client:agnt_1"
    with pytest.raises(WebSocketDenialResponse) as rejected, client.websocket_connect("/ws"):
        pass
    assert rejected.value.status_code == 401
    assert rejected.value.json() == {"detail": "No valid agent identity"}


def test_a_token_that_is_no_access_token_closes_a_websocket_with_its_code() -> None:
    app = AgentAuthMiddleware(FastAPI(), ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)

    async def server(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "extensions": {}}, receive, send)

    headers = {"Authorization": f"Bearer {transaction_token()}"}
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        TestClient(server).websocket_connect("/ws", headers=headers),
    ):
        pass
    assert closed.value.code == 4401
    assert closed.value.reason == "wrong_type"


def test_no_exception_of_ours_lets_a_request_through(monkeypatch: pytest.MonkeyPatch) -> None:
    client = guarded(bare)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    client.get("/items/7")
    monkeypatch.setattr("watchword.providers.authgent.middleware.gate.identity_of", broken)
    answer = client.get("/items/7", headers=good())
    assert answer.status_code == 500
    assert "broken" not in answer.text


def test_headers_of_the_application_are_passed_on() -> None:
    app = FastAPI()
    app.add_middleware(AgentAuthMiddleware, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)

    @app.get("/")
    async def shown(request: Request) -> Any:
        return request.headers.get("x-auth-tenant")

    assert TestClient(app).get("/", headers={**good(), "X-Auth-Tenant": "a"}).json() == "a"
