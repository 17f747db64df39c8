"""Middleware for Flask: ``AgentAuthMiddleware(app, issuer=…)``, or ``agent_auth_required(issuer=…)`` for one view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from watchword.providers.authgent.errors import AuthgentError
from watchword.providers.authgent.middleware.gate import (
    AgentGate,
    Answer,
    answer_without_gate,
    authorize,
    scopes_needed,
)
from watchword.providers.authgent.middleware.guard import Function, guard
from watchword.providers.authgent.middleware.translated import TranslatedDecision
from watchword.providers.authgent.models import AgentIdentity

try:
    from flask import Flask, Response, abort, g, jsonify
except ImportError as error:
    raise ImportError("this middleware needs Flask: pip install 'watchword[flask]'") from error

from watchword.integrations.flask import authenticated, init_app

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword import AnyAudience
    from watchword.gate import Decision
    from watchword.gate import Gate as RequestGate
    from watchword.providers.authgent.middleware.gate import Found, GateOptions


class AgentAuthMiddleware:
    """Verifies the access token of every request of an application, and its DPoP proof if it has one.

    ``g.authgent_identity`` (and ``g.agent_identity``) is then the sender's identity. A request without a valid token is
    answered with 401, unless its path is open: ``/health``, ``/ready`` and those below ``/.well-known/``. The options
    are those of :class:`~watchword.providers.authgent.middleware.gate.AgentGate`.
    """

    def __init__(
        self,
        app: Flask,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        **options: Unpack[GateOptions],
    ) -> None:
        init_app(app, _adapted(AgentGate(issuer, audience, **options)))


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
    return lambda view: guard(view, lambda *_: _rejection(needed))


def agent_auth_required(
    issuer: str,
    scopes: str | Iterable[str] | None = None,
    audience: str | Iterable[str] | AnyAudience | None = None,
    **options: Unpack[GateOptions],
) -> Callable[[Function], Function]:
    """Return a decorator that verifies the requests of one view, and requires a token with all these scopes.

    ``g.agent_identity`` is then the sender's identity. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.AgentGate`.
    """
    needed = scopes_needed(scopes)
    return authenticated(_adapted(AgentGate(issuer, audience, **options)), scopes=needed)


class _FlaskGate:
    """An :class:`AgentGate`, as the integration calls a gate."""

    #: The application serves its own.
    metadata_path = None

    def __init__(self, gate: AgentGate) -> None:
        self._gate = gate

    def check(self, *, headers: list[tuple[str, str]], **request: Any) -> TranslatedDecision:  # noqa: ANN401
        decision = self._gate.gate.check(headers=headers, **request)
        return _noted(self._gate, decision, self._gate.found(decision, headers))

    def guard(self, *, scopes: tuple[str, ...]) -> _FlaskGuard:
        return _FlaskGuard(self._gate, scopes)

    def failed(self, error: Exception) -> TranslatedDecision:
        decision = self._gate.gate.failed(error)
        return _noted(self._gate, decision, self._gate.found(decision, []))


class _FlaskGuard:
    """The requirements of one view, as the integration calls a guard."""

    def __init__(self, gate: AgentGate, scopes: tuple[str, ...]) -> None:
        self._gate = gate
        self._guard = gate.gate.guard()
        self._scopes = scopes

    def check(self, *, headers: list[tuple[str, str]], **request: Any) -> TranslatedDecision:  # noqa: ANN401
        return self._with_scopes(self._guard.check(headers=headers, **request), headers)

    async def check_async(self, *, headers: list[tuple[str, str]], **request: Any) -> TranslatedDecision:  # noqa: ANN401
        return self._with_scopes(await self._guard.check_async(headers=headers, **request), headers)

    def authorize(self, before: TranslatedDecision, **_: object) -> TranslatedDecision:
        return _noted(self._gate, before.decision, self._authorized(before.found))

    def _with_scopes(self, decision: Decision, headers: list[tuple[str, str]]) -> TranslatedDecision:
        return _noted(self._gate, decision, self._authorized(self._gate.found(decision, headers)))

    def _authorized(self, found: Found) -> Found:
        try:
            return authorize(found, self._scopes)
        except AuthgentError as error:
            return error


def _noted(gate: AgentGate, decision: Decision, found: Found) -> TranslatedDecision:
    """Return the decision on the current request, after setting the attributes of ``g``."""
    translated = TranslatedDecision(gate, decision, found, member="error")
    g.authgent_gate = gate
    g.authgent_identity = g.agent_identity = translated.identity
    return translated


def _adapted(gate: AgentGate) -> RequestGate:
    # As much of a Gate as the integration calls.
    return cast("RequestGate", _FlaskGate(gate))


def _authorized(needed: tuple[str, ...] = ()) -> AgentIdentity:
    # An application's tests may set an identity themselves.
    return authorize(g.get("authgent_identity") or g.get("agent_identity"), needed)


def _rejection(needed: tuple[str, ...]) -> Response | None:
    try:
        _authorized(needed)
    except AuthgentError as error:
        return _response(_answer(error))
    return None


def _answer(error: AuthgentError) -> Answer:
    gate: AgentGate | None = g.get("authgent_gate")
    return answer_without_gate(error) if gate is None else gate.answer(error)


def _response(answer: Answer) -> Response:
    response = jsonify(error=answer.detail)
    response.status_code = answer.status
    response.headers.update(answer.headers)
    return response


__all__ = ["AgentAuthMiddleware", "agent_auth_required", "get_agent_identity", "require_agent_auth"]
