"""authgent's client, in both forms, against authgent-server: what its tests share."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from live_authgent import ATTEMPTS

import watchword.providers.authgent as authgent
from watchword.dpop import DpopVerifier
from watchword.holder import DpopProver

API = "https://api.example"
DOWNSTREAM = "https://downstream.example"
ELSEWHERE = "http://127.0.0.1:9/callback"


class Client:
    """Our client in one of its forms; its calls return results, and are made again if SQLite fails the server."""

    def __init__(self, form: str, url: str, **options: Any) -> None:
        self.form = form
        kind = {"async": authgent.AgentAuthClient, "sync": authgent.AgentAuthClientSync}[form]
        self._client: Any = kind(url, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    result = getattr(self._client, name)(*arguments, **named)
                    return asyncio.run(result) if self.form == "async" else result
                except authgent.ServerError as error:
                    if error.status_code != 500 or attempt == ATTEMPTS:
                        raise
            raise AssertionError

        return call


def credentials(agent: Any) -> dict[str, str]:
    return {"client_id": agent.client_id, "client_secret": agent.client_secret}


def rejected(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int | None, str | None]:
    with pytest.raises(authgent.ServerError) as caught:
        call(*arguments, **named)
    return caught.value.status_code, caught.value.error


def verified(raw: str, issuer: str, audience: str | None = None, holder: Any = None) -> authgent.AgentIdentity:
    """Verify a token, with a proof of its holder's if it is bound."""
    request = {}
    if holder is not None:
        make = holder.proof if isinstance(holder, DpopProver) else holder.create_proof
        request = {"dpop_proof": make("GET", API, raw), "http_method": "GET", "http_uri": API}
    return authgent.verify_token_sync(raw, issuer, audience, dpop=DpopVerifier(), **request)


def session(issuer: str, client: Client, holder: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
    """Log in by authorization code with PKCE. Returns the client's credentials, and the token endpoint's answer."""
    web = client.register_client("web", ["authorization_code", "refresh_token"], ["read"], [ELSEWHERE])
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with httpx2.Client(base_url=issuer, trust_env=False, timeout=30) as browser:
        asked = browser.get(
            "/authorize",
            params={
                "response_type": "code",
                "client_id": web.client_id,
                "redirect_uri": ELSEWHERE,
                "scope": "read",
                "state": "s",
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            },
        )
        code = parse_qs(urlsplit(asked.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": ELSEWHERE, "code_verifier": verifier}
        headers: dict[str, str] = {}
        nonce = None
        for _ in range(2):
            if holder is not None:
                headers = {"DPoP": holder.proof("POST", f"{issuer}/token", nonce=nonce)}
            answer = browser.post("/token", data=form | credentials(web), headers=headers)
            nonce = answer.headers.get("dpop-nonce")
            if answer.status_code == 200:
                break
        answer.raise_for_status()
        return credentials(web), answer.json()
