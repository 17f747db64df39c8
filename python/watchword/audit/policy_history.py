"""PolicyHistory: what was required of tokens in the course of time."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from watchword import Policy
from watchword.audit.policy_file import intervals_of, read_tables
from watchword.audit.policy_interval import PolicyInterval, seconds, utc


class PolicyHistory:
    """The policies of all times: intervals in their order, without a gap and without an overlap.

    The first interval starts at ``-math.inf`` and the last ends at ``math.inf``, so that each use of a token has
    exactly one policy. Histories compare by value, and can be hashed, pickled and copied.

    Raises ``ValueError`` if there is no interval, or if the intervals do not cover every time exactly once.
    """

    def __init__(self, intervals: Iterable[PolicyInterval]) -> None:
        self._intervals = tuple(intervals)
        for interval in self._intervals:
            if not isinstance(interval, PolicyInterval):
                raise TypeError(f"intervals must be of PolicyInterval, not {type(interval).__name__}")
        _check_coverage(self._intervals)
        self._starts = [interval.start for interval in self._intervals]

    @classmethod
    def from_toml(cls, text: str) -> PolicyHistory:
        """Return the history in a TOML text: a table ``[[policy]]`` for each interval.

        Raises ``ValueError``, which says which table is invalid and why.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be str, not {type(text).__name__}: from_file reads a file")
        return cls(intervals_of(read_tables(text)))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> PolicyHistory:
        """Return the history in a TOML file.

        Raises ``ValueError``, which names the file, says which table is invalid and why; ``OSError`` if the file cannot
        be read.
        """
        document = Path(path).read_bytes()
        try:
            return cls.from_toml(document.decode())
        except UnicodeDecodeError as error:
            raise ValueError(f"{os.fspath(path)}: the file is not UTF-8 (at byte {error.start})") from None
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    @property
    def intervals(self) -> tuple[PolicyInterval, ...]:
        """The intervals, the earliest first: a tuple."""
        return self._intervals

    def interval_at(self, time: float) -> PolicyInterval:
        """Return the interval of a time (Unix seconds). A time at which two intervals meet is in the later one.

        Raises ``ValueError`` if the time is not finite.
        """
        moment = seconds("time", time)
        if not math.isfinite(moment):
            raise ValueError("time must be a finite number of Unix seconds")
        return self._intervals[bisect_right(self._starts, moment) - 1]

    def at(self, time: float) -> Policy:
        """Return the policy of a time (Unix seconds).

        Raises ``ValueError`` if the time is not finite.
        """
        return self.interval_at(time).policy

    def __eq__(self, other: object) -> bool:
        """Return whether the other is a history of equal intervals."""
        if not isinstance(other, PolicyHistory):
            return NotImplemented
        return self._intervals == other._intervals

    def __hash__(self) -> int:
        """Return a hash of the intervals."""
        return hash(self._intervals)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to make an equal history, which is checked again."""
        return type(self), (self._intervals,)

    def __repr__(self) -> str:
        """Return the number of intervals."""
        return f"PolicyHistory(intervals={len(self._intervals)})"


def _check_coverage(intervals: tuple[PolicyInterval, ...]) -> None:
    if not intervals:
        raise ValueError("there is no policy: give at least one interval")
    first, last = intervals[0], intervals[-1]
    if first.start != -math.inf:
        raise ValueError(
            f"no policy covers the time before {utc(first.start)}: the first must have no start (-math.inf; in a file "
            "no from)"
        )
    for number, (earlier, later) in enumerate(pairwise(intervals), 1):
        which = f"policies {number} and {number + 1}"
        if later.start <= earlier.start:
            raise ValueError(f"{which} are not in the order of time: {utc(earlier.start)}, then {utc(later.start)}")
        if later.start < earlier.end:
            raise ValueError(f"{which} overlap: both cover the time from {utc(later.start)} to {utc(earlier.end)}")
        if later.start > earlier.end:
            raise ValueError(
                f"no policy covers the time from {utc(earlier.end)} to {utc(later.start)}, between {which}"
            )
    if last.end != math.inf:
        raise ValueError(
            f"no policy covers the time from {utc(last.end)} on: the last must have no end (math.inf; in a file no to)"
        )


__all__ = ["PolicyHistory"]
