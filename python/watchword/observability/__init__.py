"""What an operator sees: metrics, a log of decisions, and hooks that a gate calls after each check.

    metrics, log = Metrics(), DecisionLog()
    gate = Gate(verifier, routes, public_url="https://api.example", on_verdict=combine(metrics, log))

:mod:`watchword.observability.prometheus` exposes the metrics to Prometheus, and
:mod:`watchword.observability.opentelemetry` passes metrics and spans to OpenTelemetry; each needs the extra of its name
(``otel`` for the latter).
"""

from __future__ import annotations

from watchword.observability.decision_log import DecisionLog, DecisionLogStats
from watchword.observability.hooks import combine
from watchword.observability.metrics import BUCKETS, DurationLabels, Histogram, Metrics, VerdictLabels

__all__ = [
    "BUCKETS",
    "DecisionLog",
    "DecisionLogStats",
    "DurationLabels",
    "Histogram",
    "Metrics",
    "VerdictLabels",
    "combine",
]
