"""The CPU time that a server process needs for a request: a server in a process of its own, and a client.

The client is in this process and is not counted. It keeps some connections open and has one request on each of them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from free_port import free_port
from gate_apps import PATH
from samples import AUDIENCE

from watchword.testing import LocalIssuer

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16


class Served:
    """An application of ``gate_apps`` under uvicorn, and requests with these tokens in turn."""

    def __init__(self, app: str, settings: dict[str, object], tokens: Sequence[str]) -> None:
        self._requests = itertools.cycle([_request(token) for token in tokens])
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", f"gate_apps:{app}", "--factory", "--port", str(port)]
        command += [
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--lifespan",
            "off",
            "--no-access-log",
            "--log-level",
            "error",
        ]
        path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {**os.environ, "GATE_BENCH": json.dumps(settings), "PYTHONPATH": path}
        self._process = subprocess.Popen(command, env=env)
        self._port = port
        self._connections: list[socket.socket] = []
        try:
            self._connections = [self._connect() for _ in range(CONNECTIONS)]
        except BaseException:
            self.close()
            raise

    def status(self, token: str) -> int:
        """Return the status of one request."""
        connection = self._connections[0]
        connection.sendall(_request(token))
        return int(_answer(connection)[9:12])

    def turn(self, calls: int) -> float:
        """Return the seconds of the server's CPU time for this many requests."""
        requests = list(itertools.islice(self._requests, calls))
        start = self._cpu()
        for first in range(0, calls, CONNECTIONS):
            several = requests[first : first + CONNECTIONS]
            for connection, request in zip(self._connections, several, strict=False):
                connection.sendall(request)
            for connection, _ in zip(self._connections, several, strict=False):
                answer = _answer(connection)
                if not answer.startswith(b"HTTP/1.1 200 "):
                    raise AssertionError(f"a valid request was answered by {answer[:40]!r}: the comparison is void")
        return self._cpu() - start

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _cpu(self) -> float:
        """The time that the threads of the process have run, in seconds: exact, unlike the ticks of ``stat``."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def _connect(self) -> socket.socket:
        end = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._port), timeout=60)
            time.sleep(0.05)
        raise RuntimeError("uvicorn did not start")


class Several:
    """Processes of one application, which share each turn: some are up to a tenth slower than others, by chance."""

    def __init__(self, make: Callable[[], Served], processes: int) -> None:
        self.processes: list[Served] = []
        try:
            for _ in range(processes):
                self.processes.append(make())
        except BaseException:
            self.close()
            raise

    def turn(self, calls: int) -> float:
        share = -(-calls // len(self.processes))
        return sum(one.turn(share) for one in self.processes) * calls / (share * len(self.processes))

    def close(self) -> None:
        for one in self.processes:
            one.close()


@contextlib.contextmanager
def issuer_for_authgent() -> Iterator[LocalIssuer]:
    """Yield an issuer whose name is a URL on loopback, where authgent finds its keys: it reads one fixed path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.jwks()).encode()
            self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = LocalIssuer(f"http://127.0.0.1:{server.server_port}", audience=AUDIENCE, algorithms=("ES256",))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def _request(token: str) -> bytes:
    lines = [
        f"GET {PATH} HTTP/1.1",
        "Host: api.example",
        "User-Agent: python-httpx/0.28.1",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate",
        f"Authorization: Bearer {token}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(connection: socket.socket) -> bytes:
    """Return one whole response, whose length is given."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    while len(body) < length:
        body += _received(connection)
    return head


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data
