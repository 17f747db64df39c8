"""A span of each check."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, get_current_span, get_tracer

from watchword import __version__

if TYPE_CHECKING:
    from watchword.gate import Decision


class CheckSpans:
    """Makes a span of each check: an ``on_verdict`` for a :class:`watchword.gate.Gate`.

    The span ``watchword.check`` is a child of the span that is active when the gate is called, above all that of the
    server's instrumentation. If none is active, or it is not recorded, no span is made. A rejection has ``error.type``,
    and is an error of the span if its status is 500 or above, as in OpenTelemetry's conventions for HTTP servers.

    ``watchword.trace_id`` is the trace ID of the decision, which the answer and the decision log have. It is that of
    the active span if the request has a ``traceparent``, or if the gate is inside :class:`AsgiTraceContext` or
    :class:`WsgiTraceContext`.

    ``subject_attribute`` names an attribute for the subject of allowed requests, such as ``enduser.id``, which is
    personal data (default: none). ``tracer_provider`` is the global one by default.
    """

    def __init__(self, *, subject_attribute: str | None = None, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = get_tracer("watchword", __version__, tracer_provider)
        self._subject_attribute = subject_attribute

    def __call__(self, decision: Decision, seconds: float) -> None:
        """Make a span of a decision that took ``seconds`` and has just been made."""
        if not get_current_span().is_recording():
            return
        end = time.time_ns()
        attributes = _attributes(decision)
        attributes["watchword.trace_id"] = decision.trace_id
        if decision.route is not None:
            attributes["watchword.route"] = decision.route
        if self._subject_attribute is not None and decision.allowed and decision.token is not None:
            subject = decision.token.subject
            if subject is not None:
                attributes[self._subject_attribute] = subject
        span = self._tracer.start_span(
            "watchword.check", kind=SpanKind.INTERNAL, attributes=attributes, start_time=end - int(seconds * 1e9)
        )
        if not decision.allowed and decision.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


def _attributes(decision: Decision) -> dict[str, str | bool]:
    attributes: dict[str, str | bool] = {"watchword.code": str(decision.code), "watchword.cached": decision.cached}
    if decision.issuer is not None:
        attributes["watchword.issuer"] = decision.issuer
    if decision.scheme is not None:
        attributes["watchword.scheme"] = decision.scheme
    if not decision.allowed:
        attributes["error.type"] = str(decision.code)
    return attributes


__all__ = ["CheckSpans"]
