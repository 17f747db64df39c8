"""Check the arguments of calls before anything is sent. No message quotes a value, which may be a secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def text(value: object, what: str) -> str:
    """Return a string that is not empty. Raises ``TypeError`` or ``ValueError``, naming the argument by ``what``."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{what} is empty")
    return value


def form(**fields: str | None) -> dict[str, str]:
    """Return the fields of a form that are neither ``None`` nor empty, all strings. Raises ``TypeError``."""
    return {name: text(value, name) for name, value in fields.items() if value is not None and value != ""}


def texts(values: Iterable[str] | None, what: str) -> list[str]:
    """Return a list of strings, empty for ``None``. Raises ``TypeError`` for one string, or if one is no string."""
    if isinstance(values, str):
        raise TypeError(f"{what} must be a list of strings, not one string")
    return [text(one, f"an element of {what}") for one in values or ()]


def scope(scopes: Iterable[str] | None) -> str | None:
    """Return a list of scopes as the parameter ``scope`` (RFC 6749 section 3.3); ``None`` if there are none."""
    return " ".join(texts(scopes, "scopes")) or None


def json_object(value: Mapping[str, Any] | None, what: str) -> str | None:
    """Return a mapping as JSON text; ``None`` if there is none. Raises ``TypeError`` or ``ValueError``."""
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a mapping, not {type(value).__name__}")
    return json.dumps(dict(value), allow_nan=False)


__all__ = ["form", "json_object", "scope", "text", "texts"]
