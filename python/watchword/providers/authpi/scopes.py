"""``has_access`` and ``parse_scope`` of ``authpi_idp.scopes``.

The grammar is that of :class:`watchword.scopes.ResourceScopes`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from watchword.providers.authpi.types import ParsedScope
from watchword.scopes import ResourceScopes, ScopeSyntaxError


def parse_scope(scope: str | None) -> ParsedScope | None:
    """Return the two parts of ``resource:action``, or ``None`` if the text is not such a scope.

    Raises ``TypeError`` if ``scope`` is neither ``str`` nor ``None``.
    """
    if scope is None:
        return None
    if not isinstance(scope, str):
        raise TypeError(f"a scope must be str, not {type(scope).__name__}")
    try:
        ResourceScopes([scope])
    except ScopeSyntaxError:
        return None
    # The kernel has checked the grammar: the last colon separates, and a scope without one is a single word.
    resource, colon, action = scope.rpartition(":")
    return ParsedScope(resource=resource, action=action) if colon else None


def has_access(scopes: Iterable[str | None], action: str, resource: str) -> bool:
    """Return whether one of the scopes allows ``action`` on ``resource``.

    Invalid scopes and ``None`` grant nothing. Raises ``TypeError`` if ``scopes`` is not a list of strings, or if the
    action or the resource is not a string.
    """
    return compiled(scopes).allows(action=action, resource=resource)


def compiled(scopes: Iterable[str | None]) -> ResourceScopes:
    """Return the matcher of these scopes, cached. Raises ``TypeError`` if ``scopes`` is one string."""
    if isinstance(scopes, (str, bytes)):
        raise TypeError(
            f"scopes must be a list of strings, not one {type(scopes).__name__}: split it at its spaces first"
        )
    return _compiled(tuple(scopes))


@functools.lru_cache(maxsize=256)
def _compiled(scopes: tuple[str | None, ...]) -> ResourceScopes:
    return ResourceScopes.from_claim(scope for scope in scopes if scope is not None)


__all__ = ["has_access", "parse_scope"]
