"""A real Redis (or Valkey) server on a free port of loopback, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from free_port import free_port


class Server:
    """Write to disk before every answer, so that nothing is lost when it is killed."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen([self._binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
                else:
                    return

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def binary() -> str:
    """Return the server's program. Skip the test if there is none, unless this run must test everything."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        reason = "there is no redis-server here (apt-get install redis-server)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    server = Server(binary(), folder)
    try:
        server.start()
        yield server
    finally:
        with contextlib.suppress(OSError, AssertionError):
            server.signal(signal.SIGCONT)
        server.kill()


class LosesAnswers:
    """A proxy that loses the answers to the first ``lost`` requests that contain ``word``."""

    def __init__(self, port: int, word: bytes, lost: int) -> None:
        self._upstream = port
        self._word = word
        self.left = lost
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A shutdown wakes the thread that waits for the next connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as server, contextlib.suppress(OSError):
            while request := client.recv(65536):
                server.sendall(request)
                answer = server.recv(65536)
                if self._word in request and self.left > 0:
                    self.left -= 1
                    return
                client.sendall(answer)
