"""An MCP server for the tests, and clients of the MCP SDK with bearer and DPoP tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token

from watchword.holder import DpopProver
from watchword.integrations.mcp import current_decision, current_token


class Bearer(httpx2.Auth):
    """Sends a bearer token (RFC 6750 section 2.1). ``token`` may be replaced between requests."""

    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class Dpop(httpx2.Auth):
    """Sends a token with a new proof for each request (RFC 9449 section 7.1)."""

    def __init__(self, token: str, prover: DpopProver) -> None:
        self.token = token
        self._prover = prover

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"DPoP {self.token}"
        request.headers["DPoP"] = self._prover.proof(request.method, str(request.url), self.token)
        yield request


def mcp_server(**settings: Any) -> MCPServer:
    """A server with one tool, which says who calls it."""
    server = MCPServer("orders", **settings)

    @server.tool()
    def whoami() -> dict[str, Any]:
        """The caller, as the MCP SDK and as Watchword know it."""
        known, token = get_access_token(), current_token()
        assert known is not None
        assert token is not None
        return {
            "client_id": known.client_id,
            "scopes": known.scopes,
            "resource": known.resource,
            "subject": token.subject,
            "actors": [actor.subject for actor in token.delegation.actors],
            "token": known.token,
            "scheme": current_decision().scheme,
            "shown": repr(known),
        }

    return server


@asynccontextmanager
async def session(url: str, auth: httpx2.Auth) -> AsyncIterator[ClientSession]:
    """An initialised session of the MCP SDK's client."""
    async with (
        httpx2.AsyncClient(auth=auth, timeout=60, trust_env=False) as client,
        streamable_http_client(url, http_client=client) as streams,
        ClientSession(streams[0], streams[1]) as opened,
    ):
        await opened.initialize()
        yield opened


async def whoami(opened: ClientSession) -> dict[str, Any]:
    """What the server's tool says of the caller."""
    result = await opened.call_tool("whoami", {})
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def post(url: str, auth: httpx2.Auth | None, message: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
    """The response to one message."""
    with httpx2.Client(auth=auth, timeout=60, trust_env=False) as client:
        return client.post(url, headers={**ACCEPT, **headers}, json=message or INITIALIZE)


__all__ = ["Bearer", "Dpop", "mcp_server", "post", "session", "whoami"]
