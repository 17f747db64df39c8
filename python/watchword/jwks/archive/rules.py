"""KeyState and KeyRules: in which state a key is at a time, and the durations by which that is decided."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, fields

from watchword.jwks.settings import CacheSettings

_DEFAULTS = CacheSettings()


class KeyState(enum.StrEnum):
    """What was known of a key at the time of use, in the order in which keys are tried. The values are stable."""

    GIVEN = "given"
    """The key is from a plain key set, for all times."""
    LISTED = "listed"
    """The issuer listed it before and after."""
    UNCERTAIN = "uncertain"
    """The time is between two polls that differ, or are too far apart, or it is after the last poll."""
    EARLY = "early"
    """The issuer listed it soon after."""
    WITHDRAWN = "withdrawn"
    """The issuer had withdrawn it shortly before."""
    COMPROMISED = "compromised"
    """The operator marked it as compromised since then or before."""


@dataclass(frozen=True, kw_only=True)
class KeyRules:
    """The durations by which :func:`~watchword.jwks.archive.timeline` decides. All are seconds.

    Raises ``TypeError`` or ``ValueError`` if one is not a number, negative or not finite.
    """

    lead: float = 0
    """How long before it was first seen a key is accepted."""
    tolerance: float = _DEFAULTS.max_ttl + _DEFAULTS.max_stale
    """How long after it was first absent a key is still accepted. Default: the longest that a Verifier with default
    settings uses a cached set after the issuer has changed it, two hours."""
    max_gap: float = 86400
    """The longest time between two polls for which what both saw is taken for granted, and how long the last poll
    counts. Default: a day."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{field.name} must be a number of seconds")
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{field.name} must be finite and not negative")


__all__ = ["KeyRules", "KeyState"]
