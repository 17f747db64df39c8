"""Requests byte by byte, over a socket: also what no HTTP client would send. HTTP/1.1, HTTP/2 and WebSockets."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions

LONG = 30.0  # seconds: for what must happen soon, on however slow a machine
HOST = "api.example"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wire:
    """A request as it is written; characters are bytes (Latin-1)."""

    method: str
    target: str
    headers: Pairs = ()
    body: bytes = b""
    websocket: bool = False
    #: The values of its ``Host`` headers.
    hosts: tuple[str, ...] = (HOST,)
    chunked: bool = False

    def __repr__(self) -> str:
        return f"{self.method} {self.target[:80]}, {len(self.headers)} headers"


@dataclass(frozen=True)
class Answer:
    """The response; ``status`` is 0 if the server closed the connection without one."""

    status: int
    headers: Pairs = ()
    body: bytes = field(default=b"", repr=False)

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def send(port: int, wire: Wire, protocol: str = "http/1.1") -> Answer:
    """Send the request to 127.0.0.1 on a connection of its own and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONG) as connection:
        try:
            if protocol == "h2":
                return _send_h2(connection, wire)
            connection.sendall(_written(wire))
            return _read(connection, wire)
        except (ConnectionError, http.client.BadStatusLine, h2.exceptions.ProtocolError):
            return Answer(0)


def _written(wire: Wire) -> bytes:
    headers: list[tuple[str, str]] = [*(("Host", host) for host in wire.hosts), *wire.headers]
    if wire.websocket:
        key = base64.b64encode(os.urandom(16)).decode()
        headers += [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        headers += [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key)]
    elif not any(name.lower() == "connection" for name, _ in wire.headers):
        headers.append(("Connection", "close"))
    body = wire.body
    if wire.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{wire.method} {wire.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _read(connection: socket.socket, wire: Wire) -> Answer:
    response = http.client.HTTPResponse(connection, method=wire.method)
    response.begin()
    headers = tuple(response.getheaders())
    if response.status != 101:
        return Answer(response.status, headers, response.read())
    # What the response has buffered of the first frame must not be lost.
    assert response.fp is not None
    return Answer(101, headers, _frame(response.fp))


def _frame(stream: Any) -> bytes:
    """Return the payload of the first frame of data or, for a close frame, its code (RFC 6455 section 5.2)."""
    first, length = stream.read(2)
    if length == 126:
        (length,) = struct.unpack("!H", stream.read(2))
    payload = stream.read(length)
    if first & 0x0F == 8:
        return json.dumps({"closed": struct.unpack("!H", payload[:2])[0] if payload else None}).encode()
    return payload


#: What HTTP/2 has no place for (RFC 9113 section 8.2.2).
_CONNECTION_SPECIFIC = {"connection", "upgrade", "transfer-encoding", "host"}


def _send_h2(connection: socket.socket, wire: Wire) -> Answer:
    """By prior knowledge (RFC 9113 section 3.3), unchecked: the server must check."""
    config = h2.config.H2Configuration(
        client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="latin-1"
    )
    state = h2.connection.H2Connection(config)
    state.initiate_connection()
    pseudo = [
        (":method", wire.method),
        (":scheme", "https"),
        *((":authority", host) for host in wire.hosts),
        (":path", wire.target),
    ]
    others = [(name.lower(), value) for name, value in wire.headers if name.lower() not in _CONNECTION_SPECIFIC]
    state.send_headers(1, [*pseudo, *others], end_stream=not wire.body)
    size = state.max_outbound_frame_size
    for start in range(0, len(wire.body), size):
        state.send_data(1, wire.body[start : start + size], end_stream=start + size >= len(wire.body))
    connection.sendall(state.data_to_send())
    return _read_h2(connection, state)


def _read_h2(connection: socket.socket, state: h2.connection.H2Connection) -> Answer:
    headers: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    body = b""
    while data := connection.recv(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                pairs = list(event.headers)
                headers = dict(pairs)
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                return Answer(int(headers[":status"]), _without_pseudo(pairs), body)
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                return Answer(0)
        connection.sendall(state.data_to_send())
    return Answer(0)


def _without_pseudo(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return tuple((name, value) for name, value in pairs if not name.startswith(":"))
