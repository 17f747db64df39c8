"""The application behind a gateway: it records every byte of every request that reaches it, and answers 200."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

from wire import LONG, Pairs

#: What it answers, so that a test can tell its answer from a gateway's.
BODY = b'{"reached": true}'


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; names and values of its headers are as they were written."""

    head: bytes
    body: bytes

    @property
    def request_line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self) -> Pairs:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return tuple((name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines))

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]


class Upstream:
    """Listens on a free loopback port, with a thread for each connection, kept open unless the client closes it."""

    def __init__(self, listening: socket.socket, answer: Callable[[Seen], bytes], *, keep: bool = True) -> None:
        self._listening = listening
        self._answer = answer
        self._keep = keep
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._connections: set[socket.socket] = set()
        #: How many connections were accepted.
        self.accepted = 0
        self.port: int = listening.getsockname()[1]

    def seen(self, case: str) -> list[Seen]:
        """Return the requests with this value of ``X-Case``."""
        with self._lock:
            return [seen for seen in self._seen if case in seen.all("x-case")]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        # Closing alone does not wake up what waits for a connection.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while head := _read_head(stream):
                seen = Seen(head, b"")
                seen = Seen(head, _read_body(stream, seen))
                if self._keep:
                    with self._lock:
                        self._seen.append(seen)
                answer = self._answer(seen)
                connection.sendall(answer)
                ends = "close" in seen.all("connection") or b"\r\n\r\n" not in answer
                if ends or answer.startswith(b"HTTP/1.1 101"):
                    break
        with self._lock:
            self._connections.discard(connection)


@contextmanager
def recording(answer: Callable[[Seen], bytes] | None = None, *, keep: bool = True) -> Iterator[Upstream]:
    """Run an application while the block runs. An empty answer closes the connection.

    Without ``keep`` it forgets the requests, for long runs.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        upstream = Upstream(listening, answer or _answer, keep=keep)
        thread = threading.Thread(target=upstream.serve, daemon=True)
        thread.start()
        try:
            yield upstream
        finally:
            upstream.close()
            thread.join(LONG)


def _read_head(stream: BinaryIO) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    return head[:-4]


def _read_body(stream: BinaryIO, seen: Seen) -> bytes:
    read = stream.read
    if "chunked" in seen.all("transfer-encoding"):
        body = b""
        while size := int(stream.readline(), 16):
            body += read(size)
            read(2)
        read(2)
        return body
    lengths = seen.all("content-length")
    return bytes(read(int(lengths[0]))) if lengths else b""


def _answer(seen: Seen) -> bytes:
    keys = seen.all("sec-websocket-key")
    if keys:
        digest = hashlib.sha1(
            keys[0].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False
        ).digest()
        accepted = base64.b64encode(digest)
        start = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        frame = bytes([0x81, len(BODY)]) + BODY
        return start + b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n" + frame
    length = str(len(BODY)).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + length + b"\r\n\r\n"
    return head if seen.request_line.startswith("HEAD ") else head + BODY
