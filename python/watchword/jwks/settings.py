"""CacheSettings: how long keys are cached and how often they are fetched, with limits. Every number has a unit."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from watchword.limits import MAX_KEY_SET_BYTES, MAX_KEYS


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """The settings of one issuer's key cache. Times are seconds, sizes bytes.

    Raises ``TypeError`` or ``ValueError`` if a value is invalid, alone or beside another.
    """

    ttl: float = 300
    """How long a set is fresh if its answer has no usable ``Cache-Control``."""
    min_ttl: float = 30
    """The shortest time a set is fresh, whatever ``Cache-Control`` says. Longer than ``timeout``."""
    max_ttl: float = 3600
    """The longest time a set is fresh, whatever ``Cache-Control`` says."""
    refresh_ahead: float = 0.8
    """The share of its lifetime after which a set is refreshed in the background (less up to a tenth, at random)."""
    max_stale: float = 3600
    """How long a set may be used past its lifetime while refresh fails. 0: never."""
    grace: float = 0.1
    """The longest a caller waits for the endpoint if a usable set is cached."""
    cooldown: float = 30
    """Unknown kids share two fetches, and one more for each ``cooldown`` that passes."""
    max_waiters: int = 4
    """How many callers at a time wait for a fetch because of an unknown kid, or, without a usable set, after a failed
    fetch. The others do not wait."""
    timeout: float = 5
    """For a whole attempt, from the connection (and the discovery, if one is due) to the last byte."""
    backoff_base: float = 1
    """After n failures in a row the next attempt waits a random time up to ``backoff_base * 2**n``."""
    backoff_cap: float = 60
    """The upper end of that random time, at most."""
    max_bytes: int = MAX_KEY_SET_BYTES
    """The longest answer (or file) that is accepted. At most 1 MiB."""
    max_keys: int = MAX_KEYS
    """How many keys a set may list. At most 256."""
    check_interval: float = 1
    """The shortest time between two checks of a key file."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_number(field.name, getattr(self, field.name), whole=field.type == "int")
        if not self.min_ttl <= self.ttl <= self.max_ttl:
            raise ValueError("ttl must lie between min_ttl and max_ttl; set those too")
        if not self.min_ttl > self.timeout:
            raise ValueError("min_ttl must be longer than timeout: a set's age counts from when it was asked for")
        if not 0 < self.refresh_ahead <= 1:
            raise ValueError("refresh_ahead must be a share: over 0, at most 1")
        for name in ("timeout", "backoff_base", "backoff_cap", "max_bytes", "max_keys"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be over 0")
        if self.max_bytes > MAX_KEY_SET_BYTES or self.max_keys > MAX_KEYS:
            raise ValueError(f"max_bytes is at most {MAX_KEY_SET_BYTES} and max_keys at most {MAX_KEYS}")


def _check_number(name: str, value: object, *, whole: bool) -> None:
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name} must be {'a whole number' if whole else 'a number of seconds'}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be finite and not negative")


__all__ = ["CacheSettings"]
