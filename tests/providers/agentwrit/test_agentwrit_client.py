"""Every call that AgentWrit documents, in threads and in tasks, at a strict stand-in for the broker."""

from __future__ import annotations

import asyncio
import base64
import importlib
from typing import Any

import httpx
import httpx2
import pytest
from agentwrit_apps import FAST, TASK, MakeApp, do, paths
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from endpoint import answer
from standins.agentwrit import CLIENT_ID, CLIENT_SECRET, PEM, BrokerStandin

import watchword
from watchword.providers import agentwrit
from watchword.providers.agentwrit import (
    AgentWritApp,
    AgentWritError,
    AsyncAgentWritApp,
    AuthorizationError,
    Broker,
    DelegatedToken,
    HealthStatus,
    ProblemResponseError,
    TrustedBrokers,
    scope_is_subset,
    validate,
    validate_async,
)


def test_as_documented(broker: BrokerStandin) -> None:
    app = AgentWritApp(broker_url=broker.url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    agent = app.create_agent(
        orch_id="my-service", task_id="read-customer-data", requested_scope=["read:data:customer-7291"]
    )
    assert agent.bearer_header == {"Authorization": f"Bearer {agent.access_token}"}
    result = validate(app.broker_url, agent.access_token)
    assert result.claims is not None
    assert result.claims.scope == ["read:data:customer-7291"]
    agent.release()
    assert validate(app.broker_url, agent.access_token).valid is False
    # In five lines.
    AgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET).create_agent("my-service", "task-1", ["read:data:customer-7291"])


def test_as_documented_in_tasks(broker: BrokerStandin) -> None:
    async def main() -> None:
        async with AsyncAgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET) as app:
            agent = await app.create_agent("my-service", "task-1", ["read:data:customer-7291"])
            result = await validate_async(app.broker_url, agent.access_token)
            assert result.valid
            assert (await app.validate(agent.access_token)) == result
            await agent.release()
            assert (await validate_async(app.broker_url, agent.access_token)).valid is False

    asyncio.run(main())


def test_an_agent(broker: BrokerStandin, app: Any) -> None:
    agent = do(app.create_agent(**TASK))
    assert agent.agent_id.startswith("spiffe://agentwrit.local/agent/my-service/read-customer-data/")
    assert (agent.orch_id, agent.task_id, agent.scope) == tuple(TASK.values())
    assert agent.expires_in == 300
    assert agent.released is False
    assert not hasattr(agent, "validate")
    assert paths(broker) == ["app/auth", "app/launch-tokens", "challenge", "register"]
    # It verifies offline as well: the token is the broker's.
    result = Broker(broker.url, PEM).validate(agent.access_token)
    assert result.valid, result.error
    assert result.claims.sub == agent.agent_id
    for shown in (repr(agent), str(agent), repr(app), str(app)):
        assert not any(secret in shown for secret in (agent.access_token, CLIENT_SECRET))
    assert repr(agent) == f"{type(agent).__name__}(agent_id={agent.agent_id!r}, orch_id='my-service', " + (
        "task_id='read-customer-data')"
    )


def test_closing(broker: BrokerStandin, make_app: MakeApp, form: str) -> None:
    if form == "thread":
        with make_app() as app:
            agent = app.create_agent(**TASK)
    else:

        async def enter() -> Any:
            async with make_app() as app:
                return app, await app.create_agent(**TASK)

        app, agent = asyncio.run(enter())
    # Agents live on, and so may the application: it authenticates anew.
    do(agent.renew())
    do(app.create_agent(**TASK))
    assert paths(broker).count("app/auth") == 2


def test_renewal(broker: BrokerStandin, app: Any) -> None:
    agent = do(app.create_agent(**TASK, max_ttl=60))
    names, old = (agent.agent_id, agent.scope, agent.orch_id, agent.task_id), agent.access_token
    assert do(agent.renew()) is None
    assert agent.access_token != old
    assert agent.expires_in == 60
    assert (agent.agent_id, agent.scope, agent.orch_id, agent.task_id) == names
    assert do(app.validate(agent.access_token)).valid
    assert do(app.validate(old)).valid is False
    sent = broker.server.requests[-3]
    assert (sent.path, sent.body, sent.headers["content-length"]) == ("/v1/token/renew", b"", "0")


def test_release(broker: BrokerStandin, app: Any) -> None:
    agent = do(app.create_agent(**TASK))
    assert do(agent.release()) is None
    assert agent.released
    do(agent.release())
    assert paths(broker).count("token/release") == 1
    for call in (agent.renew, lambda: agent.delegate(agent.agent_id, TASK["requested_scope"])):
        with pytest.raises(AgentWritError, match="released"):
            do(call())
    assert do(app.validate(agent.access_token)).valid is False


