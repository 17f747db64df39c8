"""An HTTP server on loopback with programmable behaviour, also what no server should do; and keys and tokens for it."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = "https://as.example"
LONG = 30.0  # seconds: for what must happen soon, on however slow a machine


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Key:
    """An Ed25519 key of an issuer."""

    kid: str | None
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)

    @property
    def jwk(self) -> dict[str, str]:
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(self.private.public_key().public_bytes_raw())}
        return jwk if self.kid is None else {**jwk, "kid": self.kid}

    def token(self, issuer: str, *, kid: str | None = "", **claims: object) -> str:
        """Return a good token of ``issuer``; ``kid`` is that of its header (``""``: the key's, ``None``: absent)."""
        header: dict[str, object] = {"alg": "EdDSA", "typ": "JWT"}
        kid = self.kid if kid == "" else kid
        if kid is not None:
            header["kid"] = kid
        # Modules sign tokens when they are collected, which may be long before their tests run.
        body = {"iss": issuer, "sub": "agent-7", "exp": int(time.time()) + 86_400, **claims}
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}"
        return f"{signed}.{b64(self.private.sign(signed.encode()))}"


def jwks(*keys: Key) -> bytes:
    return json.dumps({"keys": [key.jwk for key in keys]}).encode()


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    at: float
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)


Behaviour = Callable[[socket.socket, Request], None]


def head(status: int = 200, **headers: object) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(body: bytes | str = b"", status: int = 200, **headers: object) -> Behaviour:
    data = body.encode() if isinstance(body, str) else body

    def behave(connection: socket.socket, request: Request) -> None:
        given = {"Content_Length": len(data), "Connection": "close", **headers}
        connection.sendall(head(status, **{name: value for name, value in given.items() if value is not None}) + data)

    return behave


def raw(data: bytes) -> Behaviour:
    return lambda connection, request: connection.sendall(data)


def reset(connection: socket.socket, request: Request) -> None:
    """Reset the connection, instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(*parts: bytes, every: float, stop: threading.Event) -> Behaviour:
    """Send a byte now and then, never all of them."""

    def behave(connection: socket.socket, request: Request) -> None:
        for byte in b"".join(parts):
            if stop.wait(every):
                return
            connection.sendall(bytes([byte]))

    return behave


class Hang:
    """Block every request until released, then answer it as ``then`` does (or not at all)."""

    def __init__(self, then: Behaviour | None = None) -> None:
        self.then = then
        self.released = threading.Event()

    def __call__(self, connection: socket.socket, request: Request) -> None:
        self.released.wait(LONG)
        if self.then is not None:
            self.then(connection, request)


class Server:
    """One connection, one request. ``routes`` has the behaviour of each path; all others are 404."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.routes: dict[str, Behaviour] = {}
        self.requests: list[Request] = []
        self.answered: list[Request] = []
        """Those whose answer was sent to the end."""
        self.stop = threading.Event()
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'' if tls is None else 's'}://127.0.0.1:{self.port}"
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._acceptor = threading.Thread(target=self._accept, name="test-server")
        self._acceptor.start()

    def close(self) -> None:
        self.stop.set()
        for behaviour in self.routes.values():
            if isinstance(behaviour, Hang):
                behaviour.released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(LONG)
        for thread in self._threads:
            thread.join(LONG)

    def count(self, path: str | None = None) -> int:
        with self._changed:
            return sum(path in (None, request.path) for request in self.requests)

    def wait_for(self, count: int, path: str | None = None) -> None:
        """Wait for this number of requests."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: sum(path in (None, request.path) for request in self.requests) >= count, LONG
            )
        assert done, f"{count} requests were expected"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="test-connection")
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._answer(connection)
        connection.close()

    def _answer(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                part = connection.recv(65536)
                if not part:
                    return
                data += part
            top, _, body = data.partition(b"\r\n\r\n")
            first, *lines = top.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if ": " in line)}
            while len(body) < int(headers.get("content-length", 0)):
                body += connection.recv(65536)
            method, path, _ = first.split(" ")
            request = Request(path, headers, time.monotonic(), method, body)
            behaviour = self.routes.get(request.path.partition("?")[0], answer(status=404))
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            behaviour(connection, request)
            self.answered.append(request)
        self._open.discard(connection)


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(tls)
    try:
        yield server
    finally:
        server.close()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += seconds


def eventually(condition: Callable[[], object]) -> None:
    """Wait for a condition that another thread is about to fulfil."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "the condition was not fulfilled"
        time.sleep(0.002)
