"""Arguments that list something, as their callers may give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from watchword._kernel import AnyAudience

_T = TypeVar("_T")


def as_tuple(name: str, value: Iterable[_T] | None) -> tuple[_T, ...] | None:
    """Return a list argument as a tuple; ``None`` stays ``None``.

    Raises ``TypeError``, naming the argument by ``name``, if it is a single ``str`` or ``bytes``.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a list or a tuple, such as ({value!r},)")
    return None if value is None else tuple(value)


def as_audience(value: str | Iterable[str] | AnyAudience | None) -> str | tuple[str, ...] | AnyAudience | None:
    """Return an audience as it is given, or a list of audiences as a tuple."""
    if value is None or isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return tuple(value)


__all__ = ["as_audience", "as_tuple"]
