"""Tokens of authgent-server that are bound to a key of the client's, also by a server that issues no others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from live_authgent import Authgent
from live_authgent import authgent as running
from live_authgent_client import API, DOWNSTREAM, Client, credentials, rejected, session, verified

import watchword.providers.authgent as authgent
from watchword.dpop import DpopVerifier
from watchword.holder import DpopProver
from watchword.providers.authgent.adapters.langchain import AuthgentToolWrapper


@pytest.fixture(scope="module", name="strict_server")
def _strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authgent]:
    """A server that issues no token without a proof, and accepts no proof without a nonce."""
    with running(tmp_path_factory.mktemp("authgent-dpop"), REQUIRE_DPOP="true") as server:
        yield server


@pytest.fixture(name="form", params=["async", "sync"])
def _form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="issuer")
def _issuer(authgent: Authgent) -> str:
    return authgent.issuer


@pytest.fixture(name="client")
def _client(issuer: str, form: str) -> Client:
    return Client(form, issuer)


@pytest.fixture(name="agent")
def _agent(client: Client) -> Any:
    return client.register_agent(name="search-bot", scopes=["search:execute", "read"], owner="o", capabilities=["x"])


@pytest.fixture(name="down")
def _down(client: Client) -> Any:
    return client.register_agent(name="down-bot", scopes=["read"])


@pytest.mark.parametrize("make", [authgent.DPoPClient, DpopProver])
def test_tokens_are_bound(client: Client, agent: Any, down: Any, issuer: str, make: Any) -> None:
    holder, other = make(), make()
    own = client.get_token(**credentials(agent), scope="read", dpop=holder)
    assert own.token_type == "DPoP"
    assert verified(own.access_token, issuer, holder=holder).claims.cnf == {"jkt": holder.jkt}
    arguments = (own.access_token, DOWNSTREAM, ["read"])
    with pytest.raises(ValueError, match="allow_unbound"):
        client.exchange_token(*arguments, **credentials(down))
    delegated = client.exchange_token(*arguments, **credentials(down), dpop=other)
    assert verified(delegated.access_token, issuer, DOWNSTREAM, other).claims.cnf == {"jkt": other.jkt}
    plain = client.exchange_token(*arguments, **credentials(down), allow_unbound=True)
    assert plain.token_type == "Bearer"
    assert verified(plain.access_token, issuer, DOWNSTREAM).claims.cnf is None


def test_an_invalid_proof_is_reported(client: Client, agent: Any) -> None:
    class Wrong(authgent.DPoPClient):
        def create_proof(self, method: str, url: str, *rest: Any) -> str:  # type: ignore[override]
            return super().create_proof(method, f"{url}/elsewhere", *rest)

    assert rejected(client.get_token, **credentials(agent), dpop=Wrong()) == (401, "invalid_dpop_proof")


def test_a_server_that_requires_proofs_and_nonces(strict_server: Authgent, form: str) -> None:
    asked: list[httpx2.Request] = []
    hook: Any = asked.append
    if form == "async":

        async def note(request: httpx2.Request) -> None:
            asked.append(request)

        hook = note
    kind = {"async": httpx2.AsyncClient, "sync": httpx2.Client}[form]
    # One that keeps no connection for the next event loop.
    limits = httpx2.Limits(max_keepalive_connections=0)
    http_client = kind(event_hooks={"request": [hook]}, trust_env=False, limits=limits)
    client = Client(form, strict_server.issuer, http_client=http_client)
    holder = authgent.DPoPClient()
    agent = client.register_agent(name="bound", scopes=["read"])
    with pytest.raises(authgent.ServerError) as caught:
        client.get_token(**credentials(agent), scope="read")
    assert (caught.value.status_code, caught.value.error) == (400, "invalid_request")
    assert caught.value.error_description == "DPoP proof required"

    asked.clear()
    own = client.get_token(**credentials(agent), scope="read", dpop=holder)
    assert len(asked) == 2
    assert verified(own.access_token, strict_server.issuer, holder=holder).claims.cnf == {"jkt": holder.jkt}
    # The nonce is known from here on.
    delegated = client.exchange_token(own.access_token, API, ["read"], **credentials(agent), dpop=holder)
    assert len(asked) == 3
    assert verified(delegated.access_token, strict_server.issuer, API, holder).delegation_chain.depth == 1
    transaction = client.issue_transaction_token(own.access_token, API, "read", **credentials(agent), dpop=holder)
    assert transaction.token_type == "N_A"
    assert len(asked) == 4


def test_a_refresh_takes_a_nonce(strict_server: Authgent, form: str) -> None:
    """Although a refresh token may be used once only."""
    client = Client(form, strict_server.issuer)
    holder = DpopProver()
    own, granted = session(strict_server.issuer, client, holder)
    result = client.refresh_token(granted["refresh_token"], **own, dpop=holder)
    assert result.token_type == "DPoP"
    assert verified(result.access_token, strict_server.issuer, holder=holder).scopes == ["read"]
    assert client.refresh_token(result.refresh_token, **own, dpop=holder).refresh_token


def test_a_tool_of_langchains_has_a_bound_token(issuer: str) -> None:
    agent = Client("sync", issuer).register_agent(name="tool", scopes=["read"])

    async def work() -> None:
        wrapper = AuthgentToolWrapper(issuer, **credentials(agent), scope="read", use_dpop=True)
        headers = await wrapper.get_auth_headers(http_uri=API)
        own = headers["Authorization"].removeprefix("DPoP ")
        assert verify(own, headers["DPoP"], None).claims.cnf == {"jkt": wrapper.jkt}
        headers = await wrapper.get_auth_headers(resource=DOWNSTREAM, http_uri=API)
        other = headers["Authorization"].removeprefix("DPoP ")
        assert verify(other, headers["DPoP"], DOWNSTREAM).delegation_chain.depth == 1
        await wrapper.revoke()
        assert not (await authgent.AgentAuthClient(issuer).introspect_token(own))["active"]

    def verify(raw: str, proof: str, audience: str | None) -> authgent.AgentIdentity:
        return authgent.verify_token_sync(
            raw, issuer, audience, dpop_proof=proof, http_method="GET", http_uri=API, dpop=DpopVerifier()
        )

    asyncio.run(work())
