"""What OpenTelemetry gets: instruments, a span of each check, and one trace ID for the span and the decision."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import decisions
import httpx
import pytest
from decisions import FakeDecision
from opentelemetry import trace
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from watchword.integrations.asgi import GateMiddleware
from watchword.observability import BUCKETS, DecisionLog, Metrics, combine
from watchword.observability.opentelemetry import (
    AsgiTraceContext,
    CheckSpans,
    DurationHistogram,
    WsgiTraceContext,
    observe,
)

ISSUER = "https://as.example"


class Meters:
    """A provider in memory, and what it collected."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader], exemplar_filter=AlwaysOnExemplarFilter())

    def collect(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> dict[frozenset[tuple[str, object]], Any]:
        """The data points of a metric by their attributes."""
        return {frozenset(point.attributes.items()): point for point in self.collect()[name].data.data_points}


@pytest.fixture(name="meters")
def _meters() -> Iterator[Meters]:
    meters = Meters()
    yield meters
    meters.provider.shutdown()


class Spans:
    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("a server")

    @property
    def checks(self) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == "watchword.check"]


@pytest.fixture(name="spans")
def _spans() -> Iterator[Spans]:
    spans = Spans()
    yield spans
    spans.provider.shutdown()


def test_counts_and_state_have_the_names_of_the_prometheus_metrics(
    meters: Meters, verifier: Any, good: str, issuer: Any
) -> None:
    metrics = Metrics()
    gate = decisions.make_gate(verifier, metrics)
    observe(metrics, gate, meter_provider=meters.provider)
    for token in (good, good, issuer.mint_bad("expired"), None):
        decisions.send(gate, token)
    found = {frozenset(point.items()): count for point, count in _counts(meters)}
    bearer = {"watchword.issuer": ISSUER, "watchword.scheme": "Bearer"}
    assert found == {
        frozenset({**bearer, "watchword.code": "allowed", "watchword.cached": "false"}.items()): 1,
        frozenset({**bearer, "watchword.code": "allowed", "watchword.cached": "true"}.items()): 1,
        frozenset({**bearer, "watchword.code": "expired", "watchword.cached": "false"}.items()): 1,
        frozenset({"watchword.code": "missing_token", "watchword.cached": "false"}.items()): 1,
    }
    collected = meters.collect()
    assert collected["watchword.token_cache.size"].unit == "By"
    assert collected["watchword.keys.cached"].data.data_points[0].value == 1
    assert collected["watchword.keys.fetches"].data.is_monotonic
    assert collected["watchword.replay_store.capacity"].data.data_points[0].value == 1_000_000


def _counts(meters: Meters) -> list[tuple[dict[str, object], float]]:
    return [(dict(key), point.value) for key, point in meters.points("watchword.verdicts").items()]


def test_each_collection_has_the_values_of_its_time(meters: Meters, verifier: Any) -> None:
    metrics = Metrics()
    observe(metrics, verifier, meter_provider=meters.provider)
    for expected in range(1, 4):
        metrics(FakeDecision(), 1e-5)
        assert [count for _, count in _counts(meters)] == [expected]


def test_durations_are_a_histogram_with_the_trace_as_exemplar(
    meters: Meters, spans: Spans, decide: Callable[[str], Any]
) -> None:
    hook = DurationHistogram(meter_provider=meters.provider)
    with spans.tracer.start_as_current_span("GET /orders") as server:
        hook(decide("allowed"), 1e-4)
    hook(decide("missing_token"), 1e-6)
    metric = meters.collect()["watchword.verdict.duration"]
    assert metric.unit == "s"
    found = {frozenset(point.attributes.items()): point for point in metric.data.data_points}
    allowed = found[
        frozenset({"watchword.result": "allowed", "watchword.scheme": "Bearer", "watchword.cached": False}.items())
    ]
    assert (allowed.count, allowed.sum, tuple(allowed.explicit_bounds)) == (1, 1e-4, BUCKETS)
    assert [exemplar.trace_id for exemplar in allowed.exemplars] == [server.get_span_context().trace_id]
    assert frozenset({"watchword.result": "rejected", "watchword.cached": False}.items()) in found


def test_a_check_is_a_child_of_the_active_span(spans: Spans, decide: Callable[[str], Any]) -> None:
    hook = CheckSpans(tracer_provider=spans.provider)
    decision = decide("expired")
    with spans.tracer.start_as_current_span("GET /orders") as server:
        hook(decision, 0.25)
    (span,) = spans.checks
    assert span.parent is not None
    assert span.parent.span_id == server.get_span_context().span_id
    assert span.end_time - span.start_time == 250_000_000
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == {
        "watchword.code": "expired",
        "watchword.issuer": ISSUER,
        "watchword.scheme": "Bearer",
        "watchword.cached": False,
        "watchword.route": "/orders/{id}",
        "watchword.trace_id": decision.trace_id,
        "error.type": "expired",
    }


