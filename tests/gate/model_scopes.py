"""The three grammars of scopes, in Python: whether granted scopes allow what one required scope spells.

A model for tests, written from ``docs/scopes.md``. What is required comes from a path: nothing in it is a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def required(grammar: str, template: str, variables: Mapping[str, str]) -> str | None:
    """Return a required scope with the values of a path's variables.

    ``None`` if a value has what separates the parts of a scope, or could be a wildcard: no scope grants that.
    """
    if any(set(variables[name]) & _SPECIAL[grammar] for name in re.findall(r"\{(\w+)\}", template)):
        return None
    return re.sub(r"\{(\w+)\}", lambda found: variables[found[1]], template)


def allows(grammar: str, granted: Iterable[str], required: str) -> bool:
    """Return whether one of the granted scopes allows what ``required`` spells."""
    return _is_scope(grammar, required) and any(
        _is_scope(grammar, one) and _GRAMMARS[grammar](one, required) for one in granted
    )


def _is_scope(grammar: str, text: str) -> bool:
    if grammar == "plain":
        return re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", text) is not None  # RFC 6749 section 3.3
    return bool(text) and not any(ch.isspace() or ord(ch) < 0x20 or ch in "\x7f\ufffd" for ch in text)


def _plain(granted: str, required: str) -> bool:
    return granted == required


def _resource(granted: str, required: str) -> bool:
    if ":" not in required or ":" not in granted:
        return granted == required
    resource, action = required.rsplit(":", 1)
    held, held_action = granted.rsplit(":", 1)
    if held == "*":
        return held_action == "**" or ("." not in resource and held_action in (action, "*"))
    if held_action == "**":
        return resource == held or resource.startswith(f"{held}.")
    return resource == held and held_action in (action, "*")


def _slot(granted: str, required: str) -> bool:
    if granted.count(":") < 2 or required.count(":") < 2:
        return False
    *held, held_identifier = granted.split(":", 2)
    *needed, identifier = required.split(":", 2)
    return held == needed and held_identifier in (identifier, "*")


_SPECIAL = {"plain": set("*:"), "resource": set("*:."), "slot": set("*:")}

_GRAMMARS = {"plain": _plain, "resource": _resource, "slot": _slot}
