"""Every documented call of ClawAuth's server, in threads and in event loops, at a strict stand-in."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endpoint
import httpx
import httpx2
import mint
import pytest
from endpoint import LONG, Hang, answer
from standins.clawauth import API_KEY, EMAIL_CODE, EMAIL_SIGNATURE, SERVICE, StandIn, running

from watchword.client import CallSettings
from watchword.holder import KeyPair
from watchword.providers.clawauth import ClaimNames, ClawAuth, ClawAuthAgent, WireFormat
from watchword.providers.clawauth.exceptions import (
    AuthenticationError,
    ClawAuthError,
    InsufficientPermissionsError,
    InvalidSignatureError,
    RateLimitError,
)
from watchword.providers.clawauth.types import Agent, AgentDetails, Registration, Tokens, VerifyTokenResponse

PAIR = ClawAuthAgent.generate_keypair()
FAST = CallSettings(timeout=LONG, first_delay=0.0, max_delay=0.0)


@pytest.fixture
def clawauth() -> Iterator[StandIn]:
    with running() as standin:
        yield standin


@pytest.fixture(params=["", "_async"], ids=["thread", "task"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(target: Any, method: str, suffix: str, /, *arguments: Any, **options: Any) -> Any:
    """Call a method, or its asynchronous twin."""
    result = getattr(target, method + suffix)(*arguments, **options)

    async def wait() -> Any:
        return await result

    return asyncio.run(wait()) if suffix else result


def registered(clawauth: StandIn, **options: Any) -> ClawAuthAgent:
    found = ClawAuthAgent.register("agent@agents.example", "Shopper", PAIR["public_key"], clawauth.url)
    return ClawAuthAgent(found.agent_id, private_key=PAIR["private_key"], base_url=clawauth.url, **options)


def service(clawauth: StandIn, **options: Any) -> ClawAuth:
    return ClawAuth(SERVICE, API_KEY, clawauth.url, **{"call_settings": FAST, **options})


def replying(body: object, status: int = 200, **headers: object) -> endpoint.Behaviour:
    return answer(json.dumps(body), status, Content_Type="application/json", **headers)


# The agent's side.


def test_an_agents_way_from_registration_to_new_tokens(clawauth: StandIn, suffix: str, tmp_path: Path) -> None:
    keypair = ClawAuthAgent.generate_keypair()
    path = tmp_path / "agent-key.pem"
    path.touch(0o600)
    path.write_text(keypair["private_key"])

    registration = call(
        ClawAuthAgent,
        "register",
        suffix,
        email="agent@agents.example",
        name="My agent",
        public_key=keypair["public_key"],
        base_url=clawauth.url,
    )
    assert registration.agent_id.startswith("agent_")
    assert registration.status == "active"
    assert registration.public_key_hash.startswith("sha256:")
    assert registration.owner_console == "https://console.clawauth.example"

    agent = ClawAuthAgent(agent_id=registration.agent_id, private_key_path=str(path), base_url=clawauth.url)
    verified = call(agent, "verify_email", suffix, registration.registration_id, EMAIL_CODE, EMAIL_SIGNATURE)
    assert (verified.agent_id, verified.status) == (registration.agent_id, "verified")

    tokens = call(agent, "authenticate", suffix)
    assert set(tokens) == {"access_token", "refresh_token", "expires_in"}
    assert tokens["expires_in"] == 3600
    assert tokens["access_token"].count(".") == 2

    renewed = call(agent, "refresh", suffix, tokens["refresh_token"])
    assert set(renewed) == set(tokens)
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert clawauth.server.count("/auth/refresh") == 1


@pytest.mark.parametrize("signature_format", ["der", "raw"])
@pytest.mark.parametrize("nonce_encoding", ["utf-8", "hex"])
def test_challenges_in_every_form(clawauth: StandIn, signature_format: Any, nonce_encoding: Any) -> None:
    clawauth.signature_format = signature_format
    clawauth.nonce_encoding = nonce_encoding
    agent = registered(clawauth, signature_format=signature_format, nonce_encoding=nonce_encoding)
    assert agent.authenticate()["access_token"]


def test_another_key_than_the_registered_one(clawauth: StandIn, suffix: str) -> None:
    agent_id = registered(clawauth).agent_id
    other = ClawAuthAgent(agent_id, private_key=ClawAuthAgent.generate_keypair()["private_key"], base_url=clawauth.url)
    with pytest.raises(InvalidSignatureError) as caught:
        call(other, "authenticate", suffix)
    assert (caught.value.code, caught.value.status) == ("INVALID_SIGNATURE", 401)
    assert caught.value.message == "/auth/authenticate returned HTTP 401"
    assert caught.value.description == "The signature is invalid"
    assert clawauth.server.count("/auth/authenticate") == 1


def test_an_agent_that_is_not_registered(clawauth: StandIn, suffix: str) -> None:
    agent = ClawAuthAgent("agent_unknown", private_key=PAIR["private_key"], base_url=clawauth.url)
    with pytest.raises(ClawAuthError) as caught:
        call(agent, "authenticate", suffix)
    assert (type(caught.value), caught.value.code, caught.value.status) == (ClawAuthError, "unknown_agent", 404)


CHALLENGE = {"challengeId": "chal_1", "nonce": "a3f1" * 16, "expiresAt": "2999-02-09T14:30:00Z"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expiresAt": "2026-02-09T14:30:00Z"}, "challenge_expired"),
        ({"expiresAt": "soon"}, "invalid_answer"),
        ({"expiresAt": None}, "invalid_answer"),
        ({"challengeId": ""}, "invalid_answer"),
        ({"challengeId": 7}, "invalid_answer"),
        ({"nonce": ""}, "invalid_answer"),
        ({"nonce": ["a"]}, "invalid_answer"),
        ({"nonce": "x" * 257}, "challenge_refused"),
        # Signed, they would be a token of this agent, or a DPoP proof.
        ({"nonce": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZ2VudF8xIn0"}, "challenge_refused"),
        ({"nonce": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRwb3Arand0In0.e30"}, "challenge_refused"),
    ],
    ids=str,
)
def test_challenges_that_are_not_signed(clawauth: StandIn, suffix: str, changes: dict[str, object], code: str) -> None:
    clawauth.overrides["/auth/challenge"] = replying({**CHALLENGE, **changes})
    agent = registered(clawauth)
    with pytest.raises(ClawAuthError) as caught:
        call(agent, "authenticate", suffix)
    assert caught.value.code == code
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert clawauth.server.count("/auth/authenticate") == 0


def test_a_clock_that_is_a_little_ahead(clawauth: StandIn) -> None:
    clawauth.challenge_seconds = 60
    assert registered(clawauth, clock=lambda: time.time() + 62).authenticate()
    with pytest.raises(ClawAuthError, match="clock") as caught:
        registered(clawauth, clock=lambda: time.time() + 66).authenticate()
    assert caught.value.code == "challenge_expired"


def test_a_used_refresh_token(clawauth: StandIn, suffix: str) -> None:
    agent = registered(clawauth)
    tokens = agent.authenticate()
    # Another client: this one keeps the result.
    registered(clawauth).refresh(tokens["refresh_token"])
    with pytest.raises(AuthenticationError) as caught:
        call(agent, "refresh", suffix, tokens["refresh_token"])
    assert caught.value.code == "invalid_refresh_token"


def test_concurrent_callers_share_one_refresh(clawauth: StandIn) -> None:
    hang = clawauth.overrides["/auth/refresh"] = Hang(clawauth.respond)
    agent = registered(clawauth, call_settings=CallSettings(timeout=LONG))
    token = agent.authenticate()["refresh_token"]
    results: list[Tokens] = []
    threads = [threading.Thread(target=lambda: results.append(agent.refresh(token))) for _ in range(4)]
    for thread in threads:
        thread.start()

    async def tasks() -> list[Tokens]:
        running = [asyncio.ensure_future(agent.refresh_async(token)) for _ in range(4)]
        await asyncio.to_thread(clawauth.server.wait_for, 1, "/auth/refresh")
        hang.released.set()
        return await asyncio.gather(*running)

    results += asyncio.run(tasks())
    for thread in threads:
        thread.join(LONG)
    assert len(results) == 8
    assert all(one == results[0] for one in results)
    assert clawauth.server.count("/auth/refresh") == 1
    # Each caller has its own.
    results[0]["access_token"] = "changed"
    assert results[1]["access_token"] != "changed"
    assert agent.refresh(token)["access_token"] == results[1]["access_token"]


def test_a_cancelled_refresh_is_not_lost(clawauth: StandIn) -> None:
    hang = clawauth.overrides["/auth/refresh"] = Hang(clawauth.respond)
    agent = registered(clawauth, call_settings=CallSettings(timeout=LONG))
    token = agent.authenticate()["refresh_token"]

    async def cancelled() -> Tokens:
        first = asyncio.ensure_future(agent.refresh_async(token))
        await asyncio.to_thread(clawauth.server.wait_for, 1, "/auth/refresh")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        hang.released.set()
        return await agent.refresh_async(token)

    renewed = asyncio.run(cancelled())
    assert clawauth.refresh_tokens.keys() == {renewed["refresh_token"]}
    assert clawauth.server.count("/auth/refresh") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"accessToken": "two words"},
        {"accessToken": "a\r\nX-Injected: 1"},
        {"accessToken": ""},
        {"accessToken": None},
        {"refreshToken": None},
        {"refreshToken": 7},
        {"expiresIn": 0},
        {"expiresIn": -1},
        {"expiresIn": True},
        {"expiresIn": "3600"},
        {"expiresIn": None},
    ],
    ids=str,
)
def test_tokens_that_are_none(clawauth: StandIn, changes: dict[str, object]) -> None:
    good = {"accessToken": "abc.def", "refreshToken": "rf_1", "expiresIn": 3600}
    clawauth.overrides["/auth/refresh"] = replying({**good, "tokenType": "Bearer"})
    assert registered(clawauth).refresh("rf_0") == {
        "access_token": "abc.def",
        "refresh_token": "rf_1",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    clawauth.overrides["/auth/refresh"] = replying({**good, **changes})
    with pytest.raises(ClawAuthError) as caught:
        registered(clawauth).refresh("rf_0")
    assert caught.value.code == "invalid_answer"
    assert next(iter(changes)) in caught.value.message


def test_a_registration_without_an_id_of_its_own(clawauth: StandIn) -> None:
    # As in ClawAuth's description of the API, but not of the package.
    clawauth.overrides["/auth/register"] = replying({"agentId": "agent_1", "status": "active"}, 201)
    found = ClawAuthAgent.register("a@agents.example", "A", PAIR["public_key"], clawauth.url)
    assert found == Registration(agent_id="agent_1", status="active")
    agent = ClawAuthAgent(found.agent_id, private_key=PAIR["private_key"], base_url=clawauth.url)
    with pytest.raises(ValueError, match="the answer to the registration had none"):
        agent.verify_email(found.registration_id, EMAIL_CODE, EMAIL_SIGNATURE)
    clawauth.overrides["/auth/register"] = replying({"status": "active"}, 201)
    with pytest.raises(ClawAuthError, match="agentId"):
        ClawAuthAgent.register("a@agents.example", "A", PAIR["public_key"], clawauth.url)


def test_a_private_key_is_never_registered(clawauth: StandIn, suffix: str) -> None:
    for wrong in (PAIR["private_key"], PAIR["private_key"] + PAIR["public_key"]):
        with pytest.raises(ValueError, match="must not be sent"):
            call(ClawAuthAgent, "register", suffix, "a@agents.example", "A", wrong, clawauth.url)
    for wrong in ("", "MFkw", PAIR["public_key"] * 2, None, 7):
        with pytest.raises((TypeError, ValueError), match="public_key"):
            call(ClawAuthAgent, "register", suffix, "a@agents.example", "A", wrong, clawauth.url)
    assert clawauth.server.count() == 0


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_email_that_is_verified_without_a_word(clawauth: StandIn, body: bytes) -> None:
    clawauth.overrides["/auth/verify-email"] = answer(body, 200, Content_Type="application/json")
    verified = registered(clawauth).verify_email("reg_1", EMAIL_CODE, EMAIL_SIGNATURE)
    assert (verified.agent_id, verified.status) == ("", "")


def test_a_signer_does_not_block_the_event_loop(clawauth: StandIn) -> None:
    key, threads = KeyPair.from_pem(PAIR["private_key"]), []

    class Kms:
        algorithm = "ES256"
        public_jwk = key.public_jwk

        def sign(self, data: bytes) -> bytes:
            threads.append(threading.get_ident())
            return key.sign(data)

    agent_id = ClawAuthAgent.register("a@agents.example", "Shopper", PAIR["public_key"], clawauth.url).agent_id
    agent = ClawAuthAgent(agent_id, private_key=Kms(), base_url=clawauth.url)
    threads.clear()  # the probe
    assert asyncio.run(agent.authenticate_async())["access_token"]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


# The service's side.


def test_without_keys_the_server_verifies(clawauth: StandIn, suffix: str) -> None:
    agent = registered(clawauth)
    token = call(agent, "authenticate", suffix)["access_token"]
    auth = ClawAuth(service_id=SERVICE, api_key=API_KEY, base_url=clawauth.url)
    result: VerifyTokenResponse = call(auth, "verify", suffix, token)
    assert result.valid
    assert result.source == "server"
    assert result.error is None
    found: Agent | None = result.agent
    assert found is not None
    assert (found.id, found.name, found.email) == (agent.agent_id, "Shopper", "agent@agents.example")
    assert (found.trust_score, found.roles, found.scopes) == (5.0, [], ["orders:read"])
    # What is not documented is kept.
    assert found.home_region == "eu"  # type: ignore[attr-defined]  # an open model
    assert result.model_extra is not None
    assert result.model_extra.keys() == {"checked_at"}
    assert call(auth, "verify", suffix, token.encode()).valid


def test_the_server_rejects(clawauth: StandIn, suffix: str) -> None:
    agent = registered(clawauth)
    auth = service(clawauth)
    expired = call(auth, "verify", suffix, clawauth.token(agent.agent_id, exp=int(time.time()) - 60))
    # The agent that the server described all the same is not shown.
    assert expired == VerifyTokenResponse(valid=False, error="Token expired", source="server")
    forged = mint.token({"sub": agent.agent_id}, {"alg": "ES256"}, key="p256", algorithm="ES256", signature=bytes(64))
    assert call(auth, "verify", suffix, forged).error == "Invalid signature"


def test_a_token_that_is_none_is_not_sent(clawauth: StandIn, suffix: str) -> None:
    auth = service(clawauth)
    human = mint.token({"sub": "user_7"}, {"alg": "HS256", "typ": "JWT"}, key=b"secret", algorithm="HS256")
    for token, code in (
        ("eyJhbGciOiJFUzI1Ni...", "malformed_token"),
        (f"svc_secret {human}", "malformed_token"),
        ("x" * 20_000, "too_large"),
        (human, "algorithm_not_allowed"),
        (mint.token({}, {"alg": "none"}, algorithm="none"), "algorithm_not_allowed"),
    ):
        result = call(auth, "verify", suffix, token)
        assert not result.valid
        assert result.error is not None
        assert (result.error.partition(":")[0], result.source) == (code, "offline")
    with pytest.raises(TypeError, match="str or bytes"):
        call(auth, "verify", suffix, None)
    with pytest.raises(ValueError, match="now is for offline verification"):
        call(auth, "verify", suffix, human, now=1_800_000_000)
    assert clawauth.server.count() == 0


def test_with_keys_the_same_token_is_verified_offline(clawauth: StandIn, suffix: str) -> None:
    token = registered(clawauth).authenticate()["access_token"]
    asked = service(clawauth).verify(token)
    sent = clawauth.server.count()
    result = call(service(clawauth, jwks=mint.jwks("p256"), issuer="https://api.clawauth.com"), "verify", suffix, token)
    assert (result.valid, result.source) == (True, "offline")
    assert clawauth.server.count() == sent
    assert asked.agent is not None
    assert result.agent == Agent(**asked.agent.model_dump(exclude={"home_region"}))


GOOD_AGENT = {
    "id": "agent_1",
    "name": "A",
    "email": "a@agents.example",
    "trustScore": 7,
    "roles": [],
    "permissions": ["x"],
}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"valid": None},
        {"valid": 1, "agent": GOOD_AGENT},
        {"valid": "true", "agent": GOOD_AGENT},
        {"valid": True},
        {"valid": True, "agent": None},
        {"valid": True, "agent": []},
        {"valid": True, "agent": {}},
        {"valid": True, "agent": GOOD_AGENT, "error": "expired"},
        *({"valid": True, "agent": {**GOOD_AGENT, name: None}} for name in GOOD_AGENT),
        {"valid": True, "agent": {**GOOD_AGENT, "id": ""}},
        {"valid": True, "agent": {**GOOD_AGENT, "trustScore": 11}},
        {"valid": True, "agent": {**GOOD_AGENT, "trustScore": "9"}},
        {"valid": True, "agent": {**GOOD_AGENT, "trust_score": 9.5}},
        {"valid": True, "agent": {**GOOD_AGENT, "roles": "admin"}},
        {"valid": True, "agent": {**GOOD_AGENT, "scopes": ["everything"]}},
    ],
    ids=str,
)
def test_verdicts_that_are_none(clawauth: StandIn, body: object) -> None:
    clawauth.overrides["/auth/verify"] = replying(body)
    with pytest.raises(ClawAuthError) as caught:
        service(clawauth).verify(mint.token({}, {"alg": "ES256"}, key="p256", algorithm="ES256"))
    assert (type(caught.value), caught.value.code, caught.value.status) == (ClawAuthError, "invalid_answer", 200)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_the_error_of_a_verdict_is_bounded_and_repeats_no_token(clawauth: StandIn) -> None:
    token = mint.token({}, {"alg": "ES256"}, key="p256", algorithm="ES256")
    plain = "invalid_token: the server rejected the token"
    for error, shown in (
        (None, plain),
        ("", plain),
        (7, plain),
        ({"code": "expired"}, plain),
        (f"bad token {token}", plain),
        (f"bad signature {token.rpartition('.')[2]}", plain),
        ("a\r\nb\x1b[31m\u202e", "a b [31m"),
        ("é" * 2000, "é" * 512),
    ):
        clawauth.overrides["/auth/verify"] = replying({"valid": False, "error": error, "agent": GOOD_AGENT})
        result = service(clawauth).verify(token)
        assert (result.valid, result.agent, result.error) == (False, None, shown)


def test_get_agent(clawauth: StandIn, suffix: str) -> None:
    agent = registered(clawauth)
    found: AgentDetails = call(service(clawauth), "get_agent", suffix, agent.agent_id)
    assert (found.id, found.name, found.trust_score, found.status) == (agent.agent_id, "Shopper", 5.0, "active")
    assert found.last_seen_at == "2026-02-09T14:30:00Z"
    assert found.home_region == "eu"  # type: ignore[attr-defined]  # an open model
    with pytest.raises(ClawAuthError) as caught:
        call(service(clawauth), "get_agent", suffix, "agent_unknown")
    assert (caught.value.code, caught.value.status) == ("unknown_agent", 404)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": None}, None),
        ({"id": None, "agentId": "agent_1"}, None),
        ({"id": "agent_2"}, "invalid_answer"),
        ({"agentId": "agent_2"}, "invalid_answer"),
        ({"name": None}, "invalid_answer"),
        ({"trustScore": None}, "invalid_answer"),
        ({"status": None}, "invalid_answer"),
        ({"status": True}, "invalid_answer"),
        ({"lastSeenAt": 7}, "invalid_answer"),
        ({"roles": "admin"}, "invalid_answer"),
    ],
    ids=str,
)
def test_descriptions_of_agents(clawauth: StandIn, changes: dict[str, object], code: str | None) -> None:
    clawauth.overrides["/agents/agent_1"] = replying({**GOOD_AGENT, "status": "active", **changes})
    if code is None:
        found = service(clawauth).get_agent("agent_1")
        assert (found.id, found.status, found.last_seen_at) == ("agent_1", "active", None)
        return
    with pytest.raises(ClawAuthError) as caught:
        service(clawauth).get_agent("agent_1")
    assert caught.value.code == code


def test_roles(clawauth: StandIn, suffix: str) -> None:
    agent = registered(clawauth)
    auth = service(clawauth)
    assert call(auth, "assign_role", suffix, agent.agent_id, "admin") is None
    assert call(auth, "assign_role", suffix, agent_id=agent.agent_id, role_id="user") is None
    assert clawauth.agents[agent.agent_id].roles == ["admin", "user"]
    assert call(auth, "revoke_role", suffix, agent.agent_id, "admin") is None
    assert clawauth.agents[agent.agent_id].roles == ["user"]
    with pytest.raises(InsufficientPermissionsError) as caught:
        call(auth, "assign_role", suffix, agent.agent_id, "owner")
    assert (caught.value.code, caught.value.status) == ("forbidden", 403)
    with pytest.raises(ClawAuthError) as missing:
        call(auth, "revoke_role", suffix, agent.agent_id, "admin")
    assert missing.value.code == "unknown_role"


def test_report_trust(clawauth: StandIn, suffix: str) -> None:
    agent_id = registered(clawauth).agent_id
    auth = service(clawauth)
    assert call(auth, "report_trust", suffix, agent_id, score=9.0, reason="No violations") is None
    assert call(auth, "report_trust", suffix, agent_id, score=8.5) is None
    assert call(auth, "report_trust", suffix, agent_id, 3, "Frequent failures") is None
    assert clawauth.reports == [
        (agent_id, 9.0, "No violations"),
        (agent_id, 8.5, None),
        (agent_id, 3, "Frequent failures"),
    ]
    for score in (-0.1, 10.1, float("nan"), float("inf"), 10**400, True, "9", None):
        with pytest.raises((TypeError, ValueError), match="score"):
            call(auth, "report_trust", suffix, agent_id, score)
    with pytest.raises(TypeError, match="reason"):
        call(auth, "report_trust", suffix, agent_id, 9, ["x"])
    assert len(clawauth.reports) == 3


def test_an_unknown_api_key(clawauth: StandIn, suffix: str) -> None:
    auth = ClawAuth(SERVICE, "svc_0ther-s3cr3t", clawauth.url)
    token = mint.token({}, {"alg": "ES256"}, key="p256", algorithm="ES256")
    for name, arguments in (("verify", (token,)), ("get_agent", ("agent_1",)), ("report_trust", ("agent_1", 1))):
        with pytest.raises(AuthenticationError) as caught:
            call(auth, name, suffix, *arguments)
        assert (caught.value.code, caught.value.status) == ("invalid_api_key", 401)
        assert caught.value.description == "The API key is unknown"


def test_a_rate_limit(clawauth: StandIn, suffix: str) -> None:
    clawauth.overrides["/agents/agent_1"] = replying({}, 429, Retry_After="3600")
    with pytest.raises(RateLimitError) as caught:
        call(service(clawauth), "get_agent", suffix, "agent_1")
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("rate_limited", 429, 3600)
    assert pickle.loads(pickle.dumps(caught.value)).retry_after == 3600


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "description"),
    [
        (400, {"code": "bad_thing", "message": "What\nwas wrong"}, ClawAuthError, "bad_thing", "What was wrong"),
        (400, {"error": {"code": "badThing", "message": "Wrong"}}, ClawAuthError, "badThing", "Wrong"),
        (400, {"error": "bad_thing", "error_description": "Wrong"}, ClawAuthError, "bad_thing", "Wrong"),
        (400, {"error": "bad_thing"}, ClawAuthError, "bad_thing", None),
        (400, {"error": "It is bad"}, ClawAuthError, "error", "It is bad"),
        (400, {"code": 7, "message": ["x"]}, ClawAuthError, "error", None),
        (400, {"code": "x" * 65}, ClawAuthError, "error", None),
        (400, {"code": API_KEY, "message": f"not {API_KEY}"}, ClawAuthError, "error", None),
        (401, {"error": {"code": "InvalidSignature"}}, InvalidSignatureError, "InvalidSignature", None),
        (401, {}, AuthenticationError, "authentication_failed", None),
        (403, [], InsufficientPermissionsError, "insufficient_permissions", None),
        (404, {}, ClawAuthError, "not_found", None),
        (307, {}, ClawAuthError, "error", None),
        (500, {}, ClawAuthError, "server_error", None),
    ],
)
def test_errors_of_every_form(
    clawauth: StandIn, status: int, body: object, kind: type, code: str, description: str | None
) -> None:
    clawauth.overrides["/agents/agent_1"] = replying(body, status)
    with pytest.raises(ClawAuthError) as caught:
        service(clawauth).get_agent("agent_1")
    error = caught.value
    assert (type(error), error.code, error.status, error.description) == (kind, code, status, description)
    assert API_KEY not in repr(vars(error)) + str(error)


# Settings.


def test_paths_and_names_are_settings(clawauth: StandIn) -> None:
    done = answer(b"{}", 200, Content_Type="application/json")
    wire = WireFormat(
        verify="POST /v2/services/{service_id}/introspect",
        get_agent="GET /v2/agents?id={agent_id}",
        assign_role="PUT /v2/{service_id}/{agent_id}/roles/{role_id}",
        revoke_role="POST /v2/revoke",
        report_trust="PATCH /v2/trust",
        verify_email="POST /v2/registrations/{registration_id}",
        service_id_header=None,
        members={"token": "jwt", "role_id": "role", "score": "value", "code": "pin"},
        agent=ClaimNames(id="uid", name="label", trust_score="trust", scopes="grants"),
        statuses={418: RateLimitError},
        codes={"no_such_agent": InsufficientPermissionsError},
    )
    auth = ClawAuth("or/ders", API_KEY, clawauth.url, wire=wire, call_settings=CallSettings(max_retries=0))
    agent = {"uid": "agent_1", "label": "A", "email": "a@x.example", "trust": 1, "roles": [], "grants": ["x"]}
    token = mint.token({}, {"alg": "ES256"}, key="p256", algorithm="ES256")
    clawauth.overrides = {
        "/v2/services/or%2Fders/introspect": replying({"valid": True, "agent": agent}),
        "/v2/agents": replying({**agent, "status": "active"}),
        "/v2/or%2Fders/agent%201/roles/a%2Fb": done,
        "/v2/revoke": done,
        "/v2/trust": done,
        "/v2/registrations/reg_1": done,
    }
    found = auth.verify(token).agent
    assert found == Agent(id="agent_1", name="A", email="a@x.example", trust_score=1, scopes=["x"])
    assert auth.get_agent("agent_1").name == "A"
    auth.assign_role("agent 1", "a/b")
    auth.revoke_role("agent_1", "admin")
    auth.report_trust("agent_1", 7)
    holder = ClawAuthAgent("agent_1", private_key=PAIR["private_key"], base_url=clawauth.url, wire=wire)
    holder.verify_email("reg_1", "1", "s")
    sent = [(one.method, one.path, json.loads(one.body or b"null")) for one in clawauth.server.requests]
    assert sent == [
        ("POST", "/v2/services/or%2Fders/introspect", {"jwt": token}),
        ("GET", "/v2/agents?id=agent_1", None),
        ("PUT", "/v2/or%2Fders/agent%201/roles/a%2Fb", {}),
        ("POST", "/v2/revoke", {"agentId": "agent_1", "role": "admin"}),
        ("PATCH", "/v2/trust", {"agentId": "agent_1", "value": 7}),
        ("POST", "/v2/registrations/reg_1", {"pin": "1", "signature": "s"}),
    ]
    assert not any("x-service-id" in one.headers for one in clawauth.server.requests)
    for status, body, kind in (
        (418, {}, RateLimitError),
        (404, {"code": "noSuchAgent"}, InsufficientPermissionsError),
        (401, {}, ClawAuthError),
    ):
        clawauth.overrides["/v2/agents"] = replying(body, status)
        with pytest.raises(ClawAuthError) as caught:
            auth.get_agent("agent_1")
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    "settings",
    [
        {"verify": "/auth/verify"},
        {"verify": "GET /auth/verify"},
        {"verify": "POST /auth/{token}"},
        {"verify": "POST auth"},
        {"verify": "POST /a b"},
        {"verify": "POST /a#b"},
        {"verify": "POST /{agent_id}"},
        {"verify": "POST /{}"},
        {"verify": "POST /{service_id!r}"},
        {"verify": "POST /{service_id"},
        {"verify": None},
        {"get_agent": "GET /agents"},
        {"revoke_role": "DELETE /agents/{agent_id}"},
        {"report_trust": "POST /agents/{score}"},
        {"verify_email": "POST /{code}"},
        {"verify_email": "POST /{service_id}"},
        {"service_id_header": ""},
        {"service_id_header": "X-Service: Id"},
        {"service_id_header": "Authorization"},
        {"members": {"tokens": "x"}},
        {"members": {"token": ""}},
        {"agent": {"id": "x"}},
        {"statuses": {401: ValueError}},
        {"codes": {"x": "RateLimitError"}},
    ],
    ids=str,
)
def test_invalid_wire_formats(settings: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(settings))):
        WireFormat(**settings)


@pytest.mark.parametrize("value", ["", ".", "..", None, 7])
def test_ids_that_are_none(clawauth: StandIn, suffix: str, value: object) -> None:
    auth = service(clawauth)
    agent = registered(clawauth)
    sent = clawauth.server.count()
    for target, name, arguments in (
        (auth, "get_agent", (value,)),
        (auth, "assign_role", (value, "admin")),
        (auth, "revoke_role", (value, "admin")),
        (auth, "revoke_role", ("agent_1", value)),
        (auth, "report_trust", (value, 5)),
    ):
        with pytest.raises((TypeError, ValueError), match=r"agent_id|role_id"):
            call(target, name, suffix, *arguments)
    if value not in (".", ".."):
        for target, name, arguments in (
            (auth, "assign_role", ("agent_1", value)),
            (agent, "refresh", (value,)),
            (agent, "verify_email", (value, "1", "s")),
            (agent, "verify_email", ("r", value, "s")),
            (agent, "verify_email", ("r", "1", value)),
            (agent, "register", (value, "A", PAIR["public_key"])),
            (agent, "register", ("a@agents.example", value, PAIR["public_key"])),
        ):
            with pytest.raises((TypeError, ValueError)):
                call(target, name, suffix, *arguments)
    assert clawauth.server.count() == sent


def test_settings_of_offline_verification_need_keys() -> None:
    for settings in (
        {"audience": "orders"},
        {"required": ("sub",)},
        {"issuer": "https://clawauth.internal"},
        {"check_issuer": False},
        {"leeway": 0},
        {"types": ("JWT",)},
        {"agent_id_prefix": ""},
    ):
        with pytest.raises(ValueError, match=rf"^{next(iter(settings))}: only for offline verification"):
            ClawAuth(SERVICE, API_KEY, **settings)  # type: ignore[arg-type]  # one of several


def test_plain_http_only_where_it_is_allowed() -> None:
    for make in (
        lambda url, **options: ClawAuth(SERVICE, API_KEY, url, **options),
        lambda url, **options: ClawAuthAgent("agent_1", private_key=PAIR["private_key"], base_url=url, **options),
    ):
        with pytest.raises(ValueError, match="base_url"):
            make("http://clawauth.internal")
        assert make("http://clawauth.internal", allow_http_hosts=["clawauth.internal"])
    with pytest.raises(ValueError, match="base_url"):
        ClawAuthAgent.register("a@agents.example", "A", PAIR["public_key"], "http://clawauth.internal")


@pytest.mark.parametrize("value", ["two\nlines", " x", "x ", "é", "\x00"])
def test_a_key_that_no_header_can_contain(value: str) -> None:
    for arguments in ((SERVICE, value), (value, API_KEY)):
        with pytest.raises(ValueError, match="visible ASCII") as caught:
            ClawAuth(*arguments)
        assert value not in str(caught.value)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_clients_of_the_applications_own(clawauth: StandIn, library: Any) -> None:
    # The stand-in's checks of headers do not expect that of the client.
    clawauth.overrides["/agents/agent_1"] = replying({**GOOD_AGENT, "status": "active"})
    with library.Client(headers={"x-mine": "1"}) as client:
        assert service(clawauth, http_client=client).get_agent("agent_1").status == "active"

    async def in_a_task() -> str:
        async with library.AsyncClient(headers={"x-mine": "2"}) as client:
            return (await service(clawauth, async_http_client=client).get_agent_async("agent_1")).status

    assert asyncio.run(in_a_task()) == "active"
    assert [one.headers["x-mine"] for one in clawauth.server.requests] == ["1", "2"]


def test_each_method_has_a_twin() -> None:
    for kind, names in (
        (ClawAuth, ("verify", "get_agent", "assign_role", "revoke_role", "report_trust")),
        (ClawAuthAgent, ("register", "verify_email", "authenticate", "refresh")),
    ):
        for name in names:
            assert inspect.iscoroutinefunction(getattr(kind, f"{name}_async"))


def test_no_secret_is_shown(clawauth: StandIn) -> None:
    agent = registered(clawauth)
    tokens = agent.authenticate()
    assert repr(tokens) == str(tokens) == "Tokens(access_token, expires_in, refresh_token)"
    assert json.loads(json.dumps(tokens)) == dict(tokens)
    clawauth.overrides["/agents/agent_1"] = replying({**GOOD_AGENT, "status": "active", "adminKey": "k-s3cr3t"})
    found = service(clawauth).get_agent("agent_1")
    assert found.admin_key == "k-s3cr3t"  # type: ignore[attr-defined]  # an open model
    assert "s3cr3t" not in repr(found) + repr(service(clawauth)) + repr(agent)
