"""An interceptor for ``grpc.aio.server``: as the one for ``grpc.server``, without blocking the event loop."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc

from watchword.integrations.grpc.gated_context import GatedContext, certificate, pairs, target
from watchword.integrations.grpc.handlers import Behaviour, GatedHandlers, Parts
from watchword.integrations.grpc.interceptor import UNPARSABLE, checked
from watchword.integrations.grpc.rejection import Rejection

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate

_log = logging.getLogger("watchword.integrations.grpc")


class AioGateInterceptor(grpc.aio.ServerInterceptor):
    """Check every RPC of a ``grpc.aio.server``: see :class:`GateInterceptor`.

    The checks never block the event loop: they are awaited, or run in the server's ``migration_thread_pool`` for a
    handler that is not asynchronous.
    """

    def __init__(self, gate: Gate) -> None:
        self._handlers = GatedHandlers(lambda method, handler: _Checked(gate, method, handler).behaviour(), _UNKNOWN)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the method's handler behind the gate."""
        return self._handlers.get(handler_call_details.method, await continuation(handler_call_details))


class _Checked:
    """The behaviour of one RPC, behind the gate.

    grpcio runs a coroutine function or an asynchronous generator function in the event loop and everything else in a
    thread pool, so what stands for a behaviour has to be of the same kind.
    """

    def __init__(self, gate: Gate, method: str, handler: Parts) -> None:
        self._gate = gate
        self._method = method
        self._handler = handler

    def behaviour(self) -> Behaviour:
        if inspect.iscoroutinefunction(self._handler.behaviour):
            return self._coroutine
        if inspect.isasyncgenfunction(self._handler.behaviour):
            return self._async_generator
        synchronous = checked(self._gate, self._method, self._handler)
        return _generator(synchronous) if self._handler.response_streaming else synchronous

    async def _coroutine(self, request: Any, context: Any) -> Any:  # noqa: ANN401  # the application's messages
        arguments = await self._admit(request, context)
        return await self._handler.behaviour(*arguments)

    async def _async_generator(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ANN401  # as above
        arguments = await self._admit(request, context)
        async with contextlib.aclosing(self._handler.behaviour(*arguments)) as responses:
            async for response in responses:
                yield response

    async def _admit(self, request: Any, context: Any) -> tuple[Any, GatedContext]:  # noqa: ANN401  # as above
        """Return the arguments of the behaviour; raises, by ending the RPC, unless the gate allows it."""
        decision = await self._check(context)
        if not decision.allowed:
            await context.abort(*Rejection.of(decision))
            raise RuntimeError("abort() returned")
        if self._handler.parse is not None:
            try:
                request = self._handler.parse(request)
            except Exception:
                _log.exception("the request of %s could not be parsed", self._method)
                await context.abort(grpc.StatusCode.INTERNAL, UNPARSABLE)
        return request, GatedContext(context, decision)

    async def _check(self, context: Any) -> Decision:  # noqa: ANN401  # grpcio's class, which has no name
        try:
            metadata = pairs(context.invocation_metadata() or ())
            return await self._gate.check_async(
                method="POST", target=target(self._method), headers=metadata, certificate=certificate(context)
            )
        except Exception as error:  # fails closed, whatever it is
            return self._gate.failed(error)


def _generator(behaviour: Behaviour) -> Behaviour:
    # grpcio calls it in the event loop, and iterates in a thread.
    @functools.wraps(behaviour)
    def generate(request: Any, context: Any) -> Iterator[Any]:  # noqa: ANN401  # the application's messages
        yield from behaviour(request, context)

    return generate


async def _unknown(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]) -> None:
    # As grpcio answers, but only to those who may know.
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


# A stream, so that no request is waited for.
_UNKNOWN: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(_unknown)


__all__ = ["AioGateInterceptor"]
