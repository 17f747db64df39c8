"""gRPC servers for the tests: one service, with handlers of every kind that grpcio knows, without protobuf.

Each handler answers with the caller's subject. A request that is parsed, and a handler that runs, are recorded.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from watchword.gate import Gate
from watchword.integrations.grpc import AioGateInterceptor, GateInterceptor, current_token

SERVICE = "orders.Orders"

#: For tokens of up to 16 KiB: gRPC's own limit for all metadata of an RPC is 8 KiB.
LARGE_METADATA = (("grpc.max_metadata_size", 64 * 1024), ("grpc.absolute_max_metadata_size", 64 * 1024))


class Record:
    """What a server has done."""

    def __init__(self) -> None:
        self.parsed: list[bytes] = []
        self.metadata: list[dict[str, Any]] = []

    def parse(self, raw: bytes) -> bytes:
        self.parsed.append(raw)
        return raw

    def caller(self, context: Any) -> bytes:
        self.metadata.append(dict(context.invocation_metadata()))
        token = current_token(context)
        return b"nobody" if token is None else str(token.subject).encode()


def synchronous(record: Record) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The handlers of ``grpc.server``, which ``grpc.aio.server`` runs in a thread pool."""

    def unary_unary(request: bytes, context: Any) -> bytes:
        return request + b" for " + record.caller(context)

    def unary_stream(request: bytes, context: Any) -> Iterator[bytes]:
        for number in range(3):
            yield b"%s %d for %s" % (request, number, record.caller(context))

    def stream_unary(requests: Iterator[bytes], context: Any) -> bytes:
        return b"+".join(requests) + b" for " + record.caller(context)

    def stream_stream(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            yield request + b" for " + record.caller(context)

    return _handlers(record, unary_unary, unary_stream, stream_unary, stream_stream)


def asynchronous(record: Record) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The handlers of ``grpc.aio.server``: coroutines and asynchronous generators."""

    async def unary_unary(request: bytes, context: Any) -> bytes:
        return request + b" for " + record.caller(context)

    async def unary_stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%s %d for %s" % (request, number, record.caller(context))

    async def stream_unary(requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b"+".join([request async for request in requests]) + b" for " + record.caller(context)

    async def stream_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request + b" for " + record.caller(context)

    return _handlers(record, unary_unary, unary_stream, stream_unary, stream_stream)


def reading_and_writing(record: Record) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The other form of streams in ``grpc.aio.server``: ``context.read()`` and ``context.write()``."""

    async def unary_stream(request: bytes, context: Any) -> None:
        for number in range(3):
            await context.write(b"%s %d for %s" % (request, number, record.caller(context)))

    async def stream_stream(_: object, context: Any) -> None:
        while (request := await context.read()) is not grpc.aio.EOF:
            await context.write(request + b" for " + record.caller(context))

    handlers = asynchronous(record)
    return {**handlers, **_handlers(record, None, unary_stream, None, stream_stream)}


def _handlers(record: Record, *behaviours: Any) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    return {
        kind: getattr(grpc, f"{kind}_rpc_method_handler")(behaviour, request_deserializer=record.parse)
        for kind, behaviour in zip(kinds, behaviours, strict=True)
        if behaviour is not None
    }


Handlers = dict[str, Any]


@contextmanager
def sync_server(gate: Gate, handlers: Handlers, **options: Any) -> Iterator[int]:
    """A ``grpc.server`` behind the gate: its port."""
    with ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool, interceptors=[GateInterceptor(gate)], options=options.get("options"))
        port = _prepare(server, handlers, options.get("credentials"))
        server.start()
        try:
            yield port
        finally:
            server.stop(0).wait()


@contextmanager
def aio_server(gate: Gate, handlers: Handlers, **options: Any) -> Iterator[int]:
    """A ``grpc.aio.server`` behind the gate, in a thread with an event loop: its port."""
    started = threading.Event()
    found: list[Any] = []

    async def serve() -> None:
        pool = ThreadPoolExecutor(8)
        server = grpc.aio.server(pool, interceptors=[AioGateInterceptor(gate)], options=options.get("options"))
        port = _prepare(server, handlers, options.get("credentials"))
        await server.start()
        stop = asyncio.Event()
        found.extend([port, asyncio.get_running_loop(), stop])
        started.set()
        await stop.wait()
        await server.stop(0)
        # Its threads may wait for the event loop, which must not wait for them.
        await asyncio.to_thread(pool.shutdown)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(30)
    port, loop, stop = found
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _prepare(server: Any, handlers: Handlers, credentials: grpc.ServerCredentials | None) -> int:
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if credentials is None:
        return int(server.add_insecure_port("127.0.0.1:0"))
    return int(server.add_secure_port("127.0.0.1:0", credentials))


#: The servers, each with the kinds of handlers that it may have.
SERVERS: dict[str, tuple[Callable[..., Any], Callable[[Record], Handlers]]] = {
    "grpc.server": (sync_server, synchronous),
    "grpc.aio.server": (aio_server, asynchronous),
    "grpc.aio.server, read and write": (aio_server, reading_and_writing),
    "grpc.aio.server, in threads": (aio_server, synchronous),
}


def call(channel: grpc.Channel, kind: str, metadata: Any = (), method: str | None = None) -> list[bytes]:
    """The responses to an RPC of that kind: with the request ``x``, or a stream of ``x`` and ``y``."""
    rpc = getattr(channel, kind)(f"/{SERVICE}/{method or kind}")
    request = iter([b"x", b"y"]) if kind.startswith("stream") else b"x"
    answer = rpc(request, metadata=tuple(metadata), timeout=60)
    return list(answer) if kind.endswith("stream") else [answer]
