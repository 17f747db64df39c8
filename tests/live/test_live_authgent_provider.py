"""Everything that authgent-server signs, verified with authgent's own names and the middlewares of both frameworks."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import authgent_apps
import httpx2
import pytest
from live_authgent import TRANSACTION_TOKEN, Agent, Authgent
from live_authgent import authgent as running
from live_verdicts import header_of

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.scope_challenge import ScopeChallengeHandler, StepUpDeniedError

API = "https://api.example"
DOWNSTREAM = "https://downstream.example"
GRANT = "urn:ietf:params:oauth:token-type:jwt"

Verify = Callable[..., authgent.AgentIdentity]


def _async(*arguments: Any, **named: Any) -> authgent.AgentIdentity:
    return asyncio.run(authgent.verify_token(*arguments, **named))


both_ways = pytest.mark.parametrize(
    "verify", [pytest.param(_async, id="async"), pytest.param(authgent.verify_token_sync, id="sync")]
)


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authgent]:
    """A server for this module alone: its keys are removed."""
    with running(tmp_path_factory.mktemp("authgent-provider")) as server:
        yield server


@pytest.fixture(scope="module", name="agent")
def _agent(server: Authgent) -> Agent:
    return server.register("search-bot", "search:execute", "read")


@pytest.fixture(name="client")
def _client() -> authgent.DPoPClient:
    return authgent.DPoPClient()


class Holder:
    """A client of authgent that requests bound tokens."""

    def __init__(self, client: authgent.DPoPClient) -> None:
        self.proof = client.create_proof


def bound_token(server: Authgent, agent: Agent, client: authgent.DPoPClient, resource: str = "") -> str:
    holder: Any = Holder(client)
    return server.token(agent, scope="search:execute read", resource=resource, holder=holder)


@pytest.fixture(scope="module", name="hops")
def _hops(server: Authgent) -> list[Agent]:
    """Those whom a token is handed on to, one after the other."""
    return [server.register(f"hop {number}", "read") for number in range(3)]


@pytest.fixture(scope="module", name="delegated")
def _delegated(server: Authgent, agent: Agent, hops: list[Agent]) -> str:
    """A token for the server itself that was handed on three times."""
    raw = server.token(agent, scope="read")
    for hop in hops:
        raw = server.exchange(hop, raw, audience=server.issuer, scope="read")
    return raw


@both_ways
def test_the_documented_call_verifies_the_documented_token(server: Authgent, agent: Agent, verify: Verify) -> None:
    identity = verify(token=server.token(agent, scope="search:execute"), issuer=server.issuer)
    assert identity.subject == f"client:{agent.client_id}"
    assert identity.scopes == ["search:execute"]
    assert identity.client_id == agent.client_id
    assert identity.audience == server.issuer
    assert repr(identity.delegation_chain) == "DelegationChain(depth=0)"
    assert identity.claims.jti is not None
    assert identity.claims.exp is not None


@both_ways
def test_a_token_for_a_resource_is_for_that_resource(server: Authgent, agent: Agent, verify: Verify) -> None:
    raw = server.token(agent, scope="read", resource=API)
    assert verify(raw, server.issuer, API).audience == API
    assert verify(raw, server.issuer, ww.ANY_AUDIENCE).audience == API
    for audience in (None, DOWNSTREAM):
        with pytest.raises(authgent.InvalidTokenError) as caught:
            verify(raw, server.issuer, audience)
        assert caught.value.code == "wrong_audience"


@both_ways
def test_a_token_tells_of_three_hops(
    server: Authgent, agent: Agent, hops: list[Agent], delegated: str, verify: Verify
) -> None:
    actors = [f"client:{hop.client_id}" for hop in reversed(hops)]
    chain = verify(delegated, server.issuer).delegation_chain
    assert [actor["sub"] for actor in chain.actors] == actors
    assert chain.depth == 3
    assert chain.subject == f"client:{agent.client_id}"
    assert authgent.verify_delegation_chain(chain, max_depth=3, allowed_actors=actors) is chain
    for requirement, code in (
        ({"max_depth": 2}, "delegation_depth_exceeded"),
        ({"allowed_actors": actors[1:]}, "unauthorized_actor"),
        ({"require_human_root": True}, "no_human_root"),
    ):
        with pytest.raises(authgent.DelegationError) as caught:
            authgent.verify_delegation_chain(chain, **requirement)  # type: ignore[arg-type]  # one of several
        assert caught.value.error_code == code


@both_ways
def test_a_bound_token_needs_its_holder(
    server: Authgent, agent: Agent, verify: Verify, client: authgent.DPoPClient
) -> None:
    raw = bound_token(server, agent, client)
    request = {"http_method": "POST", "http_uri": f"{API}/data"}
    with pytest.raises(authgent.InvalidTokenError) as caught:
        verify(raw, server.issuer)
    assert caught.value.code == "dpop_proof_required"
    proof = client.create_proof("POST", f"{API}/data", raw)
    identity = verify(raw, server.issuer, dpop_proof=proof, **request)
    assert identity.claims.cnf == {"jkt": client.jkt}
    with pytest.raises(authgent.DPoPError):
        verify(raw, server.issuer, dpop_proof=proof, **request)
    for arguments in (
        {"proof_jwt": client.create_proof("POST", f"{API}/data", raw), "access_token": raw},
        {"token": identity, "dpop_proof": client.create_proof("POST", f"{API}/data", raw)},
    ):
        assert authgent.verify_dpop_proof(**arguments, **request)["jkt"] == client.jkt


@pytest.fixture(scope="module", name="others")
def _others(server: Authgent, agent: Agent, delegated: str) -> dict[str, str]:
    """What the server signs that is no access token; there are receipts once a token was handed on."""
    raw = server.token(agent, scope="read")
    with contextlib.closing(sqlite3.connect(next(server.folder.glob("*.db")))) as database:
        ((receipt,), *_) = database.execute("SELECT receipt_jwt FROM delegation_receipts").fetchall()
    return {
        "transaction token": server.exchange(
            agent, raw, audience=server.issuer, scope="read", requested=TRANSACTION_TOKEN
        ),
        "chaining grant": server.exchange(agent, raw, audience=DOWNSTREAM, scope="read", requested=GRANT),
        "delegation receipt": receipt,
    }


@both_ways
def test_what_else_the_server_signs_is_no_access_token(
    server: Authgent, others: dict[str, str], verify: Verify
) -> None:
    for kind, raw in others.items():
        for audience in (None, DOWNSTREAM, ww.ANY_AUDIENCE):
            with pytest.raises(authgent.InvalidTokenError) as caught:
                verify(raw, server.issuer, audience)
            assert audience is None or caught.value.code in ("wrong_type", "missing_claim"), kind


@pytest.mark.parametrize("framework", authgent_apps.FRAMEWORKS)
def test_many_requests_at_once_on_a_cold_cache(
    server: Authgent, agent: Agent, delegated: str, others: dict[str, str], framework: str
) -> None:
    make, serve = authgent_apps.FRAMEWORKS[framework]
    fetcher = authgent.JWKSFetcher(server.issuer)
    client = authgent.DPoPClient()
    good = server.token(agent, scope="search:execute read")
    bound = bound_token(server, agent, client)
    search = f"{authgent_apps.PUBLIC}/tools/search"
    bad = [*others.values(), server.token(agent, resource=API), bound, good[:-4] + "AAAA", "garbage"]
    with (
        serve(make(server.issuer, jwks_fetcher=fetcher)) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as app,
    ):
        requests = [
            *((200, {"Authorization": f"Bearer {good}"}) for _ in range(8)),
            *((200, client.create_proof_headers(bound, "POST", search)) for _ in range(8)),
            *((403, {"Authorization": f"Bearer {delegated}"}) for _ in range(4)),
            *((401, {"Authorization": f"Bearer {bad[number % len(bad)]}"}) for number in range(10)),
            *((401, {}) for _ in range(2)),
        ]
        assert len(requests) == 32
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda one: app.post("/tools/search", headers=one[1]).status_code, requests))
        assert answers == [status for status, _ in requests]


def test_a_human_being_is_asked_for_a_scope(server: Authgent, agent: Agent) -> None:
    """The server of this test approves immediately, in place of a human being."""
    challenge = httpx2.Response(
        403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="data:pii:read"'}
    )

    async def ask(decision: str) -> Any:
        async def decide(response: httpx2.Response) -> None:
            if response.request.method == "POST":
                await response.aread()
                url = f"{server.issuer}/stepup/{response.json()['id']}/{decision}"
                async with httpx2.AsyncClient(trust_env=False) as human:
                    (await human.post(url, json={"approved_by": "user:ada"})).raise_for_status()

        async with httpx2.AsyncClient(trust_env=False, event_hooks={"response": [decide]}) as client:
            handler = ScopeChallengeHandler(
                server.issuer, client_id=agent.client_id, client_secret="unused", poll_interval=0.05, client=client
            )
            return await handler.handle_scope_challenge(challenge, action="access_pii", scope="data:pii:read")

    assert asyncio.run(ask("approve")).status == "approved"
    with pytest.raises(StepUpDeniedError):
        asyncio.run(ask("deny"))


def test_a_new_key_is_found_and_a_revoked_one_forgotten(server: Authgent, agent: Agent) -> None:
    fetcher = authgent.JWKSFetcher(server.issuer, cache_settings=ww.jwks.CacheSettings(cooldown=0))

    def verify(raw: str) -> str:
        return authgent.verify_token_sync(raw, server.issuer, jwks_fetcher=fetcher).subject

    before = server.token(agent, scope="read")
    verify(before)
    server.rotate_keys()
    after = server.token(agent, scope="read")
    assert header_of(before)["kid"] != header_of(after)["kid"]
    assert verify(before) == verify(after)

    # authgent-server itself never withdraws a key: its operator does.
    with contextlib.closing(sqlite3.connect(next(server.folder.glob("*.db")), timeout=30)) as database, database:
        database.execute("UPDATE signing_keys SET status = 'revoked' WHERE kid = ?", (header_of(before)["kid"],))
    assert verify(before)  # until the next refresh, within five minutes
    asyncio.run(fetcher.refresh())
    with pytest.raises(authgent.InvalidTokenError) as caught:
        verify(before)
    assert caught.value.code == "unknown_key"
    assert verify(after)
