"""Middleware for FastAPI and other Starlette applications: ``app.add_middleware(AgentAuthMiddleware, issuer=…)``."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from types import GeneratorType
from typing import TYPE_CHECKING, Any, cast

from watchword.integrations.asgi import GateMiddleware, is_serving
from watchword.providers.authgent.errors import AuthgentError
from watchword.providers.authgent.middleware.gate import AgentGate, Found, answer_without_gate, authorize, scopes_needed
from watchword.providers.authgent.middleware.guard import Function, guard
from watchword.providers.authgent.middleware.translated import TranslatedDecision
from watchword.providers.authgent.models import AgentIdentity

try:
    from fastapi import HTTPException, Request
except ImportError as error:
    raise ImportError("this middleware needs FastAPI: pip install 'watchword[fastapi]'") from error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Unpack

    from watchword import AnyAudience
    from watchword.gate import Decision
    from watchword.gate import Gate as RequestGate
    from watchword.providers.authgent.middleware.gate import GateOptions
    from watchword.waiting import Steps

    _Headers = list[tuple[bytes, bytes]]

_IDENTITY = "authgent_identity"
_GATE = "authgent_gate"
_REQUEST = "authgent_request"


class AgentAuthMiddleware(GateMiddleware):
    """Verifies the access token of every request and WebSocket handshake, and its DPoP proof if it has one.

    ``request.state.authgent_identity`` is then the sender's identity. A request without a valid token is answered with
    401, unless its path is open: ``/health``, ``/ready`` and those below ``/.well-known/``. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.AgentGate`.

    Raises ``ValueError`` if they are invalid. If the framework makes its middleware while the server starts, the start
    fails instead.
    """

    def __init__(
        self,
        app: ASGIApp,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        **options: Unpack[GateOptions],
    ) -> None:
        gate: AgentGate | None = None
        invalid: ValueError | None = None
        try:
            gate = AgentGate(issuer, audience, **options)
        except ValueError as error:
            if not is_serving():
                raise
            invalid = error

        async def identified(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                decision: TranslatedDecision = scope["state"]["decision"]
                scope["state"].update({_GATE: gate, _IDENTITY: decision.identity})
            await app(scope, receive, send)

        # As much of a Gate as the middleware calls.
        super().__init__(identified, cast("RequestGate", None if gate is None else _AsgiGate(gate)))
        if invalid is not None:
            self._invalid = invalid


class _AsgiGate:
    """An :class:`AgentGate`, as the middleware calls a gate."""

    #: The application serves its own.
    metadata_path = None

    def __init__(self, gate: AgentGate) -> None:
        self._gate = gate

    def check_steps(
        self,
        *,
        headers: _Headers,
        **request: Any,  # noqa: ANN401  # the other arguments
    ) -> TranslatedDecision | Steps[TranslatedDecision]:
        found = self._gate.gate.check_steps(headers=headers, **request)
        return self._wait(found, headers) if isinstance(found, GeneratorType) else self._translated(found, headers)

    async def check_async(self, *, headers: _Headers, **request: Any) -> TranslatedDecision:  # noqa: ANN401
        return self._translated(await self._gate.gate.check_async(headers=headers, **request), headers)

    def _wait(self, steps: Steps[Decision], headers: _Headers) -> Steps[TranslatedDecision]:
        return self._translated((yield from steps), headers)

    def failed(self, error: Exception) -> TranslatedDecision:
        return self._translated(self._gate.gate.failed(error), [])

    def _translated(self, decision: Any, headers: _Headers) -> TranslatedDecision:  # noqa: ANN401  # no generator
        return TranslatedDecision(self._gate, decision, self._gate.found(decision, headers), member="detail")


def get_agent_identity(request: Request) -> AgentIdentity:
    """Return the sender's identity: as a dependency (``Depends(get_agent_identity)``), or in a plain call.

    Raises ``HTTPException`` with the challenge if the request has no valid token.
    """
    return _authorized(request)


def require_agent_auth(scopes: str | Iterable[str] | None = None) -> Callable[[Function], Function]:
    """Return a decorator that requires a token with all these scopes.

    The endpoint may be ``async`` or not, and need not take the request. Raises ``ValueError`` if a scope is invalid.
    """
    needed = scopes_needed(scopes)

    def decorate(endpoint: Function) -> Function:
        def check(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
            _authorized(_request_in(args, kwargs), needed)

        guarded = guard(endpoint, check)
        guarded.__signature__ = _with_request(endpoint)  # type: ignore[attr-defined]  # it is what inspect looks for
        return guarded

    return decorate


def _authorized(request: Request, needed: tuple[str, ...] = ()) -> AgentIdentity:
    state = request.state
    found: Found = getattr(state, _IDENTITY, None)
    try:
        return authorize(found, needed)
    except AuthgentError as error:
        gate: AgentGate | None = getattr(state, _GATE, None)
        answer = answer_without_gate(error) if gate is None else gate.answer(error)
        raise HTTPException(answer.status, answer.detail, answer.headers) from error


def _request_in(args: tuple[object, ...], kwargs: dict[str, object]) -> Request:
    added = kwargs.pop(_REQUEST, None)
    for value in (added, *kwargs.values(), *args):
        if isinstance(value, Request):
            return value
    raise TypeError("an endpoint with require_agent_auth must be called with its request: a fastapi.Request")


def _with_request(endpoint: Callable[..., Any]) -> inspect.Signature:
    """Return the endpoint's signature, with a request added if it has none: FastAPI injects what the signature has."""
    signature = inspect.signature(endpoint)
    try:
        hints = typing.get_type_hints(endpoint)
    except (NameError, TypeError):
        # Names that only a type checker knows. FastAPI raises an error if it needs them.
        hints = {}
    for name, parameter in signature.parameters.items():
        hint = hints.get(name, parameter.annotation)
        if name == "request" or (isinstance(hint, type) and issubclass(hint, Request)):
            return signature
    parameters = list(signature.parameters.values())
    index = len(parameters) - any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    added = inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    return signature.replace(parameters=[*parameters[:index], added, *parameters[index:]])


__all__ = ["AgentAuthMiddleware", "get_agent_identity", "require_agent_auth"]
