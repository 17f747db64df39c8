"""What a token's scopes allow: three grammars with one interface.

    granted = token.resource_scopes  # or token.slot_scopes, token.plain_scopes
    granted.allows(action="read", resource="users.keys")
    granted.require(action="read", resource="users.keys")  # or raises InsufficientScopeError: 403
    print(granted.explain(action="read", resource="users.keys"))

:class:`ResourceScopes` are of the form ``resource(.sub)*:action``, :class:`SlotScopes` of the form
``action:resource:identifier``, :class:`PlainScopes` are OAuth 2 scope tokens, compared as a whole. The constructors
raise :class:`ScopeSyntaxError` for a text that is not a scope; ``from_claim`` skips it and lists it in ``ignored``:
strict for what you require, lenient for what a token has. A verified token parses its scopes by ``from_claim`` when
they are first read, and caches them.

A set of scopes represents the requests that it allows. Two sets are equal if they allow the same; iteration, ``len``
and ``str`` use the shortest equivalent list, sorted; ``in`` tests whether one scope is covered.
"""

from __future__ import annotations

from typing import TypeVar

from watchword._kernel import PlainScopes, ResourceScopes, ScopeExplanation, SlotScopes
from watchword.errors import InsufficientScopeError, ScopeSyntaxError

_Scopes = TypeVar("_Scopes", ResourceScopes, SlotScopes, PlainScopes)


def check_narrowing(parent: _Scopes, child: _Scopes) -> None:
    """Require that a delegation narrows: the child's scopes must allow nothing that the parent's do not.

    Raises :class:`InsufficientScopeError`, whose ``scope`` is the child's scopes that the parent's do not cover, and
    ``TypeError`` if the two are of different grammars. Scopes of the child that ``from_claim`` skipped are not covered
    by any parent.
    """
    parent.require_all(child)


__all__ = [
    "InsufficientScopeError",
    "PlainScopes",
    "ResourceScopes",
    "ScopeExplanation",
    "ScopeSyntaxError",
    "SlotScopes",
    "check_narrowing",
]
