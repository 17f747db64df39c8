"""Calls by a client of the application's own, of httpx or httpx2."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import endpoint
import httpx
import httpx2
import pytest
from client_calls import FAST, GOOD, Failed, caller, token
from endpoint import LONG, Server

from watchword.client import Answer, Caller, CallSettings, Request, Verb


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_the_applications_own(server: Server, library: object) -> None:
    server.routes["/token"] = GOOD
    with library.Client(headers={"x-mine": "1"}) as client:  # type: ignore[attr-defined]
        assert caller(server, client=client).run(token(repeatable=True)) == "abc"
        assert not client.is_closed

    async def in_a_task() -> object:
        async with library.AsyncClient(headers={"x-mine": "1"}) as client:  # type: ignore[attr-defined]
            return await caller(server, async_client=client).run_async(token(repeatable=True))

    assert asyncio.run(in_a_task()) == "abc"
    assert [one.headers.get("x-mine") for one in server.requests] == ["1", "1"]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_an_applications_tests(library: Any) -> None:
    """``MockTransport``, whose responses have been read before they are streamed."""
    asked = []

    def handle(request: Any) -> Any:
        asked.append(request.content)
        return library.Response(200, json={"access_token": "abc"})

    transport = library.MockTransport(handle)
    options: dict[str, Any] = {"user_agent": "tests/1", "raise_as": Failed, "settings": FAST}
    with library.Client(transport=transport) as client:
        assert Caller("https://as.example", client=client, **options).run(token(repeatable=True)) == "abc"
        small = options | {"settings": CallSettings(max_bytes=4)}
        with pytest.raises(Failed, match="bytes"):
            Caller("https://as.example", client=client, **small).run(token(repeatable=True))

    async def in_a_task() -> object:
        async with library.AsyncClient(transport=transport) as client:
            asking = Caller("https://as.example", async_client=client, **options)
            return await asking.run_async(token(repeatable=True))

    assert asyncio.run(in_a_task()) == "abc"
    assert asked == [b"client_secret=s3cret-s3cret"] * 3


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_slow_body_on_a_pooled_connection_ends_at_the_deadline(library: object) -> None:
    """The socket of a reused connection is known from the response."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(endpoint.head(Content_Length=2) + b"{}")
            connection.recv(65536)
            connection.sendall(endpoint.head(Content_Length=2000))
            # Until the client has shut the connection down.
            while not stopped.wait(0.02):
                connection.sendall(b" ")

    def verb() -> Verb[int]:
        answer: Answer = yield Request("GET", "/")
        return answer.status

    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, library.Client() as client:  # type: ignore[attr-defined]
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = CallSettings(timeout=0.3, max_retries=0)
        asking = Caller(url, user_agent="t", raise_as=Failed, settings=settings, client=client)
        assert asking.run(verb()) == 200
        with pytest.raises(Failed, match="in time"):
            asking.run(verb())
        stopped.set()
        thread.join(LONG)
        assert not thread.is_alive()


def test_the_wrong_kind_of_client(server: Server) -> None:
    with httpx2.Client() as client, pytest.raises(TypeError, match="asynchronous client"):
        caller(server, async_client=client)
    with pytest.raises(TypeError, match="synchronous client"):
        caller(server, client=httpx2.AsyncClient())
