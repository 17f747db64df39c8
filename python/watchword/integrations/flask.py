"""A gate for Flask: ``init_app(app, gate)`` checks all requests, ``@authenticated(gate, scopes=…)`` those of a view."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from watchword.integrations._answers import Answer, rejection
from watchword.integrations._deciding import authorize, authorize_async, check_gate, decide, document
from watchword.integrations._wsgi_environ import EnvironRequest

try:
    from flask import Blueprint, Flask, Response, g, request
except ImportError as error:
    raise ImportError("this integration needs Flask: pip install 'watchword[flask]'") from error

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate, Guard

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask | Blueprint, gate: Gate) -> None:
    """Check every request of an application (or of one blueprint) by the gate's routes, before anything else.

    A rejected request is answered by the gate. For an allowed one, ``g.decision`` is the
    :class:`~watchword.gate.Decision` and ``g.token`` its :class:`~watchword.VerifiedToken`, ``None`` on public and
    optional routes. Headers that clients may not send are removed from the request. The protected resource metadata
    (RFC 9728) is served at ``gate.metadata_path``, to anyone.

    Raises ``TypeError`` if an argument is invalid.
    """
    if not isinstance(app, (Flask, Blueprint)):
        raise TypeError(f"app must be a Flask application or a blueprint, not {type(app).__name__}")
    check_gate(gate)
    app.before_request(functools.partial(_before_request, gate))
    # The first: what another function answers would not be checked.
    functions = app.before_request_funcs[None]
    functions.insert(0, functions.pop())


def authenticated(gate: Gate, **requirements: Any) -> Callable[[View], View]:  # noqa: ANN401  # those of Gate.guard
    """Return a decorator that requires a token with all ``scopes``; with ``optional=True``, such a token or none.

    The requirements are those of :meth:`watchword.gate.Gate.guard`. Scopes may have the variables of the view's URL
    rule: ``scopes=["orders:{id}"]``. The view may be ``async`` or not; ``g.token`` and ``g.decision`` are as in
    :func:`init_app`, which need not be used: the gate then needs no routes.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
    """
    check_gate(gate)
    guard = gate.guard(**requirements)

    def decorate(view: View) -> View:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded(*args: object, **kwargs: object) -> object:
                decision = await authorize_async(gate, guard, EnvironRequest(request.environ), request.view_args or {})
                rejected = _rejected(_noted(decision))
                return await view(*args, **kwargs) if rejected is None else rejected
        else:

            @functools.wraps(view)
            def guarded(*args: object, **kwargs: object) -> object:
                rejected = _rejected(check_request(gate, guard))
                return view(*args, **kwargs) if rejected is None else rejected

        return cast("View", guarded)

    return decorate


def check_request(gate: Gate, guard: Guard | None = None) -> Decision:
    """Return the gate's decision on the current request: by its routes, or by a guard of it.

    For code that answers rejected requests in its own way; :func:`init_app` and :func:`authenticated` do it in the
    gate's. An allowed request is prepared as they do. Raises only what :meth:`watchword.gate.Gate.failed` raises.
    """
    sent = EnvironRequest(request.environ)
    return _noted(decide(gate, sent) if guard is None else authorize(gate, guard, sent, request.view_args or {}))


def _before_request(gate: Gate) -> Response | None:
    found = document(gate, EnvironRequest(request.environ))
    return _rejected(check_request(gate)) if found is None else _response(found)


def _noted(decision: Decision) -> Decision:
    """Return the decision, after setting the attributes of ``g`` if it allows the request."""
    if decision.allowed:
        g.decision = decision
        g.token = decision.token
    return decision


def _rejected(decision: Decision) -> Response | None:
    return None if decision.allowed else _response(rejection(decision))


def _response(answer: Answer) -> Response:
    # Returned, not aborted with: error handlers would change it.
    return Response(answer.body, answer.status, list(answer.headers))


__all__ = ["authenticated", "check_request", "init_app"]
