"""A strict stand-in for the broker, and an application in either form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agentwrit_apps import FAST, MakeApp
from standins import agentwrit as standin
from standins.agentwrit import CLIENT_ID, CLIENT_SECRET, BrokerStandin

from watchword.providers.agentwrit import AgentWritApp, AsyncAgentWritApp


@pytest.fixture
def broker() -> Iterator[BrokerStandin]:
    with standin.running() as running:
        yield running


@pytest.fixture(params=["thread", "task"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_app(broker: BrokerStandin, form: str) -> MakeApp:
    kind = AgentWritApp if form == "thread" else AsyncAgentWritApp

    def make(**options: Any) -> Any:
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "call_settings": FAST, **options}
        return kind(given.pop("broker_url", broker.url), **given)

    return make


@pytest.fixture
def app(make_app: MakeApp) -> Any:
    return make_app()
