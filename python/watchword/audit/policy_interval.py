"""PolicyInterval: what was required of tokens from one time to another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Real

from watchword import Policy
from watchword.arguments import as_tuple
from watchword.scopes import PlainScopes


@dataclass(frozen=True)
class PolicyInterval:
    """The policy of the tokens that were used from ``start`` on and before ``end`` (Unix seconds).

    ``start`` may be ``-math.inf``, ``end`` may be ``math.inf``. ``scopes`` are required of a token as well, all of
    them: one that passes every check of the ``policy`` and lacks a scope is ``insufficient_scope``. They are scope
    tokens (RFC 6749 section 3.3), compared as a whole with those in the policy's ``scope_claims``.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid, or if the interval is empty.
    """

    start: float
    end: float
    policy: Policy
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments."""
        object.__setattr__(self, "start", seconds("start", self.start))
        object.__setattr__(self, "end", seconds("end", self.end))
        if not self.start < self.end:
            raise ValueError(f"an interval must begin before it ends: not from {utc(self.start)} to {utc(self.end)}")
        if not isinstance(self.policy, Policy):
            raise TypeError(f"policy must be a Policy, not {type(self.policy).__name__}")
        object.__setattr__(self, "scopes", as_tuple("scopes", self.scopes))
        PlainScopes(self.scopes)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to make an equal interval, which is checked again."""
        return type(self), (self.start, self.end, self.policy, self.scopes)


def seconds(name: str, value: object) -> float:
    """Return a time in Unix seconds as a float, which may be infinite.

    Raises ``TypeError`` or ``ValueError``, naming the argument by ``name``, if it is not a number.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of Unix seconds, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.nan
    if math.isnan(number):
        raise ValueError(f"{name} must be a number of Unix seconds")
    return number


def utc(time: float) -> str:
    """Return a time as in ``2026-01-01T00:00:00Z``; the number of seconds if no calendar has it."""
    try:
        return datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time:g}"


__all__ = ["PolicyInterval", "seconds", "utc"]
