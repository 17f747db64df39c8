"""The time limit of an exchange in a thread, if the connection is made late, or the body has no length."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from endpoint import LONG, Server, head

from watchword.client import Answer, Caller, CallError, CallSettings, NoAnswerError, Request, Verb
from watchword.jwks import FetchError, HttpxFetcher


class SlowToConnect:
    """A client whose connection is there after the deadline only; then the server sends nothing."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.received: bytes | None = None

    @contextlib.contextmanager
    def stream(self, *_: object, extensions: dict[str, Any], **__: object) -> Iterator[Any]:
        (timer,) = [one for one in threading.enumerate() if one.name == "watchword-deadline"]
        timer.join(LONG)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(LONG)
            extensions["trace"](self.step, {"return_value": Stream(ours)})
            self.received = ours.recv(1)
            raise ConnectionError("the connection was shut")
        yield


class Stream:
    """A network stream of httpcore."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def get_extra_info(self, _: str) -> socket.socket:
        return self.connection


@pytest.mark.parametrize(
    "step",
    [
        "connection.connect_tcp.complete",
        "connection.start_tls.complete",
        "proxy.start_tls.complete",
        "socks.connect_tcp.complete",
        "socks.start_tls.complete",
    ],
)
def test_a_connection_that_is_made_after_the_deadline_is_shut_at_once(step: str) -> None:
    client = SlowToConnect(step)
    with pytest.raises(FetchError, match="in time"):
        HttpxFetcher(client).get("https://as.example", headers={}, timeout=0.05, max_bytes=1000)  # type: ignore[arg-type]
    assert client.received == b""


def test_a_body_that_the_deadline_cuts_off_is_not_complete(server: Server) -> None:
    """It has no length, so that it ends where the connection does."""
    server.routes["/"] = lambda c, r: (c.sendall(head()), server.stop.wait(LONG))[0]

    def verb() -> Verb[Answer]:
        return (yield Request("GET", "/"))

    def raised(error: CallError) -> Exception:
        assert isinstance(error, NoAnswerError)
        return TimeoutError(error.detail) if error.is_timeout else error

    caller = Caller(server.url, user_agent="t", raise_as=raised, settings=CallSettings(timeout=0.3, max_retries=0))
    with pytest.raises(TimeoutError, match="in time"):
        caller.run(verb())
