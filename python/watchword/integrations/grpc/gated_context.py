"""The context of an RPC that the gate allowed: with the decision, without metadata that the client may not send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from watchword import VerifiedToken
    from watchword.gate import Decision


class GatedContext:
    """A ``ServicerContext`` with the decision on its RPC.

    Everything but the invocation metadata is that of the context that it wraps.
    """

    def __init__(self, context: Any, decision: Decision) -> None:  # noqa: ANN401  # one of four classes
        self._context = context
        self.decision = decision

    def invocation_metadata(self) -> tuple[Any, ...]:
        """Return the client's metadata without the entries that only the gate may set."""
        metadata = self._context.invocation_metadata() or ()
        return tuple(entry for entry in metadata if not self.decision.is_removed(entry[0]))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the context has
        """Return the attribute of the wrapped context."""
        return getattr(self._context, name)


grpc.ServicerContext.register(GatedContext)
grpc.aio.ServicerContext.register(GatedContext)


def pairs(metadata: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Return metadata as pairs of text: binary values, which no header of ours has, are empty."""
    return [(name, value if isinstance(value, str) else "") for name, value in metadata]


def target(method: str) -> str:
    """Return the path of an RPC as a request target (RFC 9112 section 3.2.1).

    gRPC compares it as it is: there are no escapes in it and no query, so what would be one is escaped.
    """
    return method.replace("%", "%25").replace("?", "%3F")


def certificate(context: Any) -> str | None:  # noqa: ANN401  # one of four classes
    """Return the client's TLS certificate in PEM; ``None`` if the connection has none."""
    found = (context.auth_context() or {}).get("x509_pem_cert") or ()
    return next((pem.decode("ascii") for pem in found if pem), None)


def current_decision(context: grpc.ServicerContext | grpc.aio.ServicerContext[Any, Any]) -> Decision:
    """Return the gate's decision on the RPC of a handler's context.

    Raises ``LookupError`` if the context is not from one of the interceptors: the server has none, or the method's
    handler was called by something else.
    """
    decision: Decision | None = getattr(context, "decision", None)
    if decision is None:
        raise LookupError("this RPC did not pass a GateInterceptor: add one to the server's interceptors")
    return decision


def current_token(context: grpc.ServicerContext | grpc.aio.ServicerContext[Any, Any]) -> VerifiedToken | None:
    """Return the verified token of an RPC; ``None`` if its route is public, or optional and it has no token.

    Raises ``LookupError`` if the context is not from one of the interceptors.
    """
    return current_decision(context).token


__all__ = ["GatedContext", "certificate", "current_decision", "current_token", "pairs", "target"]