def test_an_error_of_the_server_is_an_error_of_the_span(spans: Spans) -> None:
    hook = CheckSpans(tracer_provider=spans.provider)
    with spans.tracer.start_as_current_span("GET /orders"):
        hook(FakeDecision(code="keys_unavailable", status=503), 0.25)
    assert [span.status.status_code for span in spans.checks] == [StatusCode.ERROR]


def test_the_subject_is_there_only_if_asked_for_and_allowed(spans: Spans, decide: Callable[[str], Any]) -> None:
    plain = CheckSpans(tracer_provider=spans.provider)
    named = CheckSpans(subject_attribute="enduser.id", tracer_provider=spans.provider)
    with spans.tracer.start_as_current_span("GET /orders"):
        plain(decide("allowed"), 1e-5)
        named(decide("insufficient_scope"), 1e-5)
        named(decide("allowed"), 1e-5)
    assert [span.attributes.get("enduser.id") for span in spans.checks] == [None, None, "alice"]
    assert not any("alice" in str(span.attributes) for span in spans.checks[:2])


def test_without_an_active_or_recorded_span_there_is_none(decide: Callable[[str], Any]) -> None:
    spans, off = Spans(), Spans(sampler=ALWAYS_OFF)
    hook = CheckSpans(tracer_provider=spans.provider)
    hook(decide("expired"), 1e-5)
    with off.tracer.start_as_current_span("GET /orders"):
        hook(decide("expired"), 1e-5)
    assert spans.checks == []


@pytest.mark.parametrize("sent", [{}, {"traceparent": decisions.TRACEPARENT, "tracestate": "vendor=1"}])
def test_the_decision_has_the_trace_id_of_the_active_span(spans: Spans, gate: Any, sent: dict[str, str]) -> None:
    """Whether or not the client sent one, and whatever the instrumentation made of it."""
    found = []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        assert len(scope["headers"]) == len(headers)
        found.append(decisions.send(gate, **headers).trace_id)

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        names = ("traceparent", "tracestate")
        headers = {name: environ[f"HTTP_{name.upper()}"] for name in names if f"HTTP_{name.upper()}" in environ}
        found.append(decisions.send(gate, **headers).trace_id)
        return []

    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in sent.items()]}
    environ = {f"HTTP_{name.upper()}": value for name, value in sent.items()}
    with spans.tracer.start_as_current_span("GET /orders") as server:
        asyncio.run(AsgiTraceContext(asgi)(scope, None, None))
        WsgiTraceContext(wsgi)(environ, None)
    assert found == [trace.format_trace_id(server.get_span_context().trace_id)] * 2
    found.clear()
    asyncio.run(AsgiTraceContext(asgi)(scope, None, None))
    WsgiTraceContext(wsgi)(environ, None)
    assert len(found) == 2
    if sent:
        assert found == [decisions.TRACE] * 2


def test_answer_log_and_span_have_one_trace_id(spans: Spans, verifier: Any) -> None:
    stream = io.StringIO()
    gate = decisions.make_gate(verifier, combine(CheckSpans(tracer_provider=spans.provider), DecisionLog(stream)))

    async def never(*_: Any) -> None:
        raise AssertionError("the request is rejected")

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(AsgiTraceContext(GateMiddleware(never, gate)))
        async with httpx.AsyncClient(transport=transport, base_url=decisions.API) as client:
            return await client.get("/orders/1", headers={"Authorization": "Bearer invalid"})

    with spans.tracer.start_as_current_span("GET /orders") as server:
        answer = asyncio.run(get())
    assert answer.status_code == 401
    (check,) = spans.checks
    trace_id = trace.format_trace_id(server.get_span_context().trace_id)
    logged = json.loads(stream.getvalue())["trace_id"]
    shown = check.attributes["watchword.trace_id"]
    assert answer.json()["trace_id"] == logged == shown == trace_id
    assert check.context.trace_id == server.get_span_context().trace_id


def test_hooks_together(meters: Meters, spans: Spans, verifier: Any, good: str) -> None:
    metrics = Metrics()
    hook = combine(
        metrics, DurationHistogram(meter_provider=meters.provider), CheckSpans(tracer_provider=spans.provider)
    )
    gate = decisions.make_gate(verifier, hook)
    with spans.tracer.start_as_current_span("GET /orders"):
        assert decisions.send(gate, good).allowed
    assert sum(metrics.verdicts().values()) == len(spans.checks) == 1
