"""Verdicts of the last hour, by minute."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: How many minutes are kept.
MINUTES = 60


@dataclass
class Minute:
    """The verdicts of one minute, which began at ``start`` in Unix seconds."""

    start: int
    allowed: int = 0
    rejected: int = 0


class History:
    """Counts verdicts by minute, from counters that only grow. ``clock`` returns Unix seconds. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: collections.deque[Minute] = collections.deque(maxlen=MINUTES)
        self._before = (0, 0)

    def count(self, allowed: int, rejected: int) -> None:
        """Count what has been added to these counters since the last call."""
        with self._lock:
            start = int(self._clock() // 60) * 60
            # A clock that is set back adds to the latest minute.
            if not self._minutes or start > self._minutes[-1].start:
                self._minutes.append(Minute(start))
            latest = self._minutes[-1]
            latest.allowed += max(0, allowed - self._before[0])
            latest.rejected += max(0, rejected - self._before[1])
            self._before = (allowed, rejected)

    def last_hour(self) -> list[Minute]:
        """Return the last 60 minutes, the oldest first, those without a verdict too."""
        with self._lock:
            known = {minute.start: minute for minute in self._minutes}
            end = max([int(self._clock() // 60) * 60, *known])
            return list(_filled(known, end))


def _filled(known: dict[int, Minute], end: int) -> Iterator[Minute]:
    for start in range(end - 60 * (MINUTES - 1), end + 1, 60):
        found = known.get(start)
        yield Minute(start) if found is None else Minute(start, found.allowed, found.rejected)


__all__ = ["MINUTES", "History", "Minute"]
