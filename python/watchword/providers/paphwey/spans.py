"""A span of each call, by ``opentelemetry-api`` (the extra ``otel``); none if that is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

from watchword import __version__
from watchword.providers.paphwey.errors import PaphweyError


class TracerProvider(Protocol):
    """The part of OpenTelemetry's ``TracerProvider`` that is used."""

    def get_tracer(self, instrumenting_module_name: str, instrumenting_library_version: str | None = None, /) -> Any:  # noqa: ANN401
        """Return a tracer, whose spans are named after the module and its version."""
        ...


class CallSpan(Protocol):
    """What a call reports."""

    def answered(self, status: int) -> None:
        """Record the status of the last answer."""
        ...


class CallSpans:
    """Makes a span of each call of one client: a child of the active span, with its retries, active during the call.

    Its name is the method and the path as documented, without ids; its attributes are those of OpenTelemetry's
    semantic conventions for HTTP clients, and ``watchword.operation``. Nothing of a request or an answer is recorded
    but the status, and the ``code`` of an error as ``watchword.code``.
    """

    def __init__(self, base_url: str, tracer_provider: TracerProvider | None) -> None:
        self._tracer: Any = None
        # Without the package, there is nobody to report to.
        with contextlib.suppress(ImportError):
            from opentelemetry.trace import get_tracer

            made_by = get_tracer if tracer_provider is None else tracer_provider.get_tracer
            self._tracer = made_by("watchword", __version__)
        parts = urlsplit(base_url)
        self._server = {
            "server.address": parts.hostname or "",
            "server.port": parts.port or {"http": 80}.get(parts.scheme, 443),
        }

    @contextlib.contextmanager
    def of(self, name: str, path: str) -> Iterator[CallSpan]:
        """Return a context manager that is the span of the call ``name`` to ``path``."""
        if self._tracer is None:
            yield _NoSpan()
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode

        attributes = {
            "http.request.method": "POST",
            "url.template": path,
            "watchword.operation": f"paphwey.{name}",
            **self._server,
        }
        started = self._tracer.start_as_current_span(
            f"POST {path}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            # The traceback of an exception belongs in the application's log.
            record_exception=False,
            set_status_on_exception=False,
        )
        with started as span:
            try:
                yield _Recorded(span)
            except BaseException as error:
                status = error.status if isinstance(error, PaphweyError) else None
                is_answer = status is not None and not 200 <= status < 300
                span.set_attribute("error.type", str(status) if is_answer else type(error).__name__)
                if isinstance(error, PaphweyError):
                    span.set_attribute("watchword.code", error.code)
                span.set_status(Status(StatusCode.ERROR))
                raise


class _NoSpan:
    def answered(self, status: int) -> None:
        pass


class _Recorded:
    def __init__(self, span: Any) -> None:  # noqa: ANN401 - of the SDK
        self._span = span

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)


__all__ = ["CallSpan", "CallSpans"]
