"""Call an ASGI application as a server does, without one: any scope, any messages."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple
from urllib.parse import unquote

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What an application sent."""

    messages: list[dict[str, Any]]

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The last value of each name; names are in lower case, as ASGI requires."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> Any:
        return json.loads(b"".join(message.get("body", b"") for message in self.messages[1:]))


def http(
    target: str = "/orders", headers: Headers | None = None, *, method: str = "GET", **more: Any
) -> dict[str, Any]:
    """The scope of an HTTP request."""
    return _scope("http", target, headers, method=method, http_version="1.1", scheme="https", **more)


def websocket(target: str = "/orders", headers: Headers | None = None, **more: Any) -> dict[str, Any]:
    """The scope of a WebSocket handshake."""
    return _scope("websocket", target, headers, scheme="wss", subprotocols=[], **more)


def _scope(kind: str, target: str, headers: Headers | None, **more: Any) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers or [],
        "state": {},
        "extensions": {},
        **more,
    }


def call(app: Any, scope: dict[str, Any], *received: dict[str, Any]) -> Answer:
    """Call the application, which receives these messages and then that the client has gone."""
    if not received:
        received = ({"type": "http.request"} if scope["type"] == "http" else {"type": "websocket.connect"},)
    waiting = [*received]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": f"{scope['type']}.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return Answer(sent)


class Application:
    """An application that remembers the scopes it is called with, and answers 204."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
        else:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