def test_an_agent_is_released_at_the_end_of_its_block(broker: BrokerStandin, make_app: MakeApp, form: str) -> None:
    app = make_app()

    def run(body: Any) -> Any:
        if form == "thread":
            with app.create_agent(**TASK) as agent:
                body(agent)
            return agent

        async def enter() -> Any:
            async with await app.create_agent(**TASK) as agent:
                body(agent)
            return agent

        return asyncio.run(enter())

    assert run(lambda agent: None).released
    kept: list[Any] = []

    def fail(agent: Any) -> None:
        kept.append(agent)
        raise LookupError("the block's own")

    with pytest.raises(LookupError):
        run(fail)
    assert kept[0].released
    # What a release raises does not hide what the block raised.
    broker.server.routes["/v1/token/release"] = answer("", 503)
    with pytest.raises(LookupError):
        run(fail)
    with pytest.raises(ProblemResponseError):
        run(lambda agent: None)


def test_delegation(broker: BrokerStandin, app: Any) -> None:
    first = do(app.create_agent(**{**TASK, "requested_scope": ["read:data:*", "write:data:a"]}))
    second = do(app.create_agent("other-service", "task-2", ["read:data:x"]))
    delegated = do(first.delegate(second.agent_id, ["read:data:a"]))
    assert isinstance(delegated, DelegatedToken)
    assert delegated.expires_in == 60
    (record,) = delegated.delegation_chain
    assert (record.agent, record.scope) == (first.agent_id, ["read:data:*", "write:data:a"])
    assert delegated.access_token not in repr(delegated)
    # The chain verifies offline, and the broker says the same.
    offline = Broker(broker.url, PEM).validate(delegated.access_token)
    assert offline.valid, offline.error
    assert offline.delegation.depth == 1
    online = do(app.validate(delegated.access_token))
    assert (online.valid, online.claims, online.checked_by) == (True, offline.claims, "broker")
    assert offline.checked_by == "key"
    assert do(first.delegate(delegate_to=second.agent_id, scope=["write:data:a"], ttl=7)).expires_in == 7
    # It outlives its delegator.
    do(first.release())
    assert do(app.validate(delegated.access_token)).valid


def test_a_delegation_never_widens(broker: BrokerStandin, app: Any) -> None:
    agent = do(app.create_agent(**TASK))
    before = len(paths(broker))
    for scope in (["read:data:*"], ["write:data:customer-7291"], ["read:data:customer-7291", "read:data:x"]):
        with pytest.raises(AuthorizationError) as failed:
            do(agent.delegate(agent.agent_id, scope))
        assert failed.value.status_code == 403
        assert failed.value.problem.error_code == "scope_violation"
    for scope in ([], ["read:*:x"], ["bad"]):
        with pytest.raises(ValueError, match=r"scope"):
            do(agent.delegate(agent.agent_id, scope))
    for wrong in ("agent-2", "https://x", ""):
        with pytest.raises(ValueError, match="delegate_to"):
            do(agent.delegate(wrong, TASK["requested_scope"]))
    for ttl, kind in ((0, ValueError), (True, TypeError), (1.5, TypeError)):
        with pytest.raises(kind, match="ttl"):
            do(agent.delegate(agent.agent_id, TASK["requested_scope"], ttl=ttl))
    with pytest.raises(TypeError):
        do(agent.delegate(agent.agent_id, "read:data:customer-7291"))
    assert len(paths(broker)) == before
    with pytest.raises(ProblemResponseError) as missing:
        do(agent.delegate("spiffe://agentwrit.local/agent/a/b/c", TASK["requested_scope"]))
    assert missing.value.status_code == 404


def test_a_chain_that_is_too_long(broker: BrokerStandin, app: Any) -> None:
    agent = do(app.create_agent(**TASK))
    token = agent.access_token
    for _ in range(5):
        # The delegate continues with the token that it was given.
        agent.access_token = do(agent.delegate(agent.agent_id, TASK["requested_scope"])).access_token
    assert Broker(broker.url, PEM).validate(agent.access_token).valid
    with pytest.raises(AuthorizationError, match="chain is too long"):
        do(agent.delegate(agent.agent_id, TASK["requested_scope"]))
    assert token != agent.access_token


def test_health(broker: BrokerStandin, app: Any) -> None:
    assert do(app.health()) == HealthStatus("ok", "2.0.0", 5, True, 3)
    assert paths(broker) == ["health"]
    broker.server.routes["/v1/health"] = answer(
        '{"status":"ok","version":"3","uptime":1,"db_connected":false,"audit_events_count":0,"region":"eu"}',
        Content_Type="application/json",
    )
    assert do(app.health()).extra == {"region": "eu"}


