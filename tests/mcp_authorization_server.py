"""An authorization server for clients of MCP: metadata, registration, the code flow, tokens for a resource, DPoP.

And the SDK's own client of such servers.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from watchword.dpop import verify_proof
from watchword.testing import LocalIssuer

REDIRECT = "http://127.0.0.1:1/callback"


class AuthorizationServer:
    """Grants whatever it is asked for; ``authorized`` has the parameters of the authorization requests."""

    def __init__(self, origin: str) -> None:
        self.issuer = LocalIssuer(origin)
        self.authorized: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/.well-known/oauth-authorization-server", self._metadata),
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/register", self._register, methods=["POST"]),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )
        self._codes: dict[str, dict[str, str]] = {}

    async def _metadata(self, _: Request) -> JSONResponse:
        origin = self.issuer.issuer
        endpoints = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "registration_endpoint": "register",
            "jwks_uri": "jwks",
        }
        return JSONResponse(
            {
                "issuer": origin,
                **{name: f"{origin}/{path}" for name, path in endpoints.items()},
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )

    async def _jwks(self, _: Request) -> JSONResponse:
        return JSONResponse(self.issuer.jwks())

    async def _register(self, request: Request) -> JSONResponse:
        return JSONResponse({**await request.json(), "client_id": "agent-1"}, status_code=201)

    async def _authorize(self, request: Request) -> RedirectResponse:
        code = secrets.token_urlsafe(8)
        asked = dict(request.query_params)
        self.authorized.append(asked)
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def _token(self, request: Request) -> JSONResponse:
        form = await request.form()
        asked = self._codes.pop(str(form["code"]))
        proof = request.headers.get("dpop")
        if proof is None:
            return JSONResponse(self.grant(str(form["resource"]), asked["scope"]))
        verified = verify_proof(proof, method="POST", uri=f"{self.issuer.issuer}/token")
        bound = self.grant(str(form["resource"]), asked["scope"], cnf={"jkt": verified.jkt})
        return JSONResponse({**bound, "token_type": "DPoP"})

    def grant(self, resource: str, scope: str, **claims: Any) -> dict[str, Any]:
        """A response of the token endpoint (RFC 6749 section 5.1)."""
        token = self.issuer.mint(sub="alice", aud=resource, client_id="agent-1", scope=scope, **claims)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": scope}


class _Storage:
    """The client's tokens, in memory."""

    def __init__(self, tokens: OAuthToken | None) -> None:
        self.tokens = tokens
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def oauth_client(resource: str, stored: dict[str, Any] | None = None) -> OAuthClientProvider:
    """The MCP SDK's OAuth client, with a user who agrees to everything; ``stored`` is a token response from before."""
    tokens = None if stored is None else OAuthToken.model_validate(stored)
    answers: list[dict[str, Any]] = []

    async def redirect(url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as browser:
            answer = await browser.get(url, follow_redirects=False)
        answers.append(parse_qs(urlsplit(answer.headers["Location"]).query))

    async def callback() -> AuthorizationCodeResult:
        answer = answers.pop()
        return AuthorizationCodeResult(code=answer["code"][0], state=answer["state"][0])

    metadata = OAuthClientMetadata(client_name="test", redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    return OAuthClientProvider(resource, metadata, _Storage(tokens), redirect, callback)


__all__ = ["AuthorizationServer", "oauth_client"]
