"""The middleware: every request of a project, by the gate's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

from watchword.integrations._deciding import decide, decide_async, document
from watchword.integrations.django.request import DjangoRequest, response, settle, settle_async
from watchword.integrations.django.setting import get_gate


class GateMiddleware:
    """Checks every request with the gate of the setting ``WATCHWORD_GATE``, by its routes.

    Put it first in ``MIDDLEWARE``: what a middleware before it answers is not checked. A rejected request is answered
    by the gate. For an allowed one, ``request.decision`` is the :class:`~watchword.gate.Decision` and
    ``request.token`` its :class:`~watchword.VerifiedToken`, ``None`` on public and optional routes. Headers that
    clients may not send are removed from the request. The protected resource metadata (RFC 9728) is served at
    ``gate.metadata_path``, to anyone.

    Under ASGI it does not block the event loop. Raises ``ImproperlyConfigured`` when the server starts if the setting
    is missing or invalid.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        get_gate()
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Return the response to one request, or under ASGI an awaitable of it."""
        if self._is_async:
            return self._call_async(request)
        gate, sent = get_gate(), DjangoRequest(request)
        found = document(gate, sent)
        answer = settle(request, decide(gate, sent)) if found is None else response(found)
        return cast("HttpResponse", self._get_response(request)) if answer is None else answer

    async def _call_async(self, request: HttpRequest) -> HttpResponse:
        gate, sent = get_gate(), DjangoRequest(request)
        found = document(gate, sent)
        answer = await settle_async(request, await decide_async(gate, sent)) if found is None else response(found)
        return await self._get_response(request) if answer is None else answer


__all__ = ["GateMiddleware"]
