"""The limits of calls, and when a request is sent again."""

from __future__ import annotations

from dataclasses import dataclass

#: No limit and no delay is longer.
_MAX_SECONDS = 1_000_000


@dataclass(frozen=True)
class CallSettings:
    """The limits of every call of a client.

    - ``timeout``: the seconds that one attempt of one request may take in all, from connecting to the last byte;
    - ``deadline``: the seconds that a whole call may take, with all its requests, attempts and delays (``None``: twice
      ``timeout``);
    - ``max_retries``: how often a request is sent again. After a time-out, a lost connection or a 5xx, only a request
      whose effect is the same once or twice is; after a 429, any is, since it was not acted on. A delay that the server
      asks for (``Retry-After``, RFC 9110 section 10.2.3) is respected if it ends before the deadline, else the answer
      is final;
    - ``first_delay``, ``max_delay``: the delay before a retry is random, up to ``first_delay * 2**n`` seconds (*n* from
      0) and at most ``max_delay`` (full jitter);
    - ``max_bytes``: the largest accepted body in bytes.

    Raises ``ValueError`` if a number is out of range; that of seconds is 1,000,000.
    """

    timeout: float = 10.0
    deadline: float | None = None
    max_retries: int = 2
    first_delay: float = 0.25
    max_delay: float = 8.0
    max_bytes: int = 1024 * 1024

    def __post_init__(self) -> None:
        for name in ("timeout", "deadline"):
            value = getattr(self, name)
            if value is not None and not (_is_seconds(value) and value > 0):
                raise ValueError(f"{name} is {value!r}: it must be a number of seconds above 0, and at most 1,000,000")
        for name in ("first_delay", "max_delay"):
            value = getattr(self, name)
            if not (_is_seconds(value) and value >= 0):
                raise ValueError(f"{name} is {value!r}: it must be a number of seconds from 0 to 1,000,000")
        for name, least in (("max_retries", 0), ("max_bytes", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is {value!r}: it must be an integer, {least} or more")

    @property
    def seconds(self) -> float:
        """The seconds that a whole call may take."""
        return 2 * self.timeout if self.deadline is None else self.deadline


def _is_seconds(value: object) -> bool:
    # Also false for NaN. Sockets and locks have limits of their own, some of them at 2**31 milliseconds.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value <= _MAX_SECONDS


__all__ = ["CallSettings"]
