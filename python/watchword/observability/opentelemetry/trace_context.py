"""The trace context of the active span as that of the request, so that the gate finds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class AsgiTraceContext:
    """ASGI middleware that gives requests the ``traceparent`` of the active span: decisions then have its trace ID.

    It replaces what the client sent as ``traceparent`` and ``tracestate`` (W3C Trace Context section 3). Put it between
    the server's instrumentation, which makes the span, and the gate. Without an active span, nothing is changed.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        """Call the application."""
        context = _active_context()
        if context and scope["type"] in ("http", "websocket"):
            kept = [(name, value) for name, value in scope["headers"] if name not in _CONTEXT_HEADERS]
            added = [(name.encode("ascii"), value.encode("latin-1")) for name, value in context.items()]
            scope = {**scope, "headers": kept + added}
        await self._app(scope, receive, send)


class WsgiTraceContext:
    """As :class:`AsgiTraceContext`, for WSGI."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application."""
        context = _active_context()
        if context:
            environ = {**environ}
            for name in ("traceparent", "tracestate"):
                environ.pop(f"HTTP_{name.upper()}", None)
                if name in context:
                    environ[f"HTTP_{name.upper()}"] = context[name]
        return self._app(environ, start_response)


_CONTEXT_HEADERS = (b"traceparent", b"tracestate")


def _active_context() -> dict[str, str]:
    """Return the headers of the active span; none if there is no active span."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


__all__ = ["AsgiTraceContext", "WsgiTraceContext"]
