"""A request of Django as a gate takes it, and what a decision means for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse

from watchword.integrations import asgi, asgi_messages
from watchword.integrations._answers import Answer, joined, rejection
from watchword.integrations._wsgi_environ import FORM_LIMIT, EnvironRequest, is_form
from watchword.integrations.django.signals import request_allowed, request_rejected

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate
    from watchword.integrations._deciding import Arguments


class DjangoRequest(EnvironRequest):
    """A request, under WSGI or ASGI.

    ``META`` is the environment of a WSGI server, with a path that Django has decoded. Under ASGI it is made from the
    scope, which has what the client sent.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.META, encoding="utf-8")
        self._request = request
        self._scope: Any = getattr(request, "scope", None)

    def _read(self) -> Arguments:
        scope = self._scope
        if scope is None:
            return super()._read()
        if isinstance(scope.get("query_string"), str):
            # Of Django's test client, as Django accepts it.
            scope = {**scope, "query_string": scope["query_string"].encode()}
        target = asgi_messages.target(scope)
        # The view is chosen by the path, and the gate's route by the raw path.
        asgi_messages.check_path(scope, target.partition(b"?")[0])
        return {
            "method": self._request.method,
            "target": target,
            "headers": scope["headers"],
            "certificate": asgi_messages.certificate(scope.get("extensions") or {}),
        }

    def form(self) -> bytes | None:
        """Return the beginning of a form, or ``None``."""
        request = self._request
        if not is_form(request.META.get("CONTENT_TYPE", "")):
            return None
        try:
            # What another middleware has read already is kept there.
            read: bytes = request.body[:FORM_LIMIT] if hasattr(request, "_body") else request.read(FORM_LIMIT)
        except Exception:  # the client has disconnected, or another middleware has parsed the form
            return None
        return read or None

    def decision(self, gate: Gate, *, by_routes: bool = False) -> Decision | None:
        """Return the decision by which this gate has allowed the request before: here, or outside of Django."""
        # First, as a decorator may have found more since.
        return super().decision(gate, by_routes=by_routes) or self._outside(gate, by_routes=by_routes)

    def _outside(self, gate: Gate, *, by_routes: bool) -> Decision | None:
        decision = None if self._scope is None else asgi.remembered(self._scope, gate)
        return decision if decision is not None and (decision.route is not None or not by_routes) else None

    def admit(self, gate: Gate, decision: Decision, *, by_routes: bool) -> None:
        """Remove what clients may not send, and leave the decision for the application."""
        super().admit(gate, decision, by_routes=by_routes)
        if self._scope is not None:
            self._scope["headers"] = decision.forwarded_headers(self._scope["headers"])
        # Made from META when it is first used, which another middleware may have done.
        self._request.__dict__.pop("headers", None)


def settle(request: HttpRequest, decision: Decision) -> HttpResponse | None:
    """Return the response to a request that is rejected; for one that is allowed, set its attributes."""
    signal = _signal(request, decision)
    if signal is not None:
        signal.send_robust(HttpRequest, request=request, decision=decision)
    return None if decision.allowed else response(rejection(decision))


async def settle_async(request: HttpRequest, decision: Decision) -> HttpResponse | None:
    """As :func:`settle`, in an event loop."""
    signal = _signal(request, decision)
    if signal is not None:
        await signal.asend_robust(HttpRequest, request=request, decision=decision)
    return None if decision.allowed else response(rejection(decision))


def response(answer: Answer) -> HttpResponse:
    """Return an answer as a response of Django."""
    return HttpResponse(answer.body, status=answer.status, headers=joined(answer.headers))


def _signal(request: HttpRequest, decision: Decision) -> Signal | None:
    """Return the signal for a decision, ``None`` if it was sent before; set the attributes of an allowed request."""
    if not decision.allowed:
        return request_rejected
    is_known = getattr(request, "decision", None) is decision
    request.decision, request.token = decision, decision.token
    return None if is_known else request_allowed


__all__ = ["DjangoRequest", "response", "settle", "settle_async"]
