"""Times as people write and read them."""

from __future__ import annotations

import contextlib
import datetime
import math
import re

_UNITS = ((86400 * 365.25, "year"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_time(text: str) -> float:
    """Return Unix seconds from a number, a date (midnight UTC), or a date and time with offset (RFC 3339 section 5.6).

    Raises ``ValueError`` with a message that says what is expected.
    """
    from watchword.client import parse_rfc3339  # most commands read no time, and need none of the package

    with contextlib.suppress(ValueError):
        return parse_rfc3339(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"invalid time {text!r}: give Unix seconds, a date, or a time such as 2026-11-21T09:30:00Z")
    return seconds


def utc(seconds: float) -> str:
    """Return ``2026-11-21 09:30:00 UTC``; the bare number if no calendar has it."""
    try:
        when = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} s"
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Return a duration, roughly: ``3 days``, ``1 minute``."""
    seconds = abs(seconds)
    for size, unit in _UNITS:
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {unit}" + ("" if number == 1 else "s")
    return "less than a second"


def relative(seconds: float, now: float) -> str:
    """Return ``in 5 minutes``, ``3 days ago``."""
    return f"in {duration(seconds - now)}" if seconds >= now else f"{duration(seconds - now)} ago"
