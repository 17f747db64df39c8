"""An authgent-server that is reached over plain http inside a cluster: only by the hosts that the operator lists."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import authgent_apps
import endpoint
import httpx2
import mint
import pytest
from authgent_tokens import token

import watchword.providers.authgent as authgent
from watchword.providers.authgent.adapters.mcp import MCPAuthProvider
from watchword.providers.authgent.middleware.flask import agent_auth_required
from watchword.providers.authgent.middleware.gate import AgentGate

HOSTS = ("authgent.internal",)


@pytest.fixture(name="server")
def _server(monkeypatch: pytest.MonkeyPatch) -> Iterator[endpoint.Server]:
    """The server at ``authgent.internal``."""
    real = socket.getaddrinfo

    def resolve(host: object, *arguments: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if name == "authgent.internal" else name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256")))
        yield server


@pytest.fixture(name="issuer")
def _issuer(server: endpoint.Server) -> str:
    return server.url.replace("127.0.0.1", "authgent.internal")


@pytest.fixture(name="raw")
def _raw(issuer: str) -> str:
    return token(iss=issuer, aud=issuer)


#: How a token is verified by the settings ``allow_http_hosts``; each returns the subject.
WAYS: dict[str, Callable[..., str]] = {
    "verify_token": lambda raw, issuer, **setting: (
        asyncio.run(authgent.verify_token(raw, issuer, session=authgent.Session(), **setting)).subject
    ),
    "verify_token_sync": lambda raw, issuer, **setting: (
        authgent.verify_token_sync(raw, issuer, session=authgent.Session(), **setting).subject
    ),
    "JWKSFetcher": lambda raw, issuer, **setting: (
        authgent.verify_token_sync(raw, issuer, jwks_fetcher=authgent.JWKSFetcher(issuer, **setting)).subject
    ),
    "Session": lambda raw, issuer, **setting: (
        authgent.verify_token_sync(raw, issuer, session=authgent.Session(**setting)).subject
    ),
    "MCPAuthProvider": lambda raw, issuer, **setting: (
        asyncio.run(MCPAuthProvider(issuer, session=authgent.Session(), **setting).verify(raw)).subject
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_function_has_the_setting(way: str, issuer: str, raw: str) -> None:
    assert WAYS[way](raw, issuer, allow_http_hosts=HOSTS) == "client:agnt_1"
    for setting in ({}, {"allow_http_hosts": ["other.internal"]}):
        with pytest.raises(ValueError, match="must be an https URL"):
            WAYS[way](raw, issuer, **setting)
    for hosts in ("authgent.internal", ["*.internal"], [7]):
        with pytest.raises((TypeError, ValueError), match="allow_http_hosts"):
            WAYS[way](raw, issuer, allow_http_hosts=hosts)


@pytest.mark.parametrize("framework", authgent_apps.FRAMEWORKS)
def test_the_middlewares_have_the_setting(framework: str, issuer: str, raw: str) -> None:
    make, serve = authgent_apps.FRAMEWORKS[framework]
    with serve(make(issuer, allow_http_hosts=HOSTS)) as url, httpx2.Client(base_url=url, trust_env=False) as app:
        answer = app.get("/me", headers={"Authorization": f"Bearer {raw}"})
        assert answer.json()["agent"] == "client:agnt_1"


def test_a_middleware_without_the_setting_is_not_made(issuer: str) -> None:
    def one_view(issuer: str, **options: Any) -> object:
        return agent_auth_required(issuer, **options)(dict)

    for make in (AgentGate, authgent_apps.flask_app, one_view):
        with pytest.raises(ValueError, match="must be an https URL"):
            make(issuer, public_url="https://api.example")
        assert make(issuer, public_url="https://api.example", allow_http_hosts=HOSTS)


def test_a_call_without_the_setting_does_not_get_the_keys_of_one_with_it(
    server: endpoint.Server, issuer: str, raw: str
) -> None:
    for _ in range(2):
        assert authgent.verify_token_sync(raw, issuer, allow_http_hosts=HOSTS).subject == "client:agnt_1"
        with pytest.raises(ValueError, match="must be an https URL"):
            authgent.verify_token_sync(raw, issuer)
    assert server.count() == 1


def test_an_https_issuer_has_one_fetcher_whatever_is_listed() -> None:
    session = authgent.Session()
    one = session.fetcher("https://as.example")
    assert session.fetcher("https://as.example", allow_http_hosts=HOSTS) is one
    with pytest.raises(ValueError, match="allow_http_hosts"):
        session.fetcher("https://as.example", allow_http_hosts=["*"])


def test_loopback_needs_no_setting(server: endpoint.Server) -> None:
    raw = token(iss=server.url, aud=server.url)
    assert authgent.verify_token_sync(raw, server.url, allow_http_hosts=HOSTS).subject == "client:agnt_1"
    assert authgent.verify_token_sync(raw, server.url).subject == "client:agnt_1"
