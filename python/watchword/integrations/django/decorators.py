"""The decorator: what one view requires."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction

from watchword.integrations._deciding import authorize, authorize_async
from watchword.integrations.django.guards import Guards
from watchword.integrations.django.request import DjangoRequest, settle, settle_async

if TYPE_CHECKING:
    from django.http import HttpRequest

View = TypeVar("View", bound=Callable[..., Any])


def authenticated(**requirements: Any) -> Callable[[View], View]:  # noqa: ANN401  # those of Gate.guard
    """Return a decorator that requires a token with all ``scopes``; with ``optional=True``, such a token or none.

    The requirements are those of :meth:`watchword.gate.Gate.guard`. Scopes may have the variables of the URL:
    ``scopes=["orders:{id}"]``. The view may be ``async`` or not; for a class, use
    ``@method_decorator(authenticated(…), name="dispatch")``. ``request.token`` and ``request.decision`` are as with
    :class:`GateMiddleware`, which need not be used: the gate then needs no routes.

    Raises ``ImproperlyConfigured`` if the setting ``WATCHWORD_GATE`` is missing or invalid, and ``ValueError`` or
    ``TypeError`` if a requirement is invalid.
    """
    guards = Guards(requirements)
    guards.current()

    def decorate(view: View) -> View:
        async def guarded_async(request: HttpRequest, *args: object, **kwargs: object) -> object:
            gate, guard = guards.current()
            decision = await authorize_async(gate, guard, DjangoRequest(request), kwargs)
            rejected = await settle_async(request, decision)
            if rejected is not None:
                return rejected
            found = view(request, *args, **kwargs)
            return await found if inspect.isawaitable(found) else found

        if iscoroutinefunction(view) or _is_async_dispatch(view):
            return cast("View", functools.wraps(view)(guarded_async))

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> object:
            gate, guard = guards.current()
            rejected = settle(request, authorize(gate, guard, DjangoRequest(request), kwargs))
            return view(request, *args, **kwargs) if rejected is None else rejected

        return cast("View", guarded)

    return decorate


def _is_async_dispatch(view: Any) -> bool:  # noqa: ANN401  # any view
    """Return whether this is the ``dispatch`` of a class with async handlers: not async itself, but awaited."""
    # What method_decorator passes, each time a method is called.
    method = view.func if isinstance(view, functools.partial) else view
    return bool(getattr(getattr(method, "__self__", None), "view_is_async", False))


__all__ = ["authenticated"]
