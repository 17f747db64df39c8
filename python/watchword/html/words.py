"""Numbers, times and durations in words."""

from __future__ import annotations

import datetime

#: What does not break at the end of a line.
_SPACE = "\N{NO-BREAK SPACE}"

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
_EPOCH = datetime.date(1970, 1, 1)
_UNITS = ((86_400 * 365, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 token``, ``2,000 tokens``."""
    return f"{number:,}{_SPACE}{noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole in percent; none and all are said of exactly those."""
    if whole == 0:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"<{_SPACE}0.1{_SPACE}%"
    if percent > 99.9 and part < whole:
        return f">{_SPACE}99.9{_SPACE}%"
    return f"{percent:.1f}{_SPACE}%" if 0 < part < whole else f"{percent:.0f}{_SPACE}%"


def short(number: int) -> str:
    """Return ``950``, ``1.5k``, ``20M``, for an axis."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)


def date(day: int) -> str:
    """Return a day, counted from 1970-01-01, as RFC 3339 writes it."""
    try:
        return (_EPOCH + datetime.timedelta(days=day)).isoformat()
    except OverflowError:
        return f"{'after' if day > 0 else 'before'} the years of four digits"


def calendar(day: int) -> datetime.date:
    """Return the date of a day, counted from 1970-01-01."""
    return _EPOCH + datetime.timedelta(days=day)


def day_of(date: datetime.date) -> int:
    """Return the day of a date, counted from 1970-01-01."""
    return (date - _EPOCH).days


def time_of_day(at: int) -> str:
    """Return the time of day of microseconds since 1970, in UTC, to the second."""
    seconds = at // MICROSECONDS % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def duration(seconds: float) -> str:
    """Return seconds in the two largest units that they have."""
    if seconds < 1:
        return "less than 1 second"
    left, parts = int(seconds), []
    for size, name in _UNITS:
        if left >= size:
            parts.append(count(left // size, name))
            left %= size
    return " ".join(parts[:2])


def size(number: int) -> str:
    """Return a number of bytes, in the unit that leaves one to four digits."""
    amount = float(number)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:,.0f}{_SPACE}{unit}" if unit == "bytes" else f"{amount:,.1f}{_SPACE}{unit}"
        amount /= 1024
    return f"{amount:,.1f}{_SPACE}TiB"


__all__ = [
    "DAY",
    "MICROSECONDS",
    "calendar",
    "count",
    "date",
    "day_of",
    "duration",
    "share",
    "short",
    "size",
    "time_of_day",
]
