"""Spans of the clients' calls: what they say, what they never say, and none without OpenTelemetry."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from endpoint import Server, answer
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from paphwey_client_calls import AUDIENCE, EMAIL, FAST, Client, challenge, grant
from standins.paphwey import API_KEY, serving

from watchword.providers.paphwey import AsyncPaphweyClient
from watchword.providers.paphwey.errors import PaphweyError, PaphweyTransportError, PaphweyVerificationError


class Spans:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("a server")

    def take(self) -> list[ReadableSpan]:
        finished = list(self.exporter.get_finished_spans())
        self.exporter.clear()
        return finished


@pytest.fixture
def spans() -> Iterator[Spans]:
    spans = Spans()
    yield spans
    spans.provider.shutdown()


@pytest.mark.parametrize("form", ["thread", "task"])
def test_every_call_has_a_span(spans: Spans, form: str) -> None:
    with serving() as gateway:
        client = Client(form, gateway.url, tracer_provider=spans.provider)
        with spans.tracer.start_as_current_span("request") as outer:
            gateway.failures.append((503, {}))
            delegation = client.create(grant())
            opened = client.present(delegation.delegation_id, challenge())
            raw = gateway.approve(opened.approval_url)
            client.verify(attestation_token=raw, audience=AUDIENCE, expected_delegation_id=delegation.delegation_id)
            assert get_current_span() is outer
        *calls, _ = spans.take()
        port = int(gateway.url.rpartition(":")[2])
    assert [span.name for span in calls] == [
        "POST /api/v1/agent/delegations",
        "POST /api/v1/agent/delegations/{delegation_id}/present",
        "POST /api/v1/agent/outcomes/verify",
    ]
    names = ("create_delegation", "present_delegation", "verify_outcome")
    for span, name, status in zip(calls, names, (201, 201, 200), strict=True):
        assert span.kind is SpanKind.CLIENT
        assert span.parent is not None
        assert span.parent.span_id == outer.get_span_context().span_id
        assert dict(span.attributes or {}) == {
            "http.request.method": "POST",
            "http.response.status_code": status,
            "server.address": "127.0.0.1",
            "server.port": port,
            "url.template": span.name.removeprefix("POST "),
            "watchword.operation": f"paphwey.{name}",
        }
        assert span.status.status_code is StatusCode.UNSET
        written = span.to_json()
        for secret in (API_KEY, EMAIL, raw, delegation.delegation_id, opened.approval_url, "1500"):
            assert secret not in written


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (422, {"code": "SPEND_CAP_EXCEEDED"}, "422", "SPEND_CAP_EXCEEDED"),
        (500, {}, "500", "http_500"),
        (200, {"valid": False, "code": "expired"}, "PaphweyVerificationError", "expired"),
        (200, {}, "PaphweyTransportError", "invalid_response"),
    ],
)
def test_a_failed_call_says_why(
    server: Server, spans: Spans, status: int, body: dict[str, Any], kind: str, code: str
) -> None:
    server.routes["/api/v1/agent/outcomes/verify"] = answer(json.dumps(body), status, Content_Type="application/json")
    client = Client("thread", server.url, call_settings=FAST, tracer_provider=spans.provider)
    with pytest.raises(PaphweyError):
        client.verify(attestation_token="a.b.c", audience=AUDIENCE, expected_delegation_id="dlg_1")
    (span,) = spans.take()
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes["error.type"] == kind
    assert span.attributes["watchword.code"] == code
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.events == ()


def test_a_call_without_an_answer(server: Server, spans: Spans) -> None:
    client = Client("task", server.url, call_settings=FAST, tracer_provider=spans.provider)
    server.close()
    with pytest.raises(PaphweyTransportError):
        client.verify(attestation_token="a.b.c", audience=AUDIENCE, expected_delegation_id="dlg_1")
    (span,) = spans.take()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "PaphweyTransportError"
    assert "http.response.status_code" not in span.attributes


def test_a_cancelled_call_ends_its_span(server: Server, spans: Spans) -> None:
    server.routes["/api/v1/agent/delegations"] = lambda connection, request: server.stop.wait() and None
    client = AsyncPaphweyClient(server.url, API_KEY, tracer_provider=spans.provider)

    async def run() -> None:
        task = asyncio.ensure_future(client.create_delegation(grant()))
        await asyncio.to_thread(server.wait_for, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    (span,) = spans.take()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "CancelledError"


def test_concurrent_calls_have_their_own_parents(spans: Spans) -> None:
    with serving() as gateway:
        client = AsyncPaphweyClient(gateway.url, API_KEY, tracer_provider=spans.provider)

        async def one() -> int:
            with spans.tracer.start_as_current_span("request") as outer:
                await client.create_delegation(grant())
                assert get_current_span() is outer
                return outer.get_span_context().span_id

        async def run() -> list[int]:
            return await asyncio.gather(*(one() for _ in range(4)))

        parents = asyncio.run(run())
    calls = [span for span in spans.take() if span.kind is SpanKind.CLIENT]
    assert sorted(span.parent.span_id for span in calls if span.parent) == sorted(parents)


def test_an_invalid_attestation_that_is_returned_is_an_error_of_the_span(server: Server, spans: Spans) -> None:
    body = json.dumps({"valid": False, "code": "expired"})
    server.routes["/api/v1/agent/outcomes/verify"] = answer(body, Content_Type="application/json")
    client = Client("thread", server.url, on_invalid="return", tracer_provider=spans.provider)
    asked = {"attestation_token": "a.b.c", "audience": AUDIENCE, "expected_delegation_id": "dlg_1"}
    assert not client.verify(**asked).valid
    (span,) = spans.take()
    assert span.attributes is not None
    assert span.attributes["error.type"] == PaphweyVerificationError.__name__


def test_without_the_package_there_are_no_spans(server: Server) -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from watchword.providers.paphwey import PaphweyClient\n"
        "from watchword.providers.paphwey.errors import PaphweyVerificationError\n"
        "client = PaphweyClient(sys.argv[1], 'a.b')\n"
        "asked = dict(attestation_token='a.b.c', audience='m', expected_delegation_id='d')\n"
        "try:\n    client.verify_outcome(**asked)\n"
        "except PaphweyVerificationError as error:\n    print(error.code)\n"
    )
    body = '{"valid": false, "code": "expired"}'
    server.routes["/api/v1/agent/outcomes/verify"] = answer(body, Content_Type="application/json")
    command = [sys.executable, "-W", "error", "-c", program, server.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "expired", done.stderr
