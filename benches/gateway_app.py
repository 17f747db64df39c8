"""``granian gateway_app:app``: forward authentication with PyJWT, as a service for nginx's ``auth_request``."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt

ISSUER, AUDIENCE, SCOPE = "https://as.example", "https://api.example", "orders:read"
KEYS = {key["kid"]: jwt.PyJWK(key) for key in json.loads(Path(os.environ["JWKS"]).read_bytes())["keys"]}

Message = dict[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer 200 with two identity headers, or 401."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = dict(scope["headers"])
    try:
        token = headers[b"authorization"].decode().removeprefix("Bearer ")
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=5,
            options={"require": ["exp"]},
        )
    except (KeyError, jwt.InvalidTokenError):
        claims = {}
    if SCOPE in claims.get("scope", "").split():
        status = 200
        sent = [(b"x-auth-sub", claims["sub"].encode()), (b"x-auth-scope", claims["scope"].encode())]
    else:
        status, sent = 401, [(b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *sent]})
    await send({"type": "http.response.body", "body": b""})
