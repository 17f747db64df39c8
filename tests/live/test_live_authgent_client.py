"""Every call of authgent's client against authgent-server, of which two have a chain between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from live_authgent import Authgent, chained
from live_authgent import authgent as running
from live_authgent_client import API, DOWNSTREAM, Client, credentials, rejected, session, verified
from live_verdicts import header_of

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.client import CallSettings
from watchword.holder import DpopProver

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module", name="servers")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authgent, Authgent]]:
    with chained(tmp_path_factory.mktemp("authgent-chain")) as servers:
        yield servers


@pytest.fixture(name="form", params=["async", "sync"])
def _form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="issuer")
def _issuer(servers: tuple[Authgent, Authgent]) -> str:
    return servers[0].issuer


@pytest.fixture(name="client")
def _client(issuer: str, form: str) -> Client:
    return Client(form, issuer)


@pytest.fixture(name="agent")
def _agent(client: Client) -> Any:
    return client.register_agent(name="search-bot", scopes=["search:execute", "read"], owner="o", capabilities=["x"])


@pytest.fixture(name="down")
def _down(client: Client) -> Any:
    return client.register_agent(name="down-bot", scopes=["read"])


# Agents and their tokens.


def test_an_agent_is_registered(client: Client, agent: Any) -> None:
    assert agent.client_id.startswith("agnt_")
    assert agent.client_secret.startswith("sec_")
    assert agent.name == "search-bot"
    assert (agent.raw["status"], agent.raw["owner"]) == ("active", "o")
    assert agent.raw["allowed_scopes"] == ["search:execute", "read"]
    name = "never-shown" * 50
    with pytest.raises(authgent.ServerError) as caught:
        client.register_agent(name=name)
    assert caught.value.status_code == 422
    assert str(caught.value.error_description).startswith("body.name: ")
    assert "never-shown" not in f"{caught.value.error_description}{caught.value}"


def test_a_token_by_client_credentials(client: Client, agent: Any, issuer: str) -> None:
    result = client.get_token(**credentials(agent), scope="search:execute")
    assert (result.token_type, result.expires_in, result.scope) == ("Bearer", 900, "search:execute")
    assert (result.refresh_token, result.issued_token_type) == (None, None)
    assert verified(result.access_token, issuer).subject == f"client:{agent.client_id}"
    result = client.get_token(**credentials(agent), scope="read", resource=API)
    assert verified(result.access_token, issuer, API).audience == API

    wrong = {**credentials(agent), "client_secret": "sec_wrong"}
    assert rejected(client.get_token, **wrong) == (401, "invalid_client")
    assert rejected(client.get_token, **credentials(agent), scope="admin") == (403, "insufficient_scope")
    httpx2.delete(f"{issuer}/agents/{agent.id}", trust_env=False, timeout=30).raise_for_status()
    with pytest.raises(authgent.ServerError) as caught:
        client.get_token(**credentials(agent))
    assert (caught.value.status_code, caught.value.error) == (401, "invalid_client")
    assert caught.value.request_id
    assert agent.client_secret not in str(caught.value)


def test_a_token_is_exchanged(client: Client, agent: Any, down: Any, issuer: str) -> None:
    own = client.get_token(**credentials(agent), scope="read").access_token
    result = client.exchange_token(own, DOWNSTREAM, ["read"], **credentials(down))
    assert (result.token_type, result.expires_in) == ("Bearer", 300)
    assert result.issued_token_type == "urn:ietf:params:oauth:token-type:access_token"
    identity = verified(result.access_token, issuer, DOWNSTREAM)
    assert identity.subject == f"client:{agent.client_id}"
    assert identity.delegation_chain.actors == [{"sub": f"client:{down.client_id}"}]
    with pytest.raises(authgent.InvalidTokenError):
        verified(result.access_token, issuer)

    exchange = client.exchange_token
    assert rejected(exchange, own, DOWNSTREAM, ["read"]) == (401, "invalid_client")
    assert rejected(exchange, "x.y.z", DOWNSTREAM, ["read"], **credentials(down)) == (400, "invalid_grant")
    assert rejected(exchange, own, DOWNSTREAM, ["admin"], **credentials(down)) == (403, "insufficient_scope")
    hop = own
    for _ in range(5):
        hop = exchange(hop, DOWNSTREAM, ["read"], **credentials(down)).access_token
    assert verified(hop, issuer, DOWNSTREAM).delegation_chain.depth == 5
    assert rejected(exchange, hop, DOWNSTREAM, ["read"], **credentials(down)) == (403, "delegation_depth_exceeded")
    client.revoke_token(own, **credentials(agent))
    assert rejected(exchange, own, DOWNSTREAM, ["read"], **credentials(down)) == (401, "token_revoked")


def test_an_exchange_is_checked_first(client: Client, agent: Any, down: Any) -> None:
    own = client.get_token(**credentials(agent), scope="read").access_token
    found = client.check_exchange(own, DOWNSTREAM, down.client_id, "read")
    assert found["allowed"] is True
    assert found["effective_scopes"] == ["read"]
    assert (found["delegation_depth"], found["max_delegation_depth"]) == (0, 5)
    for token, scope in ((own, "admin"), ("x", "read")):
        denied = client.check_exchange(token, DOWNSTREAM, down.client_id, scope)
        assert denied["allowed"] is False
        assert denied["reasons"]


def test_a_token_is_introspected_and_revoked(client: Client, agent: Any, down: Any) -> None:
    own = client.get_token(**credentials(agent), scope="read").access_token
    child = client.exchange_token(own, DOWNSTREAM, ["read"], **credentials(down)).access_token
    info = client.introspect_token(child)
    assert info["active"] is True
    assert info["act"] == {"sub": f"client:{down.client_id}"}
    assert client.introspect_token("garbage", **credentials(agent))["active"] is False

    # Another client's token stays active, whatever the answer.
    assert client.revoke_token(own, **credentials(down)) is None
    assert client.introspect_token(own)["active"] is True
    assert rejected(client.revoke_token, own, agent.client_id, "sec_wrong") == (401, "invalid_client")
    with pytest.raises(TypeError, match="client_id and client_secret"):
        client.revoke_token(own)
    client.revoke_token(own, **credentials(agent))
    assert client.introspect_token(own)["active"] is False
    assert client.introspect_token(child)["active"] is True


# Refresh.


def test_a_session_is_refreshed(client: Client, form: str, issuer: str) -> None:
    own, granted = session(issuer, client)
    first = client.refresh_token(granted["refresh_token"], **own)
    assert (first.token_type, first.expires_in) == ("Bearer", 900)
    assert verified(first.access_token, issuer).scopes == ["read"]
    assert first.refresh_token not in (None, granted["refresh_token"])
    # Whoever still has the old one a moment later gets the same, and does not end the session.
    assert client.refresh_token(granted["refresh_token"], **own) == first
    second = client.refresh_token(first.refresh_token, **own)
    bound = client.refresh_token(second.refresh_token, **own, dpop=DpopProver())
    assert bound.token_type == "DPoP"

    # Another client of ours does not know of it: the server takes it for a theft.
    thief = Client(form, issuer)
    assert rejected(thief.refresh_token, first.refresh_token, **own) == (400, "invalid_grant")
    assert rejected(thief.refresh_token, bound.refresh_token, **own) == (400, "invalid_grant")


def test_concurrent_refreshes_are_one(issuer: str) -> None:
    own, granted = session(issuer, Client("sync", issuer))

    async def work() -> None:
        client = authgent.AgentAuthClient(issuer)
        cancelled = asyncio.ensure_future(client.refresh_token(granted["refresh_token"], **own))
        await asyncio.sleep(0)
        cancelled.cancel()
        results = await asyncio.gather(*(client.refresh_token(granted["refresh_token"], **own) for _ in range(8)))
        assert len({one.refresh_token for one in results}) == 1
        assert (await client.refresh_token(str(results[0].refresh_token), **own)).refresh_token

    asyncio.run(work())


# Chains and transactions.


def test_an_identity_is_chained(servers: tuple[Authgent, Authgent], client: Client, form: str, agent: Any) -> None:
    here, there = (server.issuer for server in servers)
    own = client.get_token(**credentials(agent), scope="read").access_token

    def grant() -> str:
        found = client.start_identity_chain(own, there, **credentials(agent), scopes=["read"])
        assert (found.token_type, found.expires_in) == ("N_A", 60)
        assert found.issued_token_type == "urn:ietf:params:oauth:token-type:jwt"
        return str(found.access_token)

    first = grant()
    with pytest.raises(authgent.InvalidTokenError):
        verified(first, here, there)
    elsewhere = ("https://else.example", agent.client_id, agent.client_secret)
    assert rejected(client.start_identity_chain, own, *elsewhere) == (403, "access_denied")

    other = Client(form, there)
    plain = other.register_agent(name="b", scopes=["read"])
    assert rejected(other.consume_identity_chain, first, **credentials(plain)) == (400, "invalid_request")
    chain = other.register_client("b", [JWT_BEARER], ["read"])
    assert chain.grant_types == [JWT_BEARER]
    result = other.consume_identity_chain(first, **credentials(chain), resource=API, scopes=["read"])
    assert (result.token_type, result.expires_in) == ("Bearer", 900)
    identity = verified(result.access_token, there, API)
    assert identity.claims.get("chained_from") == here
    assert identity.subject == f"client:{agent.client_id}"
    assert rejected(other.consume_identity_chain, first, **credentials(chain)) == (400, "invalid_grant")

    holder = DpopProver()
    bound = other.consume_identity_chain(grant(), **credentials(chain), scopes=["read"], dpop=holder)
    assert verified(bound.access_token, there, holder=holder).claims.cnf == {"jkt": holder.jkt}


def test_a_transaction_token(client: Client, agent: Any, down: Any, issuer: str) -> None:
    own = client.get_token(**credentials(agent), scope="read").access_token
    result = client.issue_transaction_token(
        own, API, "read", **credentials(down), request_details={"amount": 5}, request_context={"req_ip": "192.0.2.1"}
    )
    assert (result.token_type, result.expires_in) == ("N_A", 120)
    assert result.issued_token_type == "urn:ietf:params:oauth:token-type:txn_token"
    assert header_of(result.access_token)["typ"] == "txntoken+jwt"
    issuers = [ww.Issuer(issuer, allow_loopback_http=True)]
    claims = ww.Verifier(issuers, audience=API, types=("txntoken+jwt",)).verify(result.access_token).claims
    assert claims["tctx"] == {"amount": 5}
    assert claims["rctx"]["req_ip"] == "192.0.2.1"
    with pytest.raises(authgent.InvalidTokenError):
        verified(result.access_token, issuer, API)
    assert rejected(client.issue_transaction_token, own, API, "admin", **credentials(down)) == (
        403,
        "insufficient_scope",
    )


# A human decides.


@pytest.mark.parametrize(("decision", "status"), [("approve", "approved"), ("deny", "denied")])
def test_a_step_up(client: Client, agent: Any, issuer: str, decision: str, status: str) -> None:
    asked = client.request_stepup(
        agent_id=agent.client_id,
        action="access_pii",
        scope="data:pii:read",
        resource=API,
        delegation_chain=authgent.DelegationChain([{"sub": "client:a"}]),
        metadata={"why": "audit"},
    )
    assert (asked["agent_id"], asked["action"], asked["status"]) == (agent.client_id, "access_pii", "pending")
    assert client.check_stepup(asked["id"])["status"] == "pending"
    human = httpx2.post(
        f"{issuer}/stepup/{asked['id']}/{decision}", json={"approved_by": "user:ada"}, trust_env=False, timeout=30
    )
    human.raise_for_status()
    assert client.check_stepup(asked["id"])["status"] == status


def test_a_step_up_for_a_token(client: Client, agent: Any) -> None:
    own = client.get_token(**credentials(agent), scope="read").access_token
    assert client.request_stepup_for_token(own, "act", "data:pii:read", API)["agent_id"] == agent.client_id
    for unknown in ("nope", "../agents", "a?b"):
        status, code = rejected(client.check_stepup, unknown)
        assert (status, code) in {(400, "invalid_request"), (404, None)}, unknown
    assert rejected(client.request_stepup, "a", "x" * 256, "s")[0] == 422


# Limits.


def test_a_rate_limit(tmp_path: Any) -> None:
    with running(tmp_path, TOKEN_RATE_LIMIT="1") as server:
        for form in ("async", "sync"):
            client = Client(form, server.issuer, call_settings=CallSettings(max_retries=0))
            for _ in range(2):
                with pytest.raises(authgent.ServerError) as caught:
                    client.get_token("agnt_1", "sec_1")
            assert caught.value.status_code == 429
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after <= 61
            # Introspection has no limit.
            assert client.introspect_token("t")["active"] is False


def test_nobody_is_there(form: str) -> None:
    with pytest.raises(authgent.ServerError) as caught:
        Client(form, "http://127.0.0.1:1").get_token("a", "b")
    assert caught.value.status_code is None
