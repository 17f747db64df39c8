"""Middleware for FastAPI and other Starlette applications: ``app.add_middleware(AgentAuthMiddleware, issuer=…)``."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from watchword.providers.authgent.errors import AuthgentError
from watchword.providers.authgent.middleware.gate import (
    Found,
    Gate,
    answer_without_gate,
    authorize,
    is_open,
    scopes_needed,
)
from watchword.providers.authgent.middleware.guard import Function, guard
from watchword.providers.authgent.models import AgentIdentity

try:
    from fastapi import HTTPException, Request
    from starlette.responses import JSONResponse
except ImportError as error:
    raise ImportError("this middleware needs FastAPI: pip install 'watchword[fastapi]'") from error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Unpack

    from watchword import AnyAudience
    from watchword.providers.authgent.middleware.gate import GateOptions

_IDENTITY = "authgent_identity"
_ERROR = "authgent_error"
_GATE = "authgent_gate"
_REQUEST = "authgent_request"


class AgentAuthMiddleware:
    """Verifies the access token of every HTTP request, and its DPoP proof if it has one.

    ``request.state.authgent_identity`` is then the sender's identity. ``/health``, ``/ready``, paths below
    ``/.well-known/`` and WebSockets need no token. The options are those of
    :class:`~watchword.providers.authgent.middleware.gate.Gate`.

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
        self.app = app
        self._invalid: ValueError | None = None
        try:
            self._gate = Gate(issuer, audience, **options)
        except ValueError as error:
            if not _is_serving():
                raise
            self._invalid = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._invalid is not None:
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.failed", "message": f"AgentAuthMiddleware: {self._invalid}"})
            raise self._invalid
        if scope["type"] == "http" and not is_open(scope["path"]):
            found = await self._gate.admit_async(scope["method"], _uri(self._gate, scope), scope["headers"])
            rejection = self._gate.rejection(found)
            if rejection is not None:
                response = JSONResponse({"detail": rejection.detail}, rejection.status, headers=rejection.headers)
                await response(scope, receive, send)
                return
            identity, error = (found, None) if isinstance(found, AgentIdentity) else (None, found)
            # All three, always: an outer middleware of this class, with another issuer, may have set them.
            scope.setdefault("state", {}).update({_GATE: self._gate, _IDENTITY: identity, _ERROR: error})
        await self.app(scope, receive, send)


def _is_serving() -> bool:
    """Return whether an event loop runs: Starlette makes its middleware when it handles its first event.

    That is the lifespan's start-up. A server interprets an exception there as "no lifespan support", continues, and
    every request ends in a 500.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


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
    found: Found = getattr(state, _IDENTITY, None) or getattr(state, _ERROR, None)
    try:
        return authorize(found, needed)
    except AuthgentError as error:
        gate: Gate | None = getattr(state, _GATE, None)
        answer = answer_without_gate(error) if gate is None else gate.answer(error)
        raise HTTPException(answer.status, answer.detail, answer.headers) from error


def _uri(gate: Gate, scope: Scope) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), None)
    raw = scope.get("raw_path")
    # Without the raw path, it is not known which characters the client escaped.
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~") if raw is None else raw.decode("latin-1")
    return gate.uri(path, host)


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
