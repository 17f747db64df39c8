"""Renewals and releases that happen at the same time, are cancelled, or whose answers are lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agentwrit_apps import MakeApp, do
from endpoint import LONG, Behaviour, Hang, reset
from standins.agentwrit import CLIENT_ID, CLIENT_SECRET, BrokerStandin, unverified

from watchword.client import CallSettings
from watchword.providers.agentwrit import (
    Agent,
    AgentWritApp,
    AgentWritError,
    AsyncAgentWritApp,
    AuthenticationError,
    TransportError,
)

RENEW, RELEASE, DELEGATE = "/v1/token/renew", "/v1/token/release", "/v1/delegate"
SCOPE = ["read:data:*"]
PATIENT = CallSettings(timeout=LONG, first_delay=0.0)


def hung(broker: BrokerStandin, path: str) -> Hang:
    hang = broker.server.routes[path] = Hang(broker.server.routes[path])
    return hang


def agent_of(broker: BrokerStandin) -> Agent:
    return AgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET, call_settings=PATIENT).create_agent("o", "t", SCOPE)


def started(*calls: Callable[[], object]) -> tuple[list[threading.Thread], list[BaseException]]:
    failures: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except AgentWritError as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    return threads, failures


def joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


def is_live(broker: BrokerStandin, token: str) -> bool:
    return unverified(token)["jti"] not in broker.revoked


def test_concurrent_renewals_in_threads_are_one(broker: BrokerStandin) -> None:
    agent = agent_of(broker)
    hang = hung(broker, RENEW)
    first, failures = started(agent.renew)
    broker.server.wait_for(1, RENEW)
    others, more = started(*[agent.renew] * 4)
    hang.released.set()
    joined(first + others)
    assert failures + more == []
    assert is_live(broker, agent.access_token)
    # Who came after the first was over has asked for one of their own.
    assert 1 <= broker.server.count(RENEW) <= 5


def test_concurrent_renewals_in_tasks_are_one(broker: BrokerStandin) -> None:
    async def main() -> None:
        app = AsyncAgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET, call_settings=PATIENT)
        agent = await app.create_agent("o", "t", SCOPE)
        hang = hung(broker, RENEW)
        renewing = [asyncio.ensure_future(agent.renew()) for _ in range(5)]
        await asyncio.to_thread(broker.server.wait_for, 1, RENEW)
        hang.released.set()
        await asyncio.gather(*renewing)
        assert is_live(broker, agent.access_token)

    asyncio.run(main())
    assert broker.server.count(RENEW) == 1


def test_a_cancelled_renewal_is_not_lost(broker: BrokerStandin) -> None:
    async def main() -> None:
        app = AsyncAgentWritApp(broker.url, CLIENT_ID, CLIENT_SECRET, call_settings=PATIENT)
        agent = await app.create_agent("o", "t", SCOPE)
        old = agent.access_token
        hang = hung(broker, RENEW)
        renewing = asyncio.ensure_future(agent.renew())
        await asyncio.to_thread(broker.server.wait_for, 1, RENEW)
        renewing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await renewing
        # A delegation waits for the token that is on its way.
        delegating = asyncio.ensure_future(agent.delegate(agent.agent_id, SCOPE))
        await asyncio.sleep(0)
        hang.released.set()
        await delegating
        assert agent.access_token != old
        assert is_live(broker, agent.access_token)

    asyncio.run(main())
    assert broker.server.count(RENEW) == 1


def test_a_delegation_that_a_renewal_overtakes_uses_the_new_token(broker: BrokerStandin) -> None:
    agent, helper = agent_of(broker), agent_of(broker)
    hang = hung(broker, DELEGATE)
    delegating, failures = started(lambda: agent.delegate(helper.agent_id, SCOPE))
    broker.server.wait_for(1, DELEGATE)
    agent.renew()
    hang.released.set()
    joined(delegating)
    assert failures == []
    # A token that is rejected for another reason is not sent again.
    broker.revoke(agent.access_token)
    with pytest.raises(AuthenticationError):
        agent.delegate(helper.agent_id, SCOPE)
    assert broker.server.count(DELEGATE) == 3


def test_a_release_during_a_renewal_releases_the_new_token(broker: BrokerStandin) -> None:
    agent = agent_of(broker)
    old = agent.access_token
    hang = hung(broker, RENEW)
    renewing, failures = started(agent.renew)
    broker.server.wait_for(1, RENEW)
    releasing, more = started(agent.release)
    hang.released.set()
    joined(renewing + releasing)
    assert failures + more == []
    assert agent.released
    assert agent.access_token != old
    assert not is_live(broker, agent.access_token)


def test_a_renewal_during_a_release_brings_no_token_back(broker: BrokerStandin) -> None:
    agent = agent_of(broker)
    hang = hung(broker, RELEASE)
    releasing, failures = started(agent.release, agent.release)
    broker.server.wait_for(1, RELEASE)
    late, refused = started(agent.renew, lambda: agent.delegate(agent.agent_id, SCOPE))
    hang.released.set()
    joined(releasing + late)
    assert failures == []
    assert agent.released
    assert broker.server.count(RELEASE) == 1
    assert (broker.server.count(RENEW), broker.server.count(DELEGATE)) == (0, 0)
    assert ["released" in str(error) for error in refused] == [True, True]


def lose_the_answer(broker: BrokerStandin, path: str, times: int) -> None:
    """Let the broker act on a request, and lose its answer."""
    act: Behaviour = broker.server.routes[path]

    class Muted:
        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def sendall(self, data: bytes) -> None:
            reset(self.connection, None)  # type: ignore[arg-type]

    def behave(connection: Any, request: Any) -> None:
        lost = broker.server.count(path) <= times
        act(Muted(connection) if lost else connection, request)

    broker.server.routes[path] = behave


def test_a_release_whose_answer_is_lost_is_repeated(broker: BrokerStandin, make_app: MakeApp) -> None:
    agent = do(make_app().create_agent("o", "t", SCOPE))
    lose_the_answer(broker, RELEASE, 1)
    # The second request is rejected, as the first was acted on: the agent is released.
    do(agent.release())
    assert agent.released
    assert broker.server.count(RELEASE) == 2


def test_a_release_that_had_no_answer_can_be_repeated_by_the_caller(broker: BrokerStandin, make_app: MakeApp) -> None:
    agent = do(make_app(call_settings=CallSettings(max_retries=0)).create_agent("o", "t", SCOPE))
    lose_the_answer(broker, RELEASE, 1)
    with pytest.raises(TransportError):
        do(agent.release())
    assert not agent.released
    do(agent.release())
    assert agent.released


def test_a_release_that_is_rejected_is_an_error(broker: BrokerStandin, make_app: MakeApp) -> None:
    agent = do(make_app().create_agent("o", "t", SCOPE))
    broker.revoke(agent.access_token)
    for call in (agent.release, agent.renew):
        with pytest.raises(AuthenticationError, match="token verification failed"):
            do(call())
    assert not agent.released


def test_a_renewal_whose_answer_is_lost_is_not_repeated(broker: BrokerStandin, make_app: MakeApp) -> None:
    agent = do(make_app().create_agent("o", "t", SCOPE))
    lose_the_answer(broker, RENEW, 1)
    with pytest.raises(TransportError):
        do(agent.renew())
    assert broker.server.count(RENEW) == 1


def test_a_renewed_token_is_kept_even_if_the_answer_lacks_its_lifetime(
    broker: BrokerStandin, make_app: MakeApp
) -> None:
    from endpoint import answer

    agent = do(make_app().create_agent("o", "t", SCOPE))
    broker.server.routes[RENEW] = answer('{"access_token": "new"}', Content_Type="application/json")
    with pytest.raises(TransportError, match="expires_in"):
        do(agent.renew())
    assert agent.access_token == "new"
