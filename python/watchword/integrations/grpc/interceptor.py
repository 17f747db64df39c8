"""An interceptor for ``grpc.server``: every RPC is checked before its request is parsed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc

from watchword.integrations.grpc.gated_context import GatedContext, certificate, pairs, target
from watchword.integrations.grpc.handlers import Behaviour, GatedHandlers, Parts
from watchword.integrations.grpc.rejection import Rejection

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate

_log = logging.getLogger("watchword.integrations.grpc")

#: What grpcio answers if the application's deserialiser fails.
UNPARSABLE = "Exception deserializing request!"


class GateInterceptor(grpc.ServerInterceptor):
    """Check every RPC of a ``grpc.server``, also those of methods that it does not have.

    The gate sees a POST to ``/package.Service/Method``, with the RPC's metadata as headers and the client's TLS
    certificate; a proof's ``htu`` is the gate's ``public_url`` followed by that path (RFC 9449 section 4.3). A rejected
    RPC ends before its request is parsed; its status is ``UNAUTHENTICATED`` for 401, ``PERMISSION_DENIED`` for 403,
    ``INVALID_ARGUMENT`` for 400, ``RESOURCE_EXHAUSTED`` for 429, ``UNAVAILABLE`` for 503, else ``INTERNAL``.

    A handler gets the token by :func:`current_token`, and its context has no metadata that only the gate may set. The
    checks run in the server's thread pool, since they may wait for an issuer's keys.
    """

    def __init__(self, gate: Gate) -> None:
        self._handlers = GatedHandlers(functools.partial(checked, gate), _UNKNOWN)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the method's handler behind the gate."""
        return self._handlers.get(handler_call_details.method, continuation(handler_call_details))


def checked(gate: Gate, method: str, handler: Parts) -> Behaviour:
    """Return a behaviour that runs the handler's if the gate allows the RPC."""

    # With the attributes by which grpcio finds a behaviour's own thread pool.
    @functools.wraps(handler.behaviour)
    def behave(request: Any, context: Any, *rest: Any) -> Any:  # noqa: ANN401  # the application's messages
        decision = check(gate, method, context)
        if not decision.allowed:
            return abort(context, Rejection.of(decision))
        if handler.parse is not None:
            try:
                request = handler.parse(request)
            except Exception:
                _log.exception("the request of %s could not be parsed", method)
                return context.abort(grpc.StatusCode.INTERNAL, UNPARSABLE)
        return handler.behaviour(request, GatedContext(context, decision), *rest)

    return behave


def check(gate: Gate, method: str, context: Any) -> Decision:  # noqa: ANN401  # one of two classes
    """Return the gate's decision on an RPC."""
    try:
        metadata = pairs(context.invocation_metadata() or ())
        return gate.check(method="POST", target=target(method), headers=metadata, certificate=certificate(context))
    except Exception as error:  # fails closed, whatever it is
        return gate.failed(error)


def abort(context: Any, rejection: Rejection) -> None:  # noqa: ANN401  # one of two classes
    """End an RPC; raises, so that nothing else of it runs."""
    context.set_trailing_metadata(rejection.trailing_metadata)
    context.abort(rejection.code, rejection.details)


def _unknown(_: Iterator[bytes], context: grpc.ServicerContext) -> None:
    # As grpcio answers, but only to those who may know.
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


# A stream, so that no request is waited for.
_UNKNOWN: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(_unknown)


__all__ = ["UNPARSABLE", "GateInterceptor", "abort", "check", "checked"]
