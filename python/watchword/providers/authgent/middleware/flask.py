"""Flask: ``AgentAuthMiddleware(app, issuer=…)`` for an application, ``agent_auth_required(issuer=…)`` for a view."""

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
    """Verifies the access token of every request of an application, with its DPoP proof where it has one.

    ``g.authgent_identity`` (and ``g.agent_identity``) is then who sends it. ``/health``, ``/ready`` and what is below
    ``/.well-known/`` are open to everybody. The options are those of
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
        _look(self._gate)
        refusal = self._gate.refusal(g.authgent_found)
        return None if refusal is None else _response(refusal)


def get_agent_identity() -> AgentIdentity:
    """Who sends the request. Aborts it, with the challenge to answer with, where it is nobody that a token names."""
    try:
        return _authorized()
    except AuthgentError as error:
        answer = _answer(error)
        # By its status, so that an error handler of the application's has its say.
        abort(answer.status, answer.detail, response=_response(answer))


def require_agent_auth(scopes: str | Iterable[str] | None = None) -> Callable[[Function], Function]:
    """Lets a view be called only by agents whose token has all these scopes; :class:`AgentAuthMiddleware` goes first.

    The view may be ``async`` or not. Raises ``ValueError`` where these are no scopes.
    """
    needed = scopes_needed(scopes)
    return lambda view: guard(view, lambda *_: _refusal(lambda: _authorized(needed)))


def agent_auth_required(
    issuer: str,
    scopes: str | Iterable[str] | None = None,
    audience: str | Iterable[str] | AnyAudience | None = None,
    **options: Unpack[GateOptions],
) -> Callable[[Function], Function]:
    """Verifies the request of one view by itself, and lets agents in whose token has all these scopes.

    ``g.agent_identity`` is then who sends it. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.Gate`.
    """
    needed = scopes_needed(scopes)
    gate = Gate(issuer, audience, **options)

    def authorized() -> AgentIdentity:
        _look(gate)
        return _authorized(needed)

    return lambda view: guard(view, lambda *_: _refusal(authorized))


def _look(gate: Gate) -> None:
    """Puts what is found of the request's sender where views look for it."""
    environ = request.environ
    uri = gate.uri(_path(environ), environ.get("HTTP_HOST"))
    found = gate.admit(request.method, uri, list(request.headers))
    g.authgent_gate, g.authgent_found = gate, found
    g.authgent_identity = g.agent_identity = found if isinstance(found, AgentIdentity) else None


def _path(environ: dict[str, Any]) -> str:
    # Servers tell the path as it came under one of two names. What PATH_INFO has was unescaped, so that it cannot be
    # told any more what the client escaped beyond need.
    raw: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    if raw.startswith("/"):
        return raw
    return quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), "/:@!$&'()*+,;=~", encoding="latin-1")


def _authorized(needed: tuple[str, ...] = ()) -> AgentIdentity:
    # An application's own tests may put an identity there by themselves.
    return authorize(g.get("authgent_identity") or g.get("agent_identity") or g.get("authgent_found"), needed)


def _refusal(authorized: Callable[[], AgentIdentity]) -> Response | None:
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
