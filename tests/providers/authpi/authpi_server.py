"""An issuer on loopback that answers as programmed, and both clients of it behind one interface."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from authpi_tokens import CLIENT, ORGANIZATIONS
from endpoint import Behaviour, Server, answer
from shaped_issuer import ShapedIssuer

from watchword.client import CallSettings
from watchword.providers.authpi import IdpClient, IdpClientSync, TokenSet

SECRET = "client-secret-0123456789"
REDIRECT_URI = "https://app.example/callback"
NONCE = "nonce-of-the-login"
FORMS = ("thread", "task")

#: Secrets that must be in no message.
ACCESS = "access-token-0123456789"
REFRESH = "refresh-token-0123456789"
CODE = "code-0123456789"
VERIFIER = "v" * 43


def json_answer(members: object, status: int = 200, **headers: Any) -> Behaviour:
    return answer(json.dumps(members), status, Content_Type="application/json", Cache_Control="no-store", **headers)


class Idp:
    """A server, its keys, and what its clients are told."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.issuing = ShapedIssuer(self._claims, issuer=server.url, audience=CLIENT, algorithms=("EdDSA",))
        self.server.routes["/userinfo"] = json_answer({"sub": "usr_1", "email": "ada@example.com"})
        self.server.routes["/revoke"] = answer()
        self.answers()

    @staticmethod
    def _claims(claims: dict[str, Any]) -> dict[str, Any]:
        kept = {name: claims[name] for name in ("iss", "aud", "iat", "exp") if name in claims}
        return {**kept, "sub": "usr_1", "email": "ada@example.com", "nonce": NONCE, "organizations": ORGANIZATIONS}

    def answers(self, id_token: str | None = "", **changes: Any) -> None:
        """Program the token endpoint: a good answer, with ``changes``; a member that is ``None`` is left out."""
        members = {
            "access_token": "new-access-token",
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "new-refresh-token",
            "id_token": self.issuing.mint() if id_token == "" else id_token,
            "scope": "openid email",
            **changes,
        }
        self.server.routes["/token"] = json_answer({k: v for k, v in members.items() if v is not None})

    def refuses(self, path: str, code: str, status: int = 400, **more: Any) -> None:
        self.server.routes[path] = json_answer({"error": code, **more}, status)

    def stored(self, **changes: Any) -> TokenSet:
        """A session's tokens. They end in 10 seconds."""
        members = {
            "access_token": ACCESS,
            "expires_at": int(time.time()) + 10,
            "refresh_token": REFRESH,
            "id_token": self.issuing.mint(),
            "scope": "openid",
            **changes,
        }
        return TokenSet(**members)

    def forms(self, path: str = "/token") -> list[dict[str, str]]:
        """The forms that were sent."""
        return [dict(parse_qsl(one.body.decode())) for one in self.server.requests if one.path == path]

    def client(self, form: str, **options: Any) -> Any:
        kind = IdpClientSync if form == "thread" else IdpClient
        settings = CallSettings(timeout=20, first_delay=0.0)
        given = {
            "client_secret": SECRET,
            "redirect_uri": REDIRECT_URI,
            "jwks": self.issuing.jwks(),
            "call_settings": settings,
            **options,
        }
        return kind(self.server.url, CLIENT, **given)

    def call(self, form: str, call: Callable[[Any], Any], **options: Any) -> Any:
        """Call a client once, in a thread or in a task."""
        if form == "thread":
            with self.client(form, **options) as client:
                return call(client)

        async def in_task() -> Any:
            async with self.client(form, **options) as client:
                return await call(client)

        return asyncio.run(in_task())
