"""A time axis: which days it covers, how they are grouped to bars, and where its labels stand."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from watchword.audit.report.totals import LAST_DAY
from watchword.html.words import calendar, day_of

#: Bars that a plot has room for.
MAX_BARS = 400
#: The smallest number of days that an axis covers, so that one day is not one bar over the whole width.
MIN_DAYS = 14
#: If a few rows lie far from all others, the axis leaves out this share of the rows at most on either side.
OUTLIERS = 0.001

_LABELS = 12
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Bar:
    """The verdicts of one period: its first day since 1970-01-01, the number of its days."""

    start: int
    days: int
    verdicts: Counter[str]


@dataclass(frozen=True)
class Timeline:
    """Periods from ``start`` up to, not including, ``end``, in days since 1970-01-01."""

    unit: str
    start: int
    end: int
    bars: tuple[Bar, ...]
    #: Rows before and after the axis.
    before: int
    after: int

    def share(self, day: float) -> float:
        """Return where a day is on the axis: 0 at its start, 1 at its end."""
        return min(1.0, max(0.0, (day - self.start) / (self.end - self.start)))

    def labels(self) -> Iterator[tuple[float, str, str]]:
        """Yield the position of each label, the label, and a second line for the year where it begins."""
        year = None
        for date in _ticks(self.start, self.end):
            position = self.share(day_of(date))
            if position > 0.96:
                return
            yearly = date.month == date.day == 1 and self.end - self.start > 366 * 4
            month = _MONTHS[date.month - 1]
            text = str(date.year) if yearly else month if self.end - self.start > 120 else f"{date.day} {month}"
            yield position, text, "" if yearly or date.year == year else str(date.year)
            year = date.year


def timeline(days: Mapping[int, Counter[str]]) -> Timeline | None:
    """Return the axis for verdicts by day; ``None`` without any."""
    within = sorted(day for day in days if 0 <= day <= LAST_DAY)
    if not within:
        return None
    first, last = within[0], within[-1]
    if last - first >= MAX_BARS:
        low, high = _without_outliers(within, days)
        if high - low < (last - first) / 2:
            first, last = low, high
    unit = next(unit for unit, length in _UNITS if last - first < MAX_BARS * length or unit == "year")
    starts = list(_starts(first, last, unit))
    bars = [Bar(start, end - start, Counter()) for start, end in pairwise(starts)]
    before = after = index = 0
    for day in sorted(days):
        if day < bars[0].start:
            before += days[day].total()
        elif day >= starts[-1]:
            after += days[day].total()
        else:
            while day >= bars[index].start + bars[index].days:
                index += 1
            bars[index].verdicts.update(days[day])
    return Timeline(unit, starts[0], max(starts[-1], starts[0] + MIN_DAYS), tuple(bars), before, after)


_UNITS = (("day", 1), ("week", 7), ("month", 30), ("year", 365))


def _without_outliers(within: list[int], days: Mapping[int, Counter[str]]) -> tuple[int, int]:
    allowed = OUTLIERS * sum(days[day].total() for day in within)
    edges = []
    for order in (within, within[::-1]):
        left = 0
        for day in order:
            left += days[day].total()
            if left > allowed:
                edges.append(day)
                break
    return edges[0], edges[1]


def _starts(first: int, last: int, unit: str) -> Iterator[int]:
    """Yield the first day of each period, and at the end the day after the last one."""
    if unit == "day":
        yield from range(first, last + 2)
    elif unit == "week":
        monday = first - calendar(first).weekday()
        yield from range(monday, last + 8, 7)
    else:
        date = calendar(first).replace(day=1)
        date = date if unit == "month" else date.replace(month=1)
        yield day_of(date)
        while day_of(date) <= last:
            date = _next(date, 1 if unit == "month" else 12)
            yield day_of(date)


def _next(date: datetime.date, months: int) -> datetime.date:
    month = date.month - 1 + months
    return datetime.date(date.year + month // 12, month % 12 + 1, 1)


def _ticks(start: int, end: int) -> Iterator[datetime.date]:
    length = end - start
    if length <= 120:
        step = next(step for step in (1, 2, 7, 14) if length / step <= _LABELS - 3)
        for day in range(start, end, step):
            yield calendar(day)
        return
    months = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120) if length / (30 * step) <= _LABELS + 1), 240)
    date = calendar(start)
    date = date.replace(month=1 if months >= 12 else (date.month - 1) // months * months + 1, day=1)
    while day_of(date) < end:
        if day_of(date) >= start:
            yield date
        date = _next(date, months)


__all__ = ["MAX_BARS", "Bar", "Timeline", "timeline"]
