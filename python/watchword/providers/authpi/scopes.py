"""``has_access`` and ``parse_scope`` of ``authpi_idp.scopes``, answered by the kernel's matcher.

The grammar is that of :class:`watchword.scopes.ResourceScopes`, where it is described.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from watchword.providers.authpi.types import ParsedScope
from watchword.scopes import ResourceScopes, ScopeSyntaxError


def parse_scope(scope: str | None) -> ParsedScope | None:
    """The two parts of ``resource:action``, or ``None`` where the text is no such scope.

    Raises ``TypeError`` for anything but text (``None`` is no scope).
    """
    if scope is None:
        return None
    if not isinstance(scope, str):
        raise TypeError(f"a scope is str, not {type(scope).__name__}")
    try:
        ResourceScopes([scope])
    except ScopeSyntaxError:
        return None
    # The kernel says what is a scope; it splits at the last colon, and takes a text without one for a word.
    resource, colon, action = scope.rpartition(":")
    return ParsedScope(resource=resource, action=action) if colon else None


def has_access(scopes: Iterable[str | None], action: str, resource: str) -> bool:
    """Whether one of the scopes allows ``action`` on ``resource``.

    What is not a scope (``None`` included) grants nothing. Raises ``TypeError`` where the scopes are no list of texts,
    or where the action or the resource is no text.
    """
    return compiled(scopes).allows(action=action, resource=resource)


def compiled(scopes: Iterable[str | None]) -> ResourceScopes:
    """The matcher of these scopes, made once for all that are alike and lately used."""
    if isinstance(scopes, (str, bytes)):
        raise TypeError("scopes is a list of scopes: split a text at its spaces first")
    return _compiled(tuple(scopes))


@functools.lru_cache(maxsize=256)
def _compiled(scopes: tuple[str | None, ...]) -> ResourceScopes:
    return ResourceScopes.from_claim(scope for scope in scopes if scope is not None)


__all__ = ["has_access", "parse_scope"]
