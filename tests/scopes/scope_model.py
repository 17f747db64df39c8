"""The meaning of scopes as a plain model: each is the set of the requests that it allows, out of a small world.

The world has every name that the drawn scopes can have, at every depth that they can have and one more, and a name that
no scope has. What holds in it for such scopes holds in general: a wildcard differs from a list of names by the strange
name.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import watchword as ww

Request = Hashable


# ----------------------------------------------------------------------------------------------- resource(.sub)*:action


def resource_grants(scope: str, action: str, resource: str) -> bool:
    """The published rule, line by line."""
    held_resource, _, held_action = scope.rpartition(":")
    if not held_resource or not held_action or held_action not in (action, "*", "**"):
        return False
    if held_resource == "*":
        return held_action == "**" or "." not in resource
    if held_resource == resource:
        return True
    return held_action == "**" and resource.startswith(held_resource + ".")


_SEGMENTS = ("a", "b", "*", "strange")
_RESOURCES = ["", *(".".join(path) for depth in range(1, 5) for path in itertools.product(_SEGMENTS, repeat=depth))]
_ACTIONS = ("read", "write", "*", "**", "***", "strange")
_WORDS = ("owner", "admin", "member", "*", "strange")


@functools.cache
def _resource_requests(scope: str) -> frozenset[Request]:
    if ":" not in scope:
        return frozenset({scope})
    world = itertools.product(_ACTIONS, _RESOURCES)
    return frozenset(request for request in world if resource_grants(scope, *request))


_RESOURCE_NAMES = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=3).map(".".join)
_RESOURCE_SCOPES = st.one_of(
    st.builds("{}:{}".format, _RESOURCE_NAMES, st.sampled_from(["read", "write", "*", "**", "***"])),
    st.builds("{}:{}".format, st.sampled_from(["*", "a"]), st.sampled_from(["read", "write", "*", "**"])),
    st.sampled_from(["owner", "admin", "*"]),
)


# ------------------------------------------------------------------------------------------- action:resource:identifier


def slot_grants(scope: str, action: str, resource: str, identifier: str) -> bool:
    held_action, held_resource, held_identifier = scope.split(":", 2)
    return (
        (held_action, held_resource) == (action, resource)
        and identifier != ""
        and held_identifier in (identifier, "*")
    )  # fmt: skip


_SLOT_WORLD = list(
    itertools.product(("read", "write", "strange"), ("data", "users"), ("a", "b", "a:b", "c*", "*", "", "z"))
)


@functools.cache
def _slot_requests(scope: str) -> frozenset[Request]:
    return frozenset(request for request in _SLOT_WORLD if slot_grants(scope, *request))


_SLOT_SCOPES = st.builds(
    "{}:{}:{}".format,
    st.sampled_from(["read", "write"]),
    st.sampled_from(["data", "users"]),
    st.sampled_from(["a", "b", "a:b", "c*", "*"]),
)


# ------------------------------------------------------------------------------------------------------------------ all


@dataclass(frozen=True)
class Grammar:
    """A matcher, the scopes to draw for it, what each of them allows, and how requests are checked."""

    matcher: Callable[[Iterable[str]], Any]
    scopes: st.SearchStrategy[str]
    requests: Callable[[str], frozenset[Request]]
    world: tuple[Request, ...]
    asks: Callable[[Any, Any], bool]

    def sets(self) -> st.SearchStrategy[list[str]]:
        return st.lists(self.scopes, max_size=6)

    def meaning(self, scopes: Iterable[str]) -> frozenset[Request]:
        return frozenset().union(*(self.requests(scope) for scope in scopes))


def _ask_resource(held: Any, request: Any) -> bool:
    if isinstance(request, str):
        return request in held
    return bool(held.allows(action=request[0], resource=request[1]))


GRAMMARS = {
    "resource": Grammar(
        ww.scopes.ResourceScopes,
        _RESOURCE_SCOPES,
        _resource_requests,
        (*itertools.product(_ACTIONS, _RESOURCES), *_WORDS),
        _ask_resource,
    ),
    "slot": Grammar(
        ww.scopes.SlotScopes,
        _SLOT_SCOPES,
        _slot_requests,
        tuple(_SLOT_WORLD),
        lambda held, request: held.allows(action=request[0], resource=request[1], identifier=request[2]),
    ),
    "plain": Grammar(
        ww.scopes.PlainScopes,
        st.sampled_from(["a", "b", "c", "A", "a:b", "*"]),
        lambda scope: frozenset({scope}),
        ("a", "b", "c", "A", "a:b", "*", "strange"),
        lambda held, request: held.allows(request),
    ),
}
