"""When requests come: by day more than by night, at the weekend less."""

from __future__ import annotations

import bisect
import itertools
import math

_HOUR = 3600


class Traffic:
    """The distribution of requests between two times (Unix seconds), for any number of them."""

    def __init__(self, start: float, end: float) -> None:
        self._start = start
        hours = math.ceil((end - start) / _HOUR)
        lengths = [min(end, start + (n + 1) * _HOUR) - (start + n * _HOUR) for n in range(hours)]
        weights = [length * _weight(start + n * _HOUR) for n, length in enumerate(lengths)]
        total = sum(weights)
        self._lengths = lengths
        self._fractions = [0.0, *(part / total for part in itertools.accumulate(weights))]

    def time(self, fraction: float) -> float:
        """Return the time (Unix seconds) before which ``fraction`` of all requests come, between 0 and 1."""
        hour = min(bisect.bisect_right(self._fractions, fraction), len(self._lengths)) - 1
        low, high = self._fractions[hour], self._fractions[hour + 1]
        return self._start + hour * _HOUR + self._lengths[hour] * (fraction - low) / (high - low)

    def fraction(self, at: float) -> float:
        """Return the fraction of all requests that come before ``at`` (Unix seconds)."""
        hour = int((at - self._start) // _HOUR)
        low, high = self._fractions[hour], self._fractions[hour + 1]
        return low + (high - low) * (at - self._start - hour * _HOUR) / self._lengths[hour]


def _weight(at: float) -> float:
    # The first of January 1970 was a Thursday.
    weekend = (int(at // 86400) + 3) % 7 >= 5
    by_day = 1 - 0.7 * math.cos(2 * math.pi * ((at % 86400) / 86400 - 1 / 12))
    return by_day * (0.4 if weekend else 1.0)
