"""``create_agent``: the application's session, the agent's key, and what is checked before anything is used up."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from typing import Any

import pytest
from agentwrit_apps import TASK, MakeApp, do, paths
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from endpoint import LONG, Hang, answer
from standins.agentwrit import CEILING, CLIENT_ID, CLIENT_SECRET, BrokerStandin

from watchword.holder import KeyPair
from watchword.providers.agentwrit import (
    AgentWritApp,
    AgentWritError,
    AsyncAgentWritApp,
    AuthenticationError,
    AuthorizationError,
    CryptoError,
    InvalidResponseError,
    RateLimitError,
    TransportError,
)


def test_the_session_is_kept_until_a_minute_before_its_end(broker: BrokerStandin, make_app: MakeApp) -> None:
    now = [1_000_000.0]
    app = make_app(clock=lambda: now[0])
    assert paths(broker) == []
    for elapsed, sessions in ((0, 1), (1739, 1), (2, 2), (100, 2)):
        now[0] += elapsed
        do(app.create_agent(**TASK))
        assert paths(broker).count("app/auth") == sessions


@pytest.mark.parametrize("lifetime", [0, -1, 59, 10**100, 10**400], ids=["0", "-1", "59", "1e100", "1e400"])
def test_a_session_of_an_odd_lifetime(broker: BrokerStandin, app: Any, lifetime: int) -> None:
    broker.server.routes["/v1/app/auth"] = answer(
        json.dumps({"access_token": "a.b.c", "expires_in": lifetime}), Content_Type="application/json"
    )
    # It is of no use to the stand-in, whose exception is as documented.
    with pytest.raises(AgentWritError):
        do(app.create_agent(**TASK))
    assert broker.server.count("/v1/app/auth") == 1


def test_concurrent_callers_authenticate_once(broker: BrokerStandin) -> None:
    authenticate = broker.server.routes["/v1/app/auth"]
    hang = broker.server.routes["/v1/app/auth"] = Hang(authenticate)
    app = AgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET)
    agents: list[Any] = []
    threads = [threading.Thread(target=lambda: agents.append(app.create_agent(**TASK))) for _ in range(5)]
    for thread in threads:
        thread.start()
    broker.server.wait_for(1)
    hang.released.set()
    for thread in threads:
        thread.join(LONG)
    assert len({agent.agent_id for agent in agents}) == 5
    assert paths(broker).count("app/auth") == 1

    hang.released.clear()

    async def tasks() -> None:
        app = AsyncAgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET)
        creating = [asyncio.ensure_future(app.create_agent(**TASK)) for _ in range(5)]
        await asyncio.to_thread(broker.server.wait_for, 2, "/v1/app/auth")
        hang.released.set()
        assert len({agent.agent_id for agent in await asyncio.gather(*creating)}) == 5

    asyncio.run(tasks())
    assert paths(broker).count("app/auth") == 2


def test_a_session_that_ended_early_is_replaced_once(broker: BrokerStandin, app: Any) -> None:
    do(app.create_agent(**TASK))
    token = broker.headers[1]["authorization"].removeprefix("Bearer ")
    broker.revoke(token)
    do(app.create_agent(**TASK))
    assert paths(broker)[4:] == [
        "app/launch-tokens", "app/auth", "app/launch-tokens", "challenge", "register",
    ]  # fmt: skip
    # A new session that is rejected at once is not replaced again.
    broker.server.routes["/v1/app/launch-tokens"] = answer("{}", 401, Content_Type="application/problem+json")
    before = len(paths(broker))
    with pytest.raises(AuthenticationError):
        do(app.create_agent(**TASK))
    assert paths(broker)[before:] == ["app/launch-tokens", "app/auth", "app/launch-tokens"]
    do(app.close() if hasattr(app, "close") else app.aclose())
    before = len(paths(broker))
    with pytest.raises(AuthenticationError):
        do(app.create_agent(**TASK))
    assert paths(broker)[before:] == ["app/auth", "app/launch-tokens"]


def test_a_key_of_ones_own(broker: BrokerStandin, app: Any) -> None:
    class Hsm:
        algorithm = "EdDSA"
        _pair = KeyPair.generate("EdDSA")
        public_jwk = _pair.public_jwk

        def sign(self, data: bytes) -> bytes:
            return self._pair.sign(data)

    private = Ed25519PrivateKey.generate()
    for key, public in (
        (private, private.public_key().public_bytes_raw()),
        (KeyPair(private), private.public_key().public_bytes_raw()),
        (Hsm(), base64.urlsafe_b64decode(Hsm.public_jwk["x"] + "=")),
    ):
        do(app.create_agent(**TASK, private_key=key))
        sent = json.loads(broker.server.requests[-1].body)
        assert base64.b64decode(sent["public_key"]) == public
    # Else a new one for each agent.
    used = set()
    for _ in range(2):
        do(app.create_agent(**TASK))
        used.add(json.loads(broker.server.requests[-1].body)["public_key"])
    assert len(used) == 2


def test_a_key_that_cannot_sign_is_found_out_before_anything_is_sent(broker: BrokerStandin, app: Any) -> None:
    class Broken:
        algorithm = "EdDSA"
        public_jwk = KeyPair.generate("EdDSA").public_jwk

        def sign(self, data: bytes) -> bytes:
            raise OSError("pin=1234")

    with pytest.raises(CryptoError) as failed:
        do(app.create_agent(**TASK, private_key=Broken()))
    assert "1234" not in str(failed.value)
    with pytest.raises(ValueError, match="Ed25519"):
        do(app.create_agent(**TASK, private_key=KeyPair.generate("ES256")))
    with pytest.raises(TypeError):
        do(app.create_agent(**TASK, private_key=b"-----BEGIN PRIVATE KEY-----"))
    assert paths(broker) == []


def test_a_key_that_fails_later(broker: BrokerStandin, app: Any) -> None:
    class Flaky:
        algorithm = "EdDSA"
        pair = KeyPair.generate("EdDSA")
        public_jwk = pair.public_jwk
        left = 1

        def sign(self, data: bytes) -> bytes:
            self.left -= 1
            return self.pair.sign(data) if self.left >= 0 else b""

    with pytest.raises(CryptoError, match="bytes"):
        do(app.create_agent(**TASK, private_key=Flaky()))
    assert paths(broker) == ["app/auth", "app/launch-tokens", "challenge"]


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in ("orch_id", "task_id") for value in ("", ".", "..", "a/b", "a b", "ä", "a%2Fb")),
        {"orch_id": "a\n"},
        {"task_id": "a?b"},
        {"requested_scope": []},
        {"requested_scope": ["read:data"]},
        {"requested_scope": ["read:*:customers"]},
        {"requested_scope": ["*:data:customers"]},
        {"requested_scope": ["read:data:a b"]},
        {"max_ttl": 0},
        {"max_ttl": -1},
    ],
    ids=repr,
)
def test_invalid_arguments_use_nothing_up(broker: BrokerStandin, app: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        do(app.create_agent(**{**TASK, **changes}))
    assert paths(broker) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"orch_id": 5},
        {"task_id": None},
        {"requested_scope": "read:data:a"},
        {"requested_scope": [5]},
        {"max_ttl": True},
        {"max_ttl": 300.0},
        {"label": 5},
    ],
    ids=repr,
)
def test_arguments_of_another_type_use_nothing_up(broker: BrokerStandin, app: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        do(app.create_agent(**{**TASK, **changes}))
    assert paths(broker) == []


def test_names_and_lifetimes(broker: BrokerStandin, app: Any) -> None:
    do(app.create_agent(**TASK))
    agent = do(app.create_agent(**TASK, max_ttl=5, label="batch 7"))
    assert agent.expires_in == 5
    bodies = [request.body for request in broker.server.requests if request.path.endswith("launch-tokens")]
    assert b'"agent_name": "my-service/read-customer-data"' in bodies[0]
    assert b'"agent_name": "batch 7"' in bodies[1]


def test_scopes_above_the_ceiling(broker: BrokerStandin, app: Any, make_app: MakeApp) -> None:
    wide = {**TASK, "requested_scope": ["admin:everything:*"]}
    with pytest.raises(AuthorizationError) as failed:
        do(app.create_agent(**wide))
    error = failed.value
    assert error.status_code == 403
    assert error.problem.error_code == "forbidden"
    assert error.problem.detail.startswith("requested scopes exceed app ceiling")
    assert error.problem.request_id == "rid-1"
    # If the ceiling is known, the broker is not asked.
    before = len(paths(broker))
    with pytest.raises(AuthorizationError) as failed:
        do(make_app(scope_ceiling=CEILING).create_agent(**wide))
    assert failed.value.problem.error_code == "scope_violation"
    assert "admin:everything:*" in failed.value.problem.detail
    assert len(paths(broker)) == before
    do(make_app(scope_ceiling=CEILING).create_agent(**TASK))
    with pytest.raises(ValueError, match="scope_ceiling"):
        make_app(scope_ceiling=[])


def test_wrong_credentials(broker: BrokerStandin, make_app: MakeApp) -> None:
    with pytest.raises(AuthenticationError, match="invalid client credentials"):
        do(make_app(client_secret="another").create_agent(**TASK))
    assert paths(broker) == ["app/auth"]


def test_a_limit_that_ends_after_the_deadline_is_not_waited_for(broker: BrokerStandin, app: Any) -> None:
    broker.auth_limit = 0
    with pytest.raises(RateLimitError) as failed:
        do(app.create_agent(**TASK))
    assert failed.value.retry_after == 60
    assert paths(broker) == ["app/auth"]


@pytest.mark.parametrize("nonce", ["", "ff" * 31, "ff" * 33, "zz" * 32, "eyJhbGciOiJFZERTQSJ9.e30", 5, None])
def test_a_challenge_of_another_form_is_not_signed(broker: BrokerStandin, app: Any, nonce: Any) -> None:
    broker.server.routes["/v1/challenge"] = answer(json.dumps({"nonce": nonce}), Content_Type="application/json")
    with pytest.raises(InvalidResponseError, match='"nonce"'):
        do(app.create_agent(**TASK))
    assert paths(broker)[-1] == "challenge"


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_id": "spiffe://agentwrit.local/service/x"},
        {"agent_id": "https://agentwrit.local"},
        {"access_token": "a\r\nx-evil: 1"},
        {"access_token": ""},
        {"expires_in": "300"},
        {"expires_in": None},
    ],
    ids=repr,
)
def test_an_answer_of_another_form(broker: BrokerStandin, app: Any, changes: dict[str, Any]) -> None:
    agent = {"agent_id": "spiffe://a/agent/o/t/1", "access_token": "t", "expires_in": 300}
    broker.server.routes["/v1/register"] = answer(json.dumps({**agent, **changes}), Content_Type="application/json")
    with pytest.raises(InvalidResponseError, match=f'"{next(iter(changes))}"') as failed:
        do(app.create_agent(**TASK))
    assert failed.value.status_code == 200
    assert isinstance(failed.value, TransportError)


def test_a_signer_does_not_block_the_event_loop(broker: BrokerStandin) -> None:
    key, threads = KeyPair.generate("EdDSA"), []

    class Kms:
        algorithm = "EdDSA"
        public_jwk = key.public_jwk

        def sign(self, data: bytes) -> bytes:
            threads.append(threading.get_ident())
            return key.sign(data)

    async def create() -> None:
        app = AsyncAgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET)
        await app.create_agent(**TASK, private_key=Kms())

    asyncio.run(create())
    assert len(threads) == 2  # the probe, and the nonce
    assert threading.get_ident() not in threads
