"""Starlette: :class:`GateMiddleware` for an application, :func:`requires` for single endpoints."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from watchword.integrations._answers import failed
from watchword.integrations.asgi import GateMiddleware, remember, remembered
from watchword.integrations.asgi_messages import certificate, check_path, encoded, send_rejection, target

try:
    from starlette.concurrency import run_in_threadpool
    from starlette.datastructures import State
    from starlette.requests import HTTPConnection
    from starlette.responses import Response
    from starlette.websockets import WebSocket
except ImportError as error:
    raise ImportError("this integration needs Starlette: pip install 'watchword[starlette]'") from error

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from watchword import VerifiedToken
    from watchword.gate import Decision, Gate, Guard

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class GateState(State):
    """The type of ``request.state`` behind a gate, for annotations: ``request: Request[GateState]``."""

    #: The decision that allowed the request.
    decision: Decision
    #: The verified token; ``None`` on public routes, and on optional ones if none was sent.
    token: VerifiedToken | None


class RejectionResponse(Response):
    """The response of a decision that rejects a request: its status, headers and problem document (RFC 9457).

    As the answer to a WebSocket handshake, it is sent as
    :class:`~watchword.integrations.asgi.GateMiddleware` sends it.
    """

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.body, decision.status)
        # Set like this, as a name may be repeated.
        self.raw_headers += encoded(decision.headers)
        self.decision = decision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if scope["type"] == "websocket":
            await send_rejection(self.decision, scope, send)
        else:
            await super().__call__(scope, receive, send)


def requires(gate: Gate, scopes: Iterable[str] = (), **requirements: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401
    """Return a decorator for endpoints, of WebSockets too, which rejects requests that lack what it requires.

    ``scopes`` may have variables of the endpoint's path, ``"orders:{id}"``; ``requirements`` are those of
    :meth:`watchword.gate.Gate.guard`. Behind a :class:`GateMiddleware` of the same gate, its decision is
    the base; without one, the request is verified here. The endpoint may be ``async`` or not, and a method of an
    ``HTTPEndpoint``. ``request.state.token`` and ``request.state.decision`` are then set.

    Raises ``ValueError`` or ``TypeError`` if a requirement is invalid.
    """
    guard = gate.guard(scopes=tuple(scopes), **requirements)

    def decorate(endpoint: Endpoint) -> Endpoint:
        is_async = _is_async(endpoint)

        @functools.wraps(endpoint)
        async def guarded(*args: object, **kwargs: object) -> object:
            connection = _connection(args, kwargs)
            decision = await authorize(gate, guard, connection)
            if decision.allowed:
                if is_async:
                    return await endpoint(*args, **kwargs)
                return await run_in_threadpool(endpoint, *args, **kwargs)
            response = RejectionResponse(decision)
            if not isinstance(connection, WebSocket):
                return response
            await response(connection.scope, connection.receive, connection.send)
            return None

        return cast("Endpoint", guarded)

    return decorate


async def authorize(gate: Gate, guard: Guard, connection: HTTPConnection[Any]) -> Decision:
    """Return a guard's decision on a request, which may have passed a :class:`GateMiddleware`. Never raises."""
    scope = connection.scope
    try:
        # As the endpoint has them: a convertor may have made numbers of them.
        variables = {name: str(value) for name, value in connection.path_params.items()}
        known = remembered(scope, gate)
        if known is not None and known.token is not None:
            # Not verified again, as the proof of a bound token is valid once.
            return guard.authorize(known, variables=variables)
        sent = target(scope)
        extensions = scope.get("extensions")
        decision = await guard.check_async(
            method=scope.get("method", "GET"),
            target=sent,
            headers=scope["headers"],
            certificate=certificate(extensions) if extensions else None,
            variables=variables,
        )
        if decision.allowed:
            check_path(scope, sent)
            remember(scope, gate, decision)
    except Exception as error:
        return failed(gate, error)
    return decision


def _is_async(endpoint: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(endpoint) or inspect.iscoroutinefunction(getattr(endpoint, "__call__", None))  # noqa: B004


def _connection(args: tuple[object, ...], kwargs: dict[str, object]) -> HTTPConnection[Any]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, HTTPConnection):
            return value
    raise TypeError("an endpoint with requires(…) must be called with its request or websocket")


__all__ = ["GateMiddleware", "GateState", "RejectionResponse", "requires"]
