"""ASGI applications under uvicorn, in a thread, on a free loopback port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def loopback_socket() -> Iterator[tuple[socket.socket, str]]:
    """A listening socket on loopback, and its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def serving(app: Any, listening: socket.socket) -> Iterator[None]:
    """Runs the application until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def on_loopback(make: Callable[[str], Any]) -> Iterator[str]:
    """Runs the application that ``make`` returns for an origin: that origin."""
    with loopback_socket() as (listening, origin), serving(make(origin), listening):
        yield origin


__all__ = ["loopback_socket", "on_loopback", "serving"]
