"""MCP servers, metadata of protected resources, LangChain tools."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

import endpoint
import mint
import pytest
from authgent_tokens import API, ISSUER, KEYS, now, token
from langchain_core.tools import BaseTool, StructuredTool, Tool
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.provider import AccessToken
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.gate import Gate
from watchword.gate import Route as GateRoute
from watchword.holder import DpopProver
from watchword.integrations.mcp import protect
from watchword.providers.authgent.adapters.langchain import AuthgentCallbackHandler, AuthgentToolWrapper
from watchword.providers.authgent.adapters.mcp import AgentAuthProvider, MCPAuthProvider
from watchword.providers.authgent.adapters.protected_resource import ProtectedResourceMetadata

# MCP.


def test_an_mcp_server_knows_who_calls() -> None:
    assert MCPAuthProvider is AgentAuthProvider
    provider = MCPAuthProvider(server_url=ISSUER + "/", jwks_fetcher=KEYS)
    assert asyncio.run(provider.verify(token())).subject == "client:agnt_1"
    assert provider.metadata_url == f"{ISSUER}/.well-known/oauth-authorization-server"
    assert provider.jwks_url == f"{ISSUER}/.well-known/jwks.json"
    with pytest.raises(authgent.InvalidTokenError, match="exchanged token is: pass audience="):
        asyncio.run(provider.verify(token(aud=API)))
    assert asyncio.run(AgentAuthProvider(ISSUER, API, jwks_fetcher=KEYS).verify(token(aud=API))).audience == API


def test_the_sdk_gets_what_it_asks_for() -> None:
    provider = AgentAuthProvider(ISSUER, API, jwks_fetcher=KEYS)
    raw = token(aud=["https://other.example", API], sub="user:ada", exp=now() + 60.5)
    found = asyncio.run(provider.verify_token(raw))
    assert isinstance(found, AccessToken)
    assert (found.token, found.client_id, found.subject) == (raw, "agnt_1", "user:ada")
    assert found.scopes == ["search:execute", "read"]
    assert found.resource == API
    assert found.expires_at in (now() + 60, now() + 59)
    assert asyncio.run(provider.verify_token(token())) is None
    assert asyncio.run(provider.verify_token("garbage")) is None
    anybody = AgentAuthProvider(ISSUER, ww.ANY_AUDIENCE, jwks_fetcher=KEYS)
    found = asyncio.run(anybody.verify_token(token(aud=API)))
    assert found is not None
    assert found.resource == API


def test_unavailable_keys_make_no_token_invalid() -> None:
    provider = AgentAuthProvider("http://127.0.0.1:9")
    with pytest.raises(authgent.ServerError):
        asyncio.run(provider.verify_token(token(iss="http://127.0.0.1:9", aud="http://127.0.0.1:9")))


def test_the_sdks_own_middleware_takes_it_for_a_token_verifier() -> None:
    async def who(request: Request) -> JSONResponse:
        return JSONResponse([request.user.is_authenticated, *request.auth.scopes])

    provider = AgentAuthProvider(ISSUER, API, jwks_fetcher=KEYS)
    backend = BearerAuthBackend(provider, resource_server_url=AnyHttpUrl(API))
    app = Starlette(routes=[Route("/", who)], middleware=[Middleware(AuthenticationMiddleware, backend=backend)])
    client = TestClient(app)
    assert client.get("/", headers={"Authorization": f"Bearer {token(aud=API)}"}).json() == [
        True,
        "search:execute",
        "read",
    ]
    for raw in (token(), "garbage", token(aud=API, cnf={"jkt": "x" * 43})):
        assert client.get("/", headers={"Authorization": f"Bearer {raw}"}).json() == [False]


def test_behind_a_gate_bound_tokens_are_accepted_and_the_rules_of_authgent_stay() -> None:
    async def who(request: Request) -> JSONResponse:
        return JSONResponse([request.user.is_authenticated, *request.auth.scopes])

    provider = AgentAuthProvider(ISSUER, API, jwks_fetcher=KEYS)
    middleware = [Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(provider))]
    app = Starlette(routes=[Route("/", who)], middleware=middleware)
    verifier = ww.Verifier([ww.Issuer(ISSUER, jwks=mint.jwks("p256"))], audience=API)
    client = TestClient(protect(app, Gate(verifier, [GateRoute("/")], public_url=API)))
    prover = DpopProver()

    def get(**claims: object) -> Any:
        raw = token(aud=API, cnf={"jkt": prover.jkt}, **claims)
        return client.get("/", headers={"Authorization": f"DPoP {raw}", "DPoP": prover.proof("GET", f"{API}/", raw)})

    assert get().json() == [True, "search:execute", "read"]
    # A transaction token is no access token, whatever the gate says.
    assert get(req_wl="agent-1").json() == [False]
    raw = token(aud=API, cnf={"jkt": prover.jkt})
    assert client.get("/", headers={"Authorization": f"Bearer {raw}"}).status_code == 401


# Metadata.


def test_the_documented_metadata() -> None:
    metadata = ProtectedResourceMetadata(
        resource="https://mcp-server.example.com",
        authorization_servers=["http://localhost:8000"],
        scopes_supported=["tools:execute", "db:read"],
    )
    expected = {
        "resource": "https://mcp-server.example.com",
        "authorization_servers": ["http://localhost:8000"],
        "scopes_supported": ["tools:execute", "db:read"],
        "bearer_methods_supported": ["header"],
        "resource_signing_alg_values_supported": ["ES256"],
    }
    assert metadata.to_dict() == metadata.fastapi_route() == expected
    assert json.loads(metadata.to_json()) == expected
    assert metadata.to_json(indent=4).startswith('{\n    "resource"')


def test_what_is_empty_is_left_out() -> None:
    metadata = ProtectedResourceMetadata("https://a.example", [], [], [], [])
    assert metadata.to_dict() == {"resource": "https://a.example", "authorization_servers": []}
    metadata = ProtectedResourceMetadata(
        "https://a.example",
        [ISSUER],
        dpop_signing_alg_values_supported=["ES256"],
        dpop_bound_access_tokens_required=True,
        resource_documentation="https://a.example/docs",
    )
    assert metadata.to_dict()["dpop_bound_access_tokens_required"] is True
    assert metadata.to_dict()["dpop_signing_alg_values_supported"] == ["ES256"]


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://a.example", "https://a.example/.well-known/oauth-protected-resource"),
        ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource"),
        ("https://a.example/r1", "https://a.example/.well-known/oauth-protected-resource/r1"),
        ("https://a.example:8443/r1/x?y=1", "https://a.example:8443/.well-known/oauth-protected-resource/r1/x?y=1"),
        ("http://localhost:9000/mcp", "http://localhost:9000/.well-known/oauth-protected-resource/mcp"),
    ],
)
def test_metadata_is_served_at_the_well_known_path(resource: str, url: str) -> None:
    assert ProtectedResourceMetadata(resource, [ISSUER]).url == url


@pytest.mark.parametrize(
    "resource", ["", "a.example", "/r1", "ftp://a.example", "https://", "https://a#b", "https://a b", 5]
)
def test_a_resource_is_named_by_a_url(resource: Any) -> None:
    with pytest.raises(ValueError, match="resource"):
        ProtectedResourceMetadata(resource, [ISSUER])


# LangChain.


@dataclass
class Token:
    access_token: str
    expires_in: float = 900


class Client:
    """The client of the authorization server, and the server itself."""

    def __init__(self, *lifetimes: float) -> None:
        self.lifetimes = list(lifetimes) or [900]
        self.asked: list[dict[str, Any]] = []

    async def get_token(self, **request: Any) -> Token:
        self.asked.append(request)
        lifetime = self.lifetimes[min(len(self.asked), len(self.lifetimes)) - 1]
        return Token(f"own-{len(self.asked)}", lifetime)

    async def exchange_token(self, **request: Any) -> Token:
        self.asked.append(request)
        return Token(f"for {request['audience']}")

    async def revoke_token(self, token: str, **request: Any) -> None:
        self.asked.append({"revoked": token, **request})


def wrapper(client: Client, **options: Any) -> AuthgentToolWrapper:
    return AuthgentToolWrapper(
        server_url="http://localhost:8000", client_id="agnt_1", client_secret="sec_1", client=client, **options
    )


def test_a_token_is_asked_for_once_until_it_ends() -> None:
    async def work() -> None:
        client = Client(900)
        wrapped = wrapper(client, scope="read", resource=API)
        headers = [await wrapped.get_auth_headers() for _ in range(3)]
        assert headers == [{"Authorization": "Bearer own-1"}] * 3
        assert client.asked == [{"client_id": "agnt_1", "client_secret": "sec_1", "scope": "read", "resource": API}]
        await wrapped.revoke()
        assert client.asked[-1]["revoked"] == "own-1"
        await wrapped.revoke()
        assert len(client.asked) == 2
        assert (await wrapped.get_token()).access_token == "own-3"
        short = wrapper(Client(29, 900))
        assert [(await short.get_token()).access_token for _ in range(3)] == ["own-1", "own-2", "own-2"]
        assert "sec_1" not in repr(wrapped)

    asyncio.run(work())


def test_another_resource_is_reached_by_exchange() -> None:
    async def work() -> None:
        client = Client()
        wrapped = wrapper(client, resource=API)
        assert await wrapped.get_auth_headers(resource=API) == {"Authorization": "Bearer own-1"}
        assert await wrapped.get_auth_headers(resource="https://b") == {"Authorization": "Bearer for https://b"}
        assert client.asked[-1]["subject_token"] == "own-1"
        assert (await wrapped.exchange_for("https://c", ["read"])).access_token == "for https://c"
        assert client.asked[-1]["scopes"] == ["read"]

    asyncio.run(work())


def test_a_bound_token_comes_with_a_proof_of_each_request() -> None:
    async def work() -> None:
        wrapped = wrapper(Client(), use_dpop=True)
        headers = await wrapped.get_auth_headers(http_method="POST", http_uri=API)
        assert headers["Authorization"] == "DPoP own-1"
        proof = ww.dpop.verify_proof(headers["DPoP"], method="POST", uri=API, access_token="own-1")
        assert proof.jkt == wrapped.jkt
        with pytest.raises(ValueError, match="http_uri"):
            await wrapped.get_auth_headers()
        with pytest.raises(ValueError, match="http_uri"):
            wrapped.wrap(TOOLS["function"])

    asyncio.run(work())
    assert wrapper(Client()).jkt is None


@pytest.mark.parametrize("mine", [False, True], ids=["its own client", "the application's"])
def test_the_client_requests_bound_tokens_if_the_headers_have_proofs(mine: bool) -> None:
    async def work() -> None:
        with endpoint.running() as server:
            answered = {"access_token": "own-1", "token_type": "DPoP", "expires_in": 900}
            server.routes["/token"] = endpoint.answer(json.dumps(answered), Content_Type="application/json")
            given = authgent.AgentAuthClient(server.url) if mine else None
            wrapped = AuthgentToolWrapper(server.url, "agnt_1", "sec_1", client=given, use_dpop=True)
            headers = await wrapped.get_auth_headers(resource=API, http_uri=API)
            assert ww.dpop.verify_proof(headers["DPoP"], method="GET", uri=API, access_token="own-1").jkt == wrapped.jkt
            for request in server.requests:
                proof = ww.dpop.verify_proof(request.headers["dpop"], method="POST", uri=f"{server.url}/token")
                assert proof.jkt == wrapped.jkt
            assert server.count() == 2

    asyncio.run(work())


def _look_up(query: str, **kwargs: Any) -> str:
    """Looks it up."""
    return f"{query} {kwargs['authgent_headers']['Authorization']}"


async def _look_up_later(query: str, **kwargs: Any) -> str:
    """Looks it up."""
    return _look_up(query, **kwargs)


class OwnTool(BaseTool):
    name: str = "own"
    description: str = "Looks it up."

    def _run(self, query: str, **kwargs: Any) -> str:
        return _look_up(query, **kwargs)


TOOLS: dict[str, BaseTool] = {
    "function": StructuredTool.from_function(_look_up, name="lookup"),
    "coroutine": StructuredTool.from_function(coroutine=_look_up_later, name="lookup"),
    "own": OwnTool(),
}


@pytest.mark.parametrize("kind", TOOLS)
def test_a_wrapped_tool_has_the_headers(kind: str) -> None:
    tool = TOOLS[kind]
    wrapped = wrapper(Client()).wrap(tool)
    assert (wrapped.name, wrapped.description) == (tool.name, tool.description)
    assert asyncio.run(wrapped.ainvoke({"query": "x"})) == "x Bearer own-1"


def test_a_tool_without_described_arguments_is_rejected() -> None:
    with pytest.raises(ValueError, match="args_schema"):
        wrapper(Client()).wrap(Tool("single", _look_up, "Looks it up."))


def test_what_happened_is_kept_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    for verbose in (False, True):
        handler = AuthgentCallbackHandler(verbose=verbose)
        with caplog.at_level(logging.INFO):
            handler.on_token_acquired("Bearer", "read")
            handler.on_token_exchanged(API, None)
            handler.on_token_revoked()
        assert [event["event"] for event in handler.events] == ["token_acquired", "token_exchanged", "token_revoked"]
        assert len(caplog.records) == (3 if verbose else 0)
