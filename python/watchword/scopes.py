"""What a token's scopes let its bearer do: three grammars, one kind of matcher.

    held = token.resource_scopes  # or token.slot_scopes, token.plain_scopes
    held.allows(action="read", resource="users.keys")
    held.require(action="read", resource="users.keys")  # or raises InsufficientScopeError: 403
    print(held.explain(action="read", resource="users.keys"))

:class:`ResourceScopes` are of the form ``resource(.sub)*:action``, :class:`SlotScopes` of the form
``action:resource:identifier``, :class:`PlainScopes` are OAuth 2 scope tokens, each by itself. The constructors raise
:class:`ScopeSyntaxError` for what is not a scope; ``from_claim`` leaves it out and lists it in ``ignored``: strict for
what you demand, lenient for what somebody holds. A verified token compiles its own scopes by ``from_claim`` when it is
first asked for them, and keeps them.

A set stands for the requests that it allows. Two sets are equal where they allow the same; iteration, ``len`` and
``str`` have the shortest list that says so, sorted; ``in`` asks whether one scope is covered.
"""

from __future__ import annotations

from typing import TypeVar

from watchword._kernel import PlainScopes, ResourceScopes, ScopeExplanation, SlotScopes
from watchword.errors import InsufficientScopeError, ScopeSyntaxError

_Scopes = TypeVar("_Scopes", ResourceScopes, SlotScopes, PlainScopes)


def check_narrowing(parent: _Scopes, child: _Scopes) -> None:
    """Demand that a delegation narrows: that the child's scopes allow nothing that the parent's do not.

    Raises :class:`InsufficientScopeError`, whose ``scope`` has the child's scopes that go beyond the parent's, and
    ``TypeError`` where the two are of different grammars. What ``from_claim`` left out of the child goes beyond any
    parent.
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
