"""What the hooks of watchword.observability cost for one decision: python benches/hooks.py

In nanoseconds, less a call of an empty function: the best of several rounds.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue
import timeit
from collections.abc import Callable
from time import perf_counter

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

import watchword as ww
from watchword.gate import Decision, Gate, OnVerdict, Route
from watchword.observability import DecisionLog, Metrics, combine
from watchword.observability.opentelemetry import CheckSpans, DurationHistogram
from watchword.testing import LocalIssuer

CALLS, ROUNDS = 500, 200


def nothing(_decision: Decision, _seconds: float) -> None:
    """Take a decision."""


def best(call: Callable[[], object]) -> float:
    """Return the nanoseconds of a call."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e9


def main() -> None:
    issuer = LocalIssuer(audience="https://api.example")
    verifier = issuer.verifier(token_cache=ww.TokenCache(max_bytes=1 << 20))
    gate = Gate(verifier, [Route("/orders", scopes=["orders:read"])], public_url="https://api.example")
    headers = [(b"authorization", f"Bearer {issuer.mint(scope='orders:read')}".encode())]

    def check() -> Decision:
        return gate.check(method="GET", target=b"/orders", headers=headers)

    allowed = check()
    rejected = gate.check(method="GET", target=b"/orders", headers=[(b"authorization", b"Bearer invalid")])
    null = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    lines: queue.SimpleQueue[object] = queue.SimpleQueue()
    logger = logging.Logger("decisions")
    logger.addHandler(logging.handlers.QueueHandler(lines))
    meters, tracers = MeterProvider(metric_readers=[InMemoryMetricReader()]), TracerProvider()
    hooks: list[tuple[str, OnVerdict, Decision]] = [
        ("Metrics", Metrics(), allowed),
        ("DecisionLog, not logged", DecisionLog(null), allowed),
        ("combine(Metrics, DecisionLog), not logged", combine(Metrics(), DecisionLog(null)), allowed),
        ("DecisionLog, a line for a stream", DecisionLog(null, max_per_second=None), rejected),
        ("DecisionLog, a line for a queue", DecisionLog(logger, max_per_second=None), rejected),
        ("DecisionLog, dropped by the limit", DecisionLog(null, max_per_second=1e-6, burst=1), rejected),
        ("DurationHistogram", DurationHistogram(meter_provider=meters), allowed),
        ("CheckSpans, no active span", CheckSpans(tracer_provider=tracers), allowed),
    ]
    floor = best(lambda: nothing(allowed, 1e-5))
    for name, hook, decision in hooks:
        print(f"{name:<45}{best(lambda hook=hook, decision=decision: hook(decision, 1e-5)) - floor:>9.0f}")
    with tracers.get_tracer("bench").start_as_current_span("GET /orders"):
        spans = CheckSpans(tracer_provider=tracers)
        print(f"{'CheckSpans':<45}{best(lambda: spans(allowed, 1e-5)) - floor:>9.0f}")
    print(f"{'gate.check of a cached token, no hook':<45}{(plain := best(check)):>9.0f}")
    gate.on_verdict = nothing
    print(f"{'  and what an empty hook adds':<45}{best(check) - plain:>9.0f}")
    print(f"{'  of which reading the clock twice takes':<45}{2 * best(perf_counter):>9.0f}")


if __name__ == "__main__":
    main()
