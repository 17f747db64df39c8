"""One Starlette application for uvicorn: alone, behind our gate, and behind the middlewares that it is compared with.

GATE_BENCH='{"jwks": ..., "issuer": ...}' uvicorn gate_apps:none
"""

from __future__ import annotations

import json
import os
from typing import Any

from samples import AUDIENCE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SCOPE = "orders:read"
PATH = "/orders/1"


def _settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(os.environ["GATE_BENCH"])
    return found


async def _order(request: Request) -> JSONResponse:
    return JSONResponse({"id": request.path_params["id"]})


def none() -> Any:
    return Starlette(routes=[Route("/orders/{id}", _order)])


def gate(**verifier: Any) -> Any:
    """A gate with one route, whose keys are in memory."""
    import watchword
    from watchword.gate import Gate
    from watchword.gate import Route as GateRoute

    settings = _settings()
    keys = watchword.KeySet.from_json(settings["jwks"])
    keys.prepare()
    issuer = watchword.Issuer(settings["issuer"], jwks=keys)
    found = watchword.Verifier([issuer], audience=AUDIENCE, **verifier)
    return Gate(found, [GateRoute("/orders/{id}", scopes=(SCOPE,))], public_url=AUDIENCE)


def watchword_cached() -> Any:
    import watchword
    from watchword.integrations.asgi import GateMiddleware

    return GateMiddleware(none(), gate(token_cache=watchword.TokenCache(max_bytes=64 << 20)))


def watchword_each() -> Any:
    """Without a token cache: each token is verified."""
    from watchword.integrations.asgi import GateMiddleware

    return GateMiddleware(none(), gate())


class _PyJWT:
    """A middleware as PyJWT's documentation suggests it: signature, issuer, audience, expiry, one scope."""

    def __init__(self, app: Any) -> None:
        import jwt

        settings = _settings()
        self._app, self._jwt, self._issuer = app, jwt, settings["issuer"]
        self._keys = {key["kid"]: jwt.PyJWK.from_dict(key) for key in settings["jwks"]["keys"]}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, claims = self._claims(dict(scope["headers"]).get(b"authorization", b""))
        if claims is None:
            await JSONResponse({}, status)(scope, receive, send)
            return
        scope.setdefault("state", {})["claims"] = claims
        await self._app(scope, receive, send)

    def _claims(self, authorization: bytes) -> tuple[int, Any]:
        token = authorization.decode("latin-1").removeprefix("Bearer ")
        jwt = self._jwt
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=5,
                options={"require": ["exp"]},
            )
        except (KeyError, jwt.PyJWTError):
            return 401, None
        return (200, claims) if SCOPE in claims.get("scope", "").split() else (403, None)


def pyjwt() -> Any:
    return _PyJWT(none())


def authgent() -> Any:
    """authgent's own middleware, and its decorator: the middleware alone lets invalid tokens through."""
    from authgent.middleware.fastapi import AgentAuthMiddleware, require_agent_auth

    app = Starlette(routes=[Route("/orders/{id}", require_agent_auth(scopes=[SCOPE])(_order))])
    return AgentAuthMiddleware(app, issuer=_settings()["issuer"], audience=AUDIENCE)
