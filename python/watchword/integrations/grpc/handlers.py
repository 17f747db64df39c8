"""Handlers of RPCs: one behaviour of four kinds, replaced while the rest stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

Behaviour = Callable[..., Any]

#: How many handlers are kept: a handler of a whole service may have any method.
_KEPT = 1024

_NAMES = {
    (False, False): "unary_unary",
    (False, True): "unary_stream",
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


class Parts(NamedTuple):
    """The behaviour of a handler, and how it gets its request.

    ``parse`` is the deserialiser of a single request. It is ``None`` for a stream: its messages are parsed when they
    are read.
    """

    behaviour: Behaviour
    parse: Callable[[bytes], Any] | None
    response_streaming: bool


def _parts(handler: grpc.RpcMethodHandler[Any, Any]) -> Parts:
    """Return the behaviour of a handler."""
    behaviour = getattr(handler, _NAMES[bool(handler.request_streaming), bool(handler.response_streaming)])
    parse = None if handler.request_streaming else handler.request_deserializer
    return Parts(behaviour, parse, bool(handler.response_streaming))


def _replace(handler: grpc.RpcMethodHandler[Any, Any], behaviour: Behaviour) -> grpc.RpcMethodHandler[Any, Any]:
    """Return a handler with another behaviour, whose single request is the bytes received."""
    name = _NAMES[bool(handler.request_streaming), bool(handler.response_streaming)]
    make = getattr(grpc, f"{name}_rpc_method_handler")
    made: grpc.RpcMethodHandler[Any, Any] = make(
        behaviour,
        request_deserializer=handler.request_deserializer if handler.request_streaming else None,
        response_serializer=handler.response_serializer,
    )
    return made


class GatedHandlers:
    """The handlers of a server's methods behind a gate, each made once.

    ``make`` returns the behaviour for a method and what its handler does. Handlers of methods that the server does not
    have are not kept, as a client may name any number of them.
    """

    def __init__(self, make: Callable[[str, Parts], Behaviour], unknown: grpc.RpcMethodHandler[Any, Any]) -> None:
        self._make = make
        self._unknown = unknown
        self._made: dict[str, tuple[object, grpc.RpcMethodHandler[Any, Any]]] = {}

    def get(self, method: str, handler: grpc.RpcMethodHandler[Any, Any] | None) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler of a method, behind the gate."""
        made = self._made.get(method)
        if made is not None and made[0] is handler:
            return made[1]
        shown = handler or self._unknown
        gated = _replace(shown, self._make(method, _parts(shown)))
        if handler is not None and len(self._made) < _KEPT:
            self._made[method] = (handler, gated)
        return gated


__all__ = ["Behaviour", "GatedHandlers", "Parts"]
