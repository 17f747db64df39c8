"""Metrics: verdicts and how long they took, counted in the process."""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from watchword.fork_safety import register_after_fork
from watchword.observability.instruments import BUCKETS

if TYPE_CHECKING:
    from watchword.gate import Decision

#: The label of the issuers past ``max_issuers``.
OTHER = "other"


class VerdictLabels(NamedTuple):
    """The labels of a count of verdicts, as text: ``""`` if there is none."""

    issuer: str
    code: str
    scheme: str
    cached: str


class DurationLabels(NamedTuple):
    """The labels of a histogram: ``result`` is ``allowed`` or ``rejected``."""

    result: str
    scheme: str
    cached: str


@dataclass(frozen=True)
class Histogram:
    """Checks counted by how long they took.

    ``counts`` are those of the buckets, not cumulated, the last one without a bound; ``total`` is the sum in seconds.
    """

    counts: tuple[int, ...]
    total: float

    def merged(self, other: Histogram) -> Histogram:
        """Return the histogram of the checks of both."""
        return Histogram(tuple(map(sum, zip(self.counts, other.counts, strict=True))), self.total + other.total)


_Key = tuple[str | None, str, str | None, bool]

#: The number of durations that are kept as they came, until they are counted together.
_BATCH = 256


@dataclass(eq=False)
class _Cell:
    """The durations of one combination of labels."""

    # Appending is one step for the interpreter, so that a verdict needs no lock. The rest is changed under the lock.
    pending: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def count_pending(self) -> None:
        batch = self.pending[:]
        del self.pending[: len(batch)]
        batch.sort()
        before = 0
        for bucket, bound in enumerate((*BUCKETS, math.inf)):
            after = bisect_right(batch, bound, before)
            self.counts[bucket] += after - before
            before = after
        self.total += math.fsum(batch)


class Metrics:
    """Counts verdicts and their durations: an ``on_verdict`` for a :class:`watchword.gate.Gate`.

    It is safe with threads, and a verdict never waits for a lock. No label is chosen by a client: they are configured
    issuers, the closed set of codes, the scheme, and whether the token was cached. ``max_issuers`` is the number of
    issuers with a label of their own; all further ones count as ``other``, so that a gate whose issuers come and go has
    a bounded number of time series.

    The counts are of this process. A forked child starts at 0.

    Raises ``ValueError`` if ``max_issuers`` is negative.
    """

    def __init__(self, *, max_issuers: int = 1000) -> None:
        if max_issuers < 0:
            raise ValueError(f"max_issuers is {max_issuers!r}: it must be 0 or more")
        self._max_issuers = max_issuers
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start at 0, with a new lock: the parent counts its own, and another thread may have held the lock."""
        self._lock = threading.Lock()
        self._cells: dict[_Key, _Cell] = {}
        self._issuers: set[str] = set()

    def __call__(self, decision: Decision, seconds: float) -> None:
        """Count a decision that took ``seconds``."""
        key = (decision.issuer, decision.code, decision.scheme, decision.cached)
        cell = self._cells.get(key) or self._new_cell(key)
        pending = cell.pending
        pending.append(seconds)
        # Nobody waits: if the lock is taken, a later verdict counts these.
        if len(pending) >= _BATCH and self._lock.acquire(blocking=False):
            try:
                cell.count_pending()
            finally:
                self._lock.release()

    def verdicts(self) -> dict[VerdictLabels, int]:
        """Return the number of verdicts by their labels."""
        return {
            VerdictLabels(issuer or "", str(code), scheme or "", _text(cached=cached)): sum(histogram.counts)
            for (issuer, code, scheme, cached), histogram in self._read().items()
        }

    def durations(self) -> dict[DurationLabels, Histogram]:
        """Return the histograms of the durations by their labels; ``BUCKETS`` are the bounds of their buckets."""
        merged: dict[DurationLabels, Histogram] = {}
        for (_, code, scheme, cached), one in self._read().items():
            labels = DurationLabels("allowed" if code == "allowed" else "rejected", scheme or "", _text(cached=cached))
            other = merged.get(labels)
            merged[labels] = one if other is None else one.merged(other)
        return merged

    def _read(self) -> dict[_Key, Histogram]:
        with self._lock:
            found = {}
            for key, cell in list(self._cells.items()):
                cell.count_pending()
                found[key] = Histogram(tuple(cell.counts), cell.total)
            return found

    def _new_cell(self, key: _Key) -> _Cell:
        issuer = key[0]
        if issuer is not None and issuer not in self._issuers:
            if len(self._issuers) < self._max_issuers:
                self._issuers.add(issuer)
            else:
                key = (OTHER, *key[1:])
        # One step for the interpreter, like ``set.add``: of two threads, both get the cell of the first.
        return self._cells.setdefault(key, _Cell())

    def __repr__(self) -> str:
        """Return the number of time series of verdicts."""
        return f"Metrics({len(self._cells)} time series)"


def _text(*, cached: bool) -> str:
    return "true" if cached else "false"


__all__ = ["BUCKETS", "DurationLabels", "Histogram", "Metrics", "VerdictLabels"]
