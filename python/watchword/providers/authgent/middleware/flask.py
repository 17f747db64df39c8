"""Middleware for Flask: ``AgentAuthMiddleware(app, issuer=…)``, or ``agent_auth_required(issuer=…)`` for one view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from watchword.providers.authgent.errors import AuthgentError
from watchword.providers.authgent.middleware.gate import (
    Answer,
    Gate,
    answer_without_gate,
    authorize,
    is_open,
    scopes_needed,
)
from watchword.providers.authgent.middleware.guard import Function, guard
from watchword.providers.authgent.models import AgentIdentity

try:
    from flask import Flask, Response, abort, g, jsonify, request
except ImportError as error:
    raise ImportError("this middleware needs Flask: pip install 'watchword[flask]'") from error

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword import AnyAudience
    from watchword.providers.authgent.middleware.gate import GateOptions


class AgentAuthMiddleware:
    """Verifies the access token of every request of an application, and its DPoP proof if it has one.

    ``g.authgent_identity`` (and ``g.agent_identity``) is then the sender's identity. ``/health``, ``/ready`` and paths
    below ``/.well-known/`` need no token. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.Gate`.
    """

    def __init__(
        self,
        app: Flask,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        **options: Unpack[GateOptions],
    ) -> None:
        self._gate = Gate(issuer, audience, **options)
        app.before_request(self._before_request)

    def _before_request(self) -> Response | None:
        if is_open(request.path):
            return None
        _admit(self._gate)
        rejection = self._gate.rejection(g.authgent_found)
        return None if rejection is None else _response(rejection)


def get_agent_identity() -> AgentIdentity:
    """Return the sender's identity. Aborts the request with the challenge if it has no valid token."""
    try:
        return _authorized()
    except AuthgentError as error:
        answer = _answer(error)
        # With the status, so that the application's error handlers are called.
        abort(answer.status, answer.detail, response=_response(answer))


def require_agent_auth(scopes: str | Iterable[str] | None = None) -> Callable[[Function], Function]:
    """Return a decorator that requires a token with all these scopes, which :class:`AgentAuthMiddleware` has verified.

    The view may be ``async`` or not. Raises ``ValueError`` if a scope is invalid.
    """
    needed = scopes_needed(scopes)
    return lambda view: guard(view, lambda *_: _rejection(lambda: _authorized(needed)))


def agent_auth_required(
    issuer: str,
    scopes: str | Iterable[str] | None = None,
    audience: str | Iterable[str] | AnyAudience | None = None,
    **options: Unpack[GateOptions],
) -> Callable[[Function], Function]:
    """Return a decorator that verifies the requests of one view, and requires a token with all these scopes.

    ``g.agent_identity`` is then the sender's identity. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.Gate`.
    """
    needed = scopes_needed(scopes)
    gate = Gate(issuer, audience, **options)

    def authorized() -> AgentIdentity:
        _admit(gate)
        return _authorized(needed)

    return lambda view: guard(view, lambda *_: _rejection(authorized))


def _admit(gate: Gate) -> None:
    """Verify the request, and set the attributes of ``g`` that views use."""
    environ = request.environ
    uri = gate.uri(_path(environ), environ.get("HTTP_HOST"))
    found = gate.admit(request.method, uri, list(request.headers))
    g.authgent_gate, g.authgent_found = gate, found
    g.authgent_identity = g.agent_identity = found if isinstance(found, AgentIdentity) else None


def _path(environ: dict[str, Any]) -> str:
    # Servers have the raw path under one of two names. PATH_INFO is unescaped: it is not known which characters the
    # client escaped.
    raw: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    if raw.startswith("/"):
        return raw
    return quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), "/:@!$&'()*+,;=~", encoding="latin-1")


def _authorized(needed: tuple[str, ...] = ()) -> AgentIdentity:
    # An application's tests may set an identity themselves.
    return authorize(g.get("authgent_identity") or g.get("agent_identity") or g.get("authgent_found"), needed)


def _rejection(authorized: Callable[[], AgentIdentity]) -> Response | None:
    try:
        authorized()
    except AuthgentError as error:
        return _response(_answer(error))
    return None


def _answer(error: AuthgentError) -> Answer:
    gate: Gate | None = g.get("authgent_gate")
    return answer_without_gate(error) if gate is None else gate.answer(error)


def _response(answer: Answer) -> Response:
    response = jsonify(error=answer.detail)
    response.status_code = answer.status
    response.headers.update(answer.headers)
    return response


__all__ = ["AgentAuthMiddleware", "agent_auth_required", "get_agent_identity", "require_agent_auth"]
