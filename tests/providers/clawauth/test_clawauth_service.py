"""Agents' tokens verified by a service, with every documented call."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endpoint
import httpx
import httpx2
import pytest
from clawauth_issuer import AGENT, BASE_URL, SERVICE, Claws
from endpoint import Hang, answer

import watchword as ww
from watchword.jwks import CacheSettings, HttpxFetcher
from watchword.providers.clawauth import ClaimNames, ClawAuth
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.types import Agent, VerifyTokenResponse

CLAWS = Claws()


@pytest.fixture
def server() -> Iterator[endpoint.Server]:
    with endpoint.running() as server:
        yield server


def keys_of(claws: Claws) -> bytes:
    return json.dumps(claws.jwks()).encode()


def remote(server: endpoint.Server, **settings: Any) -> ClawAuth:
    return ClawAuth(
        SERVICE, "svc_secret-key", BASE_URL, jwks_uri=f"{server.url}/keys", allow_loopback_http=True, **settings
    )


def error(result: VerifyTokenResponse) -> str:
    assert not result.valid
    assert result.agent is None
    assert result.error is not None
    return result.error.partition(":")[0]


# The calls.


def test_verify_returns_the_agent() -> None:
    auth = ClawAuth(service_id=SERVICE, api_key="svc_secret-key", base_url=BASE_URL, jwks=CLAWS.jwks())
    result = auth.verify(CLAWS.token())
    assert result.valid
    assert result.error is None
    assert result.agent is not None
    agent: Agent = result.agent
    assert (agent.id, agent.name, agent.email) == ("agent_abc123", "Shopper", "shopper@agents.example")
    assert (agent.trust_score, agent.roles) == (7.5, ["user", "admin"])
    assert agent.scopes == agent.permissions == ["orders:read", "orders:write"]


def test_verify_async_agrees() -> None:
    auth = CLAWS.service()
    token = CLAWS.token()
    assert asyncio.run(auth.verify_async(token)) == auth.verify(token)
    assert asyncio.run(auth.verify_async("x")) == auth.verify("x")


def test_the_documented_test_passes_as_it_is_written() -> None:
    # Without keys, and with a token that is none: the server is not asked.
    auth = ClawAuth(service_id="test-service", api_key="test-key")
    result = asyncio.run(auth.verify_async("eyJhbGciOiJFUzI1Ni..."))
    assert not result.valid
    assert result.error is not None


def test_what_is_no_text_is_the_callers_mistake() -> None:
    for token in (None, 7, ["x"]):
        with pytest.raises(TypeError, match="str or bytes"):
            CLAWS.service().verify(token)  # type: ignore[arg-type]  # what is tested
    assert CLAWS.service().verify(CLAWS.token().encode()).valid


def test_as_of_another_moment() -> None:
    token = CLAWS.token(iat=1_800_000_000, exp=1_800_003_600)
    assert CLAWS.service().verify(token, now=1_800_003_604).valid
    assert error(CLAWS.service().verify(token, now=1_800_003_605)) == "expired"
    assert CLAWS.service(clock=lambda: 1_800_000_000).verify(token).valid
    assert error(CLAWS.service(leeway=0).verify(token, now=1_800_003_600)) == "expired"


# Sources of keys.


def test_keys_in_every_form(tmp_path: Path) -> None:
    token = CLAWS.token()
    file = tmp_path / "keys.json"
    file.write_bytes(keys_of(CLAWS))
    for keys in (
        {"jwks": CLAWS.jwks()},
        {"jwks": keys_of(CLAWS)},
        {"jwks": CLAWS.key_set()},
        {"jwks": None, "pem": CLAWS.public_pem()},
        {"jwks": None, "pem": CLAWS.public_pem().decode()},
        {"jwks": None, "jwks_file": file},
    ):
        with CLAWS.service(**keys) as auth:
            assert auth.verify(token).valid, keys


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA", "ES384", "PS256"])
def test_keys_that_no_agent_signs_with_are_reported_at_once(algorithm: str) -> None:
    other = Claws(algorithms=(algorithm,))
    for keys in ({"jwks": other.jwks()}, {"pem": other.public_pem()}):
        with pytest.raises(ValueError, match="ES256"):
            ClawAuth(SERVICE, "svc_secret-key", **keys)  # type: ignore[arg-type]  # one of two


def test_keys_from_one_place() -> None:
    with pytest.raises(ValueError, match="jwks and pem"):
        CLAWS.service(pem=CLAWS.public_pem())
    with pytest.raises(ww.KeySetError):
        CLAWS.service(jwks={"keys": []})


@pytest.mark.parametrize("make", [httpx.Client, httpx2.Client])
def test_keys_over_http_with_a_client_of_the_callers(server: endpoint.Server, make: Any) -> None:
    server.routes["/keys"] = answer(keys_of(CLAWS))
    with make(headers={"x-tenant": "orders"}) as client, remote(server, fetcher=HttpxFetcher(client)) as auth:
        assert auth.verify(CLAWS.token()).valid
        assert auth.verify(CLAWS.token()).valid
    assert server.count() == 1
    assert server.requests[0].headers["x-tenant"] == "orders"


def test_new_keys_are_found(server: endpoint.Server) -> None:
    claws = Claws(algorithms=("ES256",))
    server.routes["/keys"] = answer(keys_of(claws))
    with remote(server, cache_settings=CacheSettings(cooldown=0)) as auth:
        assert auth.verify(claws.token()).valid
        claws.rotate()
        server.routes["/keys"] = answer(keys_of(claws))
        assert auth.verify(claws.token()).valid
        assert server.count() == 2


def test_an_outage_is_not_the_agents_fault(server: endpoint.Server) -> None:
    with remote(server) as auth:
        for call in (auth.verify, lambda token: asyncio.run(auth.verify_async(token))):
            with pytest.raises(ClawAuthError) as caught:
                call(CLAWS.token())
            assert caught.value.code == "keys_unavailable"
        assert error(auth.verify("x")) == "malformed_token"


def test_32_calls_at_once_on_a_cold_cache_make_one_fetch(server: endpoint.Server) -> None:
    server.routes["/keys"] = hang = Hang(answer(keys_of(CLAWS)))
    results: list[VerifyTokenResponse] = []
    with remote(server) as auth:
        threads = [threading.Thread(target=lambda: results.append(auth.verify(CLAWS.token()))) for _ in range(32)]
        for thread in threads:
            thread.start()
        server.wait_for(1)
        hang.released.set()
        for thread in threads:
            thread.join(endpoint.LONG)

        async def main() -> list[VerifyTokenResponse]:
            return await asyncio.gather(*(auth.verify_async(CLAWS.token()) for _ in range(32)))

        assert len(results) == 32
        assert all(result.valid for result in results + asyncio.run(main()))
        assert server.count() == 1


def test_a_cached_token_still_expires() -> None:
    cache = ww.TokenCache(max_bytes=1_000_000)
    auth = CLAWS.service(token_cache=cache)
    token = CLAWS.token(iat=1_800_000_000, exp=1_800_003_600)
    for _ in range(3):
        assert auth.verify(token, now=1_800_000_000).valid
    assert cache.stats().hits == 2
    assert error(auth.verify(token, now=1_800_003_605)) == "expired"
    with pytest.raises(TypeError, match=r"watchword\.TokenCache"):
        CLAWS.service(token_cache={})


# Whose tokens, for whom.


def test_the_issuer_is_the_base_url_by_default() -> None:
    elsewhere = CLAWS.token(iss="https://clawauth.internal")
    assert error(CLAWS.service().verify(elsewhere)) == "wrong_issuer"
    assert error(CLAWS.service().verify(CLAWS.token(iss=f"{BASE_URL}/"))) == "wrong_issuer"
    assert error(CLAWS.service().verify(CLAWS.token(iss=None))) == "missing_claim"
    assert CLAWS.service(base_url=f"{BASE_URL}/").verify(CLAWS.token()).valid
    assert CLAWS.service(issuer="https://clawauth.internal").verify(elsewhere).valid
    assert CLAWS.service(base_url="https://clawauth.internal").verify(elsewhere).valid
    assert CLAWS.service(check_issuer=False).verify(CLAWS.token(iss=None)).valid


def test_a_token_that_names_audiences_names_this_service() -> None:
    auth = CLAWS.service()
    assert auth.verify(CLAWS.token(aud=None)).valid
    assert auth.verify(CLAWS.token(aud=["billing", SERVICE])).valid
    for audience in ("billing", ["billing"], SERVICE[:-1], f"my-{SERVICE}", SERVICE.upper()):
        assert error(auth.verify(CLAWS.token(aud=audience))) == "wrong_audience"
    # An empty list is like an absent one.
    assert auth.verify(CLAWS.token(aud=[])).valid


def test_an_audience_can_be_required_or_not_checked() -> None:
    strict = CLAWS.service(audience=["billing", "stock"])
    assert strict.verify(CLAWS.token(aud="stock")).valid
    assert error(strict.verify(CLAWS.token(aud=SERVICE))) == "wrong_audience"
    assert error(strict.verify(CLAWS.token(aud=None))) == "missing_claim"
    assert CLAWS.service(audience=ww.ANY_AUDIENCE).verify(CLAWS.token(aud="billing")).valid


def test_an_agents_id_looks_like_one() -> None:
    for other in ("user_1", "my_agent_1", "AGENT_1", "agent"):
        assert error(CLAWS.service().verify(CLAWS.token(sub=other))) == "wrong_type"
    assert CLAWS.service(agent_id_prefix="").verify(CLAWS.token(sub="user_1")).valid
    assert CLAWS.service(agent_id_prefix="bot:").verify(CLAWS.token(sub="bot:1")).valid
    assert CLAWS.service().verify(CLAWS.token(sub=None, agentId="agent_1")).valid
    assert error(CLAWS.service().verify(CLAWS.token(agent_id="agent_other"))) == "malformed_claims"


def test_types_and_required_claims() -> None:
    assert error(CLAWS.service(types=("at+jwt",)).verify(CLAWS.token())) == "wrong_type"
    assert error(CLAWS.service(required=("trust_score",)).verify(CLAWS.token(trust_score=None))) == "missing_claim"


# What the token does not say.


def test_what_the_token_does_not_say_is_empty_and_trusted_least() -> None:
    result = CLAWS.service().verify(CLAWS.token(**dict.fromkeys(set(AGENT) - {"sub"})))
    assert result.agent == Agent(id="agent_abc123")
    assert result.agent.trust_score == 0.0
    assert (result.agent.name, result.agent.email, result.agent.roles, result.agent.scopes) == ("", "", [], [])
    assert result.agent.model_fields_set == {"id"}


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scopes": ["a", "b"], "permissions": None}, ["a", "b"]),
        ({"scopes": ["a"], "permissions": ["a"]}, ["a"]),
        ({"scope": "a b", "permissions": None}, ["a", "b"]),
        ({"scope": "a b", "permissions": ["a", "b"]}, ["a", "b"]),
        ({"scope": ["a"], "permissions": None}, ["a"]),
        ({"permissions": []}, []),
    ],
)
def test_scopes_by_all_their_names(claims: dict[str, Any], scopes: list[str]) -> None:
    result = CLAWS.service().verify(CLAWS.token(**claims))
    assert result.agent is not None
    assert result.agent.scopes == scopes


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": None},
        {"sub": ""},
        {"name": 7},
        {"email": ["x@y.example"]},
        {"trust_score": "9"},
        {"trust_score": True},
        {"trust_score": -0.1},
        {"trust_score": 10.1},
        {"trust_score": 1e308},
        {"trust_score": 10**100},
        {"trust_score": [9]},
        {"roles": "admin"},
        {"roles": ["admin", 7]},
        {"roles": {"admin": True}},
        {"permissions": [["*"]]},
        {"permissions": 1},
        {"scopes": ["everything"]},
        {"scope": "everything"},
        {"scope": 7},
        {"trustScore": 9.5},
    ],
    ids=str,
)
def test_claims_that_describe_no_agent(claims: dict[str, Any]) -> None:
    assert error(CLAWS.service().verify(CLAWS.token(**claims))) in {"malformed_claims", "missing_claim"}


def test_claims_by_other_names() -> None:
    names = ClaimNames(id=("agent_id", "agentId"), name="n", email="e", trust_score="t", roles="r", scopes="s")
    auth = CLAWS.service(claim_names=names)
    claims = {"agentId": "agent_9", "n": "N", "e": "E", "t": 10, "r": ["x"], "s": "a  b", "sub": "owner_1", "roles": 7}
    result = auth.verify(CLAWS.token(**claims))
    assert result.agent == Agent(id="agent_9", name="N", email="E", trust_score=10.0, roles=["x"], scopes=["a", "b"])
    assert error(auth.verify(CLAWS.token(**claims, agent_id="agent_8"))) == "malformed_claims"
    assert error(auth.verify(CLAWS.token())) == "missing_claim"


@pytest.mark.parametrize("names", [{"id": ""}, {"id": ()}, {"roles": ("a", "")}, {"name": None}, {"email": ["e"]}])
def test_names_that_are_none(names: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(names))):
        ClaimNames(**names)


# Settings and representations.


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": ""},
        {"base_url": None},
        {"agent_id_prefix": None},
        {"types": "JWT"},
        {"required": "sub"},
        {"leeway": float("nan")},
        {"audience": ""},
        {"jwks": None, "jwks_uri": "http://api.clawauth.com/keys"},
        {"jwks": "{}"},
    ],
    ids=str,
)
def test_invalid_settings(settings: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        CLAWS.service(**settings)


@pytest.mark.parametrize("arguments", [("", "k"), ("s", ""), (None, "k"), ("s", None)])
def test_a_service_has_a_name_and_a_key(arguments: tuple[Any, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=r"service_id|api_key"):
        ClawAuth(*arguments)


def test_no_secret_is_shown_and_none_leaves_the_process() -> None:
    auth = CLAWS.service()
    token = CLAWS.token()
    result = auth.verify(token)
    said = repr(auth) + str(auth) + repr(result)
    assert "svc_secret-key" not in said
    assert "shopper@" not in said
    assert not any(part in said for part in token.split("."))
    with pytest.raises(TypeError, match="pickled or copied"):
        pickle.dumps(auth)
    assert pickle.loads(pickle.dumps(result)) == result


def test_answers_are_frozen_strict_and_open() -> None:
    result = CLAWS.service().verify(CLAWS.token())
    with pytest.raises(ValueError, match="frozen"):
        result.valid = False  # type: ignore[misc]  # what is tested
    for wrong in (
        {"id": 7},
        {"id": "a", "trust_score": "9"},
        {"id": "a", "trust_score": 11},
    ):
        with pytest.raises(ValueError, match="validation error"):
            Agent(**wrong)  # type: ignore[arg-type]  # what is tested
    more = Agent(id="a", status="active")  # type: ignore[call-arg]  # an open model
    assert more.model_extra == {"status": "active"}
    with pytest.raises(ValueError, match="frozen"):
        more.status = "suspended"  # type: ignore[attr-defined]  # what is tested
    assert "active" not in repr(more)
