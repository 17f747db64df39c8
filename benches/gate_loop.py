"""The cost of the gate within an event loop, or without one: what a request adds to the application's own time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from contender import OWN_TIME, Alone
from gate_apps import PATH


class InLoop(Alone):
    """An ASGI application, called by a server that does nothing but make the scopes, with these tokens in turn."""

    def __init__(self, app: Any, tokens: Sequence[str]) -> None:
        self._app = app
        self._headers = itertools.cycle([_headers(token) for token in tokens])
        self._loop = asyncio.new_event_loop()
        self.statuses: set[int] = set()

    def turn(self, calls: int) -> float:
        return self._loop.run_until_complete(self._serve(list(itertools.islice(self._headers, calls))))

    async def _serve(self, requests: list[list[tuple[bytes, bytes]]]) -> float:
        app, statuses = self._app, self.statuses

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.add(message["status"])

        start = OWN_TIME()
        for headers in requests:
            # Here, as servers do: a scope that was made long before would have to come from memory.
            await app(_scope(headers), _receive, send)
        return OWN_TIME() - start

    def close(self) -> None:
        self._loop.close()


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def bare(_scope: Any, _receive: Any, send: Any) -> None:
    """The application: it answers, and nothing else."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def _headers(token: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"api.example"),
        (b"user-agent", b"python-httpx/0.28.1"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"connection", b"keep-alive"),
        (b"authorization", f"Bearer {token}".encode()),
    ]


def _scope(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """A scope as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": list(headers),
        "state": {},
    }


def checks(gate: Any, tokens: Sequence[str]) -> tuple[Any, list[list[tuple[bytes, bytes]]]]:
    """Return a function that checks a request with the gate alone, and the headers that it takes."""
    check, target = gate.check, PATH.encode()
    return lambda headers: check(method="GET", target=target, headers=headers), [_headers(token) for token in tokens]