def test_the_user_agent_is_replaced(broker: BrokerStandin, make_app: MakeApp) -> None:
    do(make_app().health())
    do(make_app(user_agent="my-app/1").health())
    assert [headers["user-agent"] for headers in broker.headers] == [f"watchword/{watchword.__version__}", "my-app/1"]
    for wrong in ("", "a\r\nb: c", "ä"):
        with pytest.raises(ValueError, match="user_agent"):
            make_app(user_agent=wrong)


def test_validate_asks_the_broker_unless_its_key_is_known(broker: BrokerStandin, make_app: MakeApp) -> None:
    agent = do(make_app().create_agent(**TASK))
    before = len(paths(broker))
    brokers = TrustedBrokers()
    brokers.add(Broker(broker.url, PEM))
    app = make_app(brokers=brokers)
    assert do(app.validate(agent.access_token)).checked_by == "key"
    assert len(paths(broker)) == before
    assert do(make_app().validate(agent.access_token)).checked_by == "broker"
    assert len(paths(broker)) == before + 1
    do(agent.release())
    # What was revoked is known to the broker alone.
    assert do(app.validate(agent.access_token)).valid
    revoked = do(make_app().validate(agent.access_token))
    assert (revoked.valid, revoked.error, revoked.checked_by) == (False, "token is invalid or expired", "broker")


def test_plain_http_to_another_machine_is_a_named_setting(make_app: MakeApp) -> None:
    with pytest.raises(ValueError, match="https"):
        make_app(broker_url="http://broker.test")
    assert make_app(broker_url="http://broker.test/", allow_http_hosts=["Broker.TEST"]).broker_url == (
        "http://broker.test"
    )
    with pytest.raises(ValueError, match="https"):
        make_app(broker_url="http://broker.test", allow_http_hosts=["other.test"])
    with pytest.raises(TypeError, match="list"):
        make_app(broker_url="http://broker.test", allow_http_hosts="broker.test")
    with pytest.raises(ValueError, match="query"):
        make_app(broker_url="https://broker.test?x=1")


@pytest.mark.parametrize(
    "changes", [{"client_id": ""}, {"client_secret": ""}, {"client_id": None}, {"client_secret": b"x"}, {"timeout": 0}]
)
def test_invalid_settings(make_app: MakeApp, changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=next(iter(changes))):
        make_app(**{"call_settings": None, **changes})


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_ones_own(broker: BrokerStandin, make_app: MakeApp, form: str, library: Any) -> None:
    if form == "thread":
        with library.Client() as client:
            assert do(make_app(http_client=client).health()).status == "ok"
            return

    async def main() -> None:
        async with library.AsyncClient() as client:
            assert (await make_app(http_client=client).health()).status == "ok"

    asyncio.run(main())


def test_the_attributes_of_an_application(broker: BrokerStandin, make_app: MakeApp) -> None:
    app = make_app(broker_url=broker.url + "/", timeout=3.0, call_settings=None)
    assert (app.broker_url, app.client_id, app.client_secret) == (broker.url, CLIENT_ID, CLIENT_SECRET)
    assert (app.timeout, app.user_agent) == (3.0, None)
    assert make_app(call_settings=FAST).timeout == FAST.timeout


def test_the_names_of_the_packages_modules() -> None:
    for module, names in {
        "app": ["AgentWritApp"],
        "agent": ["Agent"],
        "models": ["DelegatedToken", "RegisterResult", "HealthStatus", "ValidateResult"],
        "errors": ["AuthorizationError", "TransportError"],
        "scope": ["scope_is_subset", "validate"],
    }.items():
        found = importlib.import_module(f"watchword.providers.agentwrit.{module}")
        assert all(getattr(found, name) is getattr(agentwrit, name) for name in names)


def test_crypto() -> None:
    from watchword.providers.agentwrit.crypto import (
        encode_signature_b64,
        export_public_key_b64,
        generate_keypair,
        sign_nonce,
    )

    key = generate_keypair()
    assert isinstance(key, Ed25519PrivateKey)
    signature = sign_nonce(key, "ab" * 32)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(export_public_key_b64(key)))
    public.verify(signature, bytes.fromhex("ab" * 32))
    assert base64.b64decode(encode_signature_b64(signature)) == signature
    # No server gets a token signed by offering its beginning as a nonce.
    for nonce in ("", "zz", "ab" * 257, b"eyJhbGciOiJFZERTQSJ9.e30".hex()):
        with pytest.raises(ValueError, match="nonce"):
            sign_nonce(key, nonce)


def test_scopes_gate_every_action(app: Any) -> None:
    agent = do(app.create_agent(**TASK))
    assert scope_is_subset(["read:data:customer-7291"], agent.scope)
    assert not scope_is_subset(["write:data:customer-7291"], agent.scope)
