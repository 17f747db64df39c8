"""The arguments of the clients and of their calls."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import httpx2
import pytest
from paphwey_client_calls import AUDIENCE, Client, challenge, grant
from standins.paphwey import API_KEY, PaphweyGateway, serving

from watchword.client import CallSettings
from watchword.providers.paphwey import AsyncPaphweyClient, GatewayApi, PaphweyClient

Make = Callable[..., Client]


@pytest.fixture
def gateway() -> Iterator[PaphweyGateway]:
    with serving() as gateway:
        yield gateway


@pytest.fixture(params=["thread", "task"])
def make(request: pytest.FixtureRequest, gateway: PaphweyGateway) -> Make:
    return lambda **options: Client(request.param, gateway.url, **options)


@pytest.fixture
def client(make: Make) -> Client:
    return make()


def test_the_user_agent_is_appended(make: Make, gateway: PaphweyGateway) -> None:
    make(user_agent="merchant-api/2.1 (+https://merchant.example)").create(grant())
    own, _, added = gateway.sent()[0]["user-agent"].partition(" ")
    assert own.startswith("watchword/")
    assert added == "merchant-api/2.1 (+https://merchant.example)"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_the_applications_own(gateway: PaphweyGateway, library: Any) -> None:
    with library.Client(headers={"User-Agent": "mine"}) as http:
        with PaphweyClient(gateway.url, API_KEY, httpx_client=http) as client:
            client.create_delegation(grant())
        assert not http.is_closed

    async def run() -> None:
        async with library.AsyncClient() as http:
            async with AsyncPaphweyClient(gateway.url, API_KEY, httpx_client=http) as client:
                await client.create_delegation(grant())
            assert not http.is_closed

    asyncio.run(run())
    assert len(gateway.delegations) == 2


def test_one_client_serves_many_tasks(gateway: PaphweyGateway) -> None:
    async def run() -> None:
        client = AsyncPaphweyClient(gateway.url, API_KEY)
        await asyncio.gather(*(client.create_delegation(grant()) for _ in range(8)))
        await client.aclose()

    asyncio.run(run())
    assert len(gateway.delegations) == 8


@pytest.mark.parametrize("kind", [PaphweyClient, AsyncPaphweyClient])
@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://www.paphwey.com"},
        {"base_url": "https://user:pw@www.paphwey.com"},
        {"base_url": None},
        {"api_key": ""},
        {"api_key": "a\r\nb"},
        {"api_key": " a.b"},
        {"api_key": None},
        {"timeout": 0},
        {"max_retries": -1},
        {"user_agent": "a\nb"},
        {"user_agent": ""},
        {"httpx_client": object()},
        {"on_invalid": "ignore"},
        {"api": {}},
        {"claim_names": {}},
        {"offline_verifier": object()},
        {"call_settings": {}},
        {"call_settings": CallSettings(), "timeout": 3.0},
        {"allow_http_hosts": "gateway.test"},
        {"allow_http_hosts": ["http://gateway.test"]},
    ],
    ids=str,
)
def test_invalid_settings(kind: Any, changes: dict[str, Any]) -> None:
    given = {"base_url": "https://www.paphwey.com", "api_key": API_KEY, **changes}
    with pytest.raises((TypeError, ValueError)) as caught:
        kind(**given)
    assert API_KEY not in str(caught.value)


def test_http_inside_a_cluster_is_allowed_by_name() -> None:
    named = PaphweyClient("http://gateway.test", API_KEY, allow_http_hosts=["Gateway.test"])
    assert repr(named) == "PaphweyClient('http://gateway.test')"


def test_invalid_arguments_send_nothing(client: Client, gateway: PaphweyGateway) -> None:
    asked = {"attestation_token": "a.b.c", "audience": AUDIENCE, "expected_delegation_id": "dlg_1"}
    for call in (
        lambda: client.create({"principal_email": "alice@shop.example"}),
        lambda: client.create(grant(metadata={"at": datetime.now(UTC)})),
        lambda: client.create(grant(metadata={"ratio": float("nan")})),
        lambda: client.present("", challenge()),
        lambda: client.present("..", challenge()),
        lambda: client.present("dlg_1"),
        lambda: client.present("dlg_1", {"audience": AUDIENCE}),
        lambda: client.verify(**{**asked, "audience": ""}),
        lambda: client.verify(**{**asked, "expected_delegation_id": ""}),
        lambda: client.verify(**{**asked, "attestation_token": ""}),
        lambda: client.verify(**asked, expected_action={"scope": "purchase", "amount_minor": 1}),
        lambda: client.verify(**asked, expected_action={"amount": 1}),
        client.verify,
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    assert gateway.requests == []


def test_a_client_shows_no_key_and_is_not_copied(client: Client) -> None:
    assert API_KEY not in repr(client.inner)
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="make one in each process"):
            copied(client.inner)


@pytest.mark.parametrize(
    "changes",
    [
        {"present_path": "present"},
        {"present_path": "/a?b"},
        {"verify_path": "/v/{delegation_id}"},
        {"verify_path": "/v/../w"},
        {"verify_path": 7},
        {"claims": ""},
        {"claims": "valid"},
        {"error_code": "code"},
        {"invalid_attestation_statuses": ("422",)},
    ],
    ids=str,
)
def test_invalid_names(changes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(changes))):
        GatewayApi(**changes)
