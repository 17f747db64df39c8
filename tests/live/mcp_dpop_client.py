"""A client of MCP servers with DPoP (RFC 9449): ``python mcp_dpop_client.py URL``. The conformance suite runs it.

It finds the authorization server (RFC 9728, RFC 8414), registers, gets a bound token by the authorization code flow,
and calls the server's first tool. The user agrees to everything.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
import sys
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from watchword.holder import DpopProver

REDIRECT = "http://127.0.0.1:1/callback"


class DpopAuth(httpx2.Auth):
    """Signs each request, and once more if the server requires a nonce (RFC 9449 sections 8 and 9)."""

    def __init__(self, prover: DpopProver, token: str | None = None) -> None:
        self._prover = prover
        self._token = token
        self._nonce: str | None = None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        response = yield self._signed(request)
        nonce = response.headers.get("DPoP-Nonce")
        if nonce is not None:
            self._nonce = nonce
            if response.status_code in (400, 401):
                yield self._signed(request)

    def _signed(self, request: httpx2.Request) -> httpx2.Request:
        if self._token is not None:
            request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = self._prover.proof(request.method, str(request.url), self._token, self._nonce)
        return request


def token(client: httpx2.Client, url: str, prover: DpopProver) -> str:
    """A token for the server at ``url``, bound to the prover's key."""
    challenge = client.post(url, json={}).headers["WWW-Authenticate"]
    resource = client.get(_parameter(challenge, "resource_metadata")).json()
    server = client.get(_metadata_url(resource["authorization_servers"][0])).json()
    registered = client.post(
        server["registration_endpoint"],
        json={"client_name": "test", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"},
    ).json()
    verifier = secrets.token_urlsafe(32)
    asked = {
        "response_type": "code",
        "client_id": registered["client_id"],
        "redirect_uri": REDIRECT,
        "state": secrets.token_urlsafe(8),
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "resource": resource["resource"],
        "dpop_jkt": prover.jkt,
        **({"scope": scope} if (scope := _parameter(challenge, "scope")) else {}),
    }
    redirected = client.get(server["authorization_endpoint"], params=asked).headers["Location"]
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(redirected).query)["code"][0],
        "redirect_uri": REDIRECT,
        "client_id": registered["client_id"],
        "code_verifier": verifier,
        "resource": resource["resource"],
    }
    granted = client.post(server["token_endpoint"], data=form, auth=DpopAuth(prover)).raise_for_status().json()
    assert granted["token_type"] == "DPoP", granted["token_type"]
    return str(granted["access_token"])


async def call_first_tool(url: str, auth: httpx2.Auth) -> Any:
    """The result of the server's first tool."""
    async with (
        httpx2.AsyncClient(auth=auth, timeout=60, trust_env=False) as client,
        streamable_http_client(url, http_client=client) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        return await session.call_tool(tools[0].name, {})


def main(url: str) -> Any:
    """Get a token and call the tool."""
    prover = DpopProver()
    with httpx2.Client(timeout=60, trust_env=False) as client:
        return asyncio.run(call_first_tool(url, DpopAuth(prover, token(client, url, prover))))


def _parameter(challenge: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', challenge)
    return found[1] if found else ""


def _metadata_url(issuer: str) -> str:
    """RFC 8414 section 3.1."""
    scheme, host, path, *_ = urlsplit(issuer)
    return f"{scheme}://{host}/.well-known/oauth-authorization-server{path.rstrip('/')}"


if __name__ == "__main__":
    print(main(sys.argv[1]))
