"""Scopes of a caller, checked before a request uses something up."""

from __future__ import annotations

from collections.abc import Iterable

from watchword.providers.agentwrit.errors import AuthorizationError
from watchword.providers.agentwrit.models import ProblemDetail
from watchword.scopes import InsufficientScopeError, SlotScopes, check_narrowing


def scope_list(scopes: Iterable[str], *, what: str) -> list[str]:
    """Return scopes as a list of their own.

    Raises ``TypeError`` if they are not a list of strings, ``ValueError`` if they are empty, or one is not
    ``action:resource:identifier`` (:class:`~watchword.scopes.ScopeSyntaxError`).
    """
    if isinstance(scopes, (str, bytes)):
        raise TypeError(f"{what} must be a list of strings, not one {type(scopes).__name__}")
    found = list(scopes)
    SlotScopes(found)
    if not found:
        raise ValueError(f"{what} must not be empty")
    return found


def require_narrower(scope: list[str], held: list[str], *, than: str, route: str) -> None:
    """Raise the exception of the broker's 403 if ``held`` does not cover ``scope``.

    ``than`` says whose scopes are held, ``route`` where the broker would answer so.
    """
    try:
        check_narrowing(SlotScopes.from_claim(held), SlotScopes(scope))
    except InsufficientScopeError as error:
        excess = str(error.scope)
    else:
        return
    problem = ProblemDetail(
        type="urn:agentwrit:error:scope_violation",
        title="Forbidden",
        detail=f"{than} does not cover {excess!r}; the broker was not asked",
        instance=route,
        status=403,
        error_code="scope_violation",
    )
    raise AuthorizationError(problem, 403)


__all__ = ["require_narrower", "scope_list"]
