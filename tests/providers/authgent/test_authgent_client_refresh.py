"""Refresh tokens, which can be used once: concurrent callers share one request, and none is repeated."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import authgent_calls
import endpoint
import pytest
from authgent_calls import BY_NAME, CREDENTIALS, FORMS, PATIENT, good, in_turn
from endpoint import LONG, Hang, Server

import watchword.providers.authgent as authgent
from watchword.client import CallSettings


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


def _refresh(client: Any, value: str = "tok_old", **options: Any) -> Any:
    return client.refresh_token(value, **CREDENTIALS, **options)


def test_concurrent_refreshes_share_one_request(server: Server) -> None:
    hang = server.routes["/token"] = Hang(good(BY_NAME["refresh_token"].good))
    client = authgent.AgentAuthClient(server.url, call_settings=PATIENT)

    async def tasks() -> list[authgent.TokenResult]:
        running = [asyncio.ensure_future(_refresh(client)) for _ in range(8)]
        await asyncio.to_thread(server.wait_for, 1)
        hang.released.set()
        return await asyncio.gather(*running)

    results = asyncio.run(tasks())
    assert {one.refresh_token for one in results} == {"tok_new"}
    assert server.count() == 1

    threaded = authgent.AgentAuthClientSync(server.url, call_settings=PATIENT)
    hang = server.routes["/token"] = Hang(good(BY_NAME["refresh_token"].good))
    threads = [threading.Thread(target=lambda: results.append(_refresh(threaded))) for _ in range(8)]
    for thread in threads:
        thread.start()
    server.wait_for(2)
    hang.released.set()
    for thread in threads:
        thread.join(LONG)
    assert len(results) == 16
    assert server.count() == 2


def test_a_cancelled_refresh_is_not_lost(server: Server) -> None:
    hang = server.routes["/token"] = Hang(good(BY_NAME["refresh_token"].good))
    client = authgent.AgentAuthClient(server.url, call_settings=PATIENT)

    async def work() -> str | None:
        first = asyncio.ensure_future(_refresh(client))
        await asyncio.to_thread(server.wait_for, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        hang.released.set()
        return (await _refresh(client)).refresh_token

    assert asyncio.run(work()) == "tok_new"
    assert server.count() == 1


def test_different_refreshes_are_different_requests(server: Server) -> None:
    server.routes["/token"] = good({**BY_NAME["refresh_token"].good, "token_type": "DPoP"})
    client = authgent.AgentAuthClientSync(server.url)
    one, two = authgent.DPoPClient(), authgent.DPoPClient()
    _refresh(client)
    _refresh(client)
    _refresh(client, "tok_other")
    _refresh(client, dpop=one)
    _refresh(client, dpop=one)
    _refresh(client, dpop=two)
    client.refresh_token("tok_old", client_id="agnt_1", client_secret="another")
    assert server.count() == 5


@pytest.mark.parametrize("form", FORMS)
def test_a_failed_refresh_is_not_repeated_by_itself(server: Server, form: str) -> None:
    server.routes["/token"] = in_turn(good({"error": "server_error"}, 500), good(BY_NAME["refresh_token"].good))
    client = authgent_calls.client(form, server.url, call_settings=CallSettings(max_retries=3, first_delay=0.0))
    arguments = BY_NAME["refresh_token"].arguments
    with pytest.raises(authgent.ServerError, match=r"Token refresh failed: the server answered 500 \(server_error\)"):
        authgent_calls.made(form, client, "refresh_token", **arguments)
    assert server.count() == 1
    assert authgent_calls.made(form, client, "refresh_token", **arguments).refresh_token == "tok_new"
