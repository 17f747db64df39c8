"""Metrics and spans for OpenTelemetry, by ``opentelemetry-api`` (the extra ``otel``).

    metrics = Metrics()
    hooks = combine(metrics, DurationHistogram(), CheckSpans())
    gate = Gate(verifier, routes, public_url="https://api.example", on_verdict=hooks)
    observe(metrics, gate)

Attributes are ``watchword.*``, as OpenTelemetry has no stable conventions for authentication, and the stable
``error.type`` with the code of a rejection.
"""

from __future__ import annotations

from watchword.observability.opentelemetry.meters import DurationHistogram, observe
from watchword.observability.opentelemetry.spans import CheckSpans
from watchword.observability.opentelemetry.trace_context import AsgiTraceContext, WsgiTraceContext

__all__ = ["AsgiTraceContext", "CheckSpans", "DurationHistogram", "WsgiTraceContext", "observe"]
