"""DecisionLog: one line of JSON for each rejected request, and for each allowed one if wanted."""

from __future__ import annotations

import collections
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from watchword.fork_safety import register_after_fork
from watchword.observability.decision_record import decision_record, timestamp, to_line
from watchword.observability.rate_limit import RateLimit

if TYPE_CHECKING:
    from watchword.gate import Decision

#: The longest wait for another thread that writes a line, in seconds: a line is dropped rather than a request delayed.
_LOCK_SECONDS = 0.01

#: The random part of a trace ID, in bits (W3C Trace Context level 2, section 3.2.2.4).
_RANDOM_BITS = 56


@dataclass(frozen=True)
class DecisionLogStats:
    """What became of the lines of a :class:`DecisionLog` since it was made."""

    written: int
    """Lines passed to the stream or logger."""
    dropped: int
    """Lines that were not written because of the rate limit, or as another thread was blocked while it wrote."""
    failed: int
    """Lines that could not be written, as the stream or the logger raised."""


class DecisionLog:
    """Writes a line of JSON for each rejected request, and for each allowed one if wanted: an ``on_verdict`` hook.

    ``destination`` is a text stream, or a logger (``None``: the one named ``watchword.decisions``). A logger gets
    allowed requests at INFO, rejections at WARNING, and those with a status of 500 and above at ERROR;
    ``record.decision`` has the members of the line as a mapping.

    ``rejections`` and ``allowed`` say what is logged; of allowed requests, the fraction ``sample``, chosen by their
    trace ID, so that all services choose the same ones. At most ``max_per_second`` lines are written on average and
    ``burst`` at once, for rejections and for allowed requests each; ``None``: no limit. Every ``report_interval``
    seconds, one more line says how many were dropped, by code. ``clock`` returns Unix seconds; ``monotonic`` returns
    the seconds of the rate limit, and is for tests.

    A line contains no token and no header. A call never raises, and changes no decision; :meth:`stats` counts what
    could not be written. A stream that blocks, however, blocks the thread that writes.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        destination: TextIO | logging.Logger | None = None,
        *,
        rejections: bool = True,
        allowed: bool = False,
        sample: float = 1.0,
        max_per_second: float | None = 10.0,
        burst: int = 100,
        report_interval: float = 10.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if destination is None:
            destination = logging.getLogger("watchword.decisions")
        if not isinstance(destination, logging.Logger) and not callable(getattr(destination, "write", None)):
            raise TypeError(f"destination must be a text stream or a logger, not {type(destination).__name__}")
        if not 0 <= sample <= 1:
            raise ValueError(f"sample is {sample!r}: it must be a fraction, from 0 to 1")
        if max_per_second is not None and not 0 < max_per_second < math.inf:
            raise ValueError(f"max_per_second is {max_per_second!r}: it must be positive, or None for no limit")
        if burst < 1:
            raise ValueError(f"burst is {burst!r}: it must be at least 1")
        if not report_interval > 0:
            raise ValueError(f"report_interval is {report_interval!r}: it must be positive")
        self._destination = destination
        self._rejections = rejections
        self._allowed = allowed
        self._threshold = round((1 - sample) * 2**_RANDOM_BITS)
        self._max_per_second = max_per_second
        self._burst = burst
        self._report_interval = report_interval
        self._clock = clock
        self._monotonic = monotonic
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start at 0 with full limits and a new lock: another thread may have held the lock."""
        # Reentrant, as a handler of the logger or of a signal may check a request itself.
        self._lock = threading.RLock()
        self._is_blocked = False
        self._written = self._failed = self._dropped = 0
        self._limits = {
            is_allowed: None if self._max_per_second is None else RateLimit(self._max_per_second, self._burst)
            for is_allowed in (False, True)
        }
        # What was dropped since the last report, by code, and when the next report is due.
        self._unreported: collections.Counter[str] = collections.Counter()
        self._report_at = math.inf

    def __call__(self, decision: Decision, seconds: float) -> None:
        """Log a decision that took ``seconds``, if it is one of those to log."""
        wanted = self._is_sampled(decision) if decision.allowed else self._rejections
        # Others are looked at only as they may be the first after a report became due.
        if wanted or self._report_at < math.inf:
            self._log(decision if wanted else None, seconds)

    def stats(self) -> DecisionLogStats:
        """Return the counters of this process."""
        return DecisionLogStats(written=self._written, dropped=self._dropped, failed=self._failed)

    def flush(self) -> None:
        """Report what was dropped since the last report, now: for the end of the process. Never raises."""
        self._locked(self._report)

    def _is_sampled(self, decision: Decision) -> bool:
        # The rule of OpenTelemetry's consistent probability sampling: the random part is at least the threshold.
        return self._allowed and int(decision.trace_id[-_RANDOM_BITS // 4 :], 16) >= self._threshold

    def _log(self, decision: Decision | None, seconds: float) -> None:
        def log() -> None:
            now = self._monotonic()
            if now >= self._report_at:
                self._report()
            if decision is None:
                return
            limit = self._limits[decision.allowed]
            if limit is not None and not limit.take(now):
                self._drop(str(decision.code), now)
                return
            self._write(_level(decision), decision_record(decision, seconds, self._clock()))

        if not self._locked(log) and decision is not None:
            self._dropped += 1

    def _locked(self, action: Callable[[], None]) -> bool:
        """Run what may write, and count what it raises. Return whether it was run: not if another thread is blocked."""
        # Once a wait was in vain, nobody waits until that thread is done.
        if not self._lock.acquire(timeout=0 if self._is_blocked else _LOCK_SECONDS):
            self._is_blocked = True
            return False
        self._is_blocked = False
        try:
            action()
        except Exception:
            self._failed += 1
        finally:
            self._lock.release()
        return True

    def _drop(self, code: str, now: float) -> None:
        self._dropped += 1
        self._unreported[code] += 1
        if self._report_at == math.inf:
            self._report_at = now + self._report_interval

    def _report(self) -> None:
        """Write how many lines were dropped, if any."""
        dropped, self._unreported = self._unreported, collections.Counter()
        self._report_at = math.inf
        if dropped:
            record: dict[str, Any] = {
                "time": timestamp(self._clock()),
                "decision": "dropped",
                "lines": dropped.total(),
                "by_code": dict(sorted(dropped.items())),
            }
            self._write(logging.WARNING, record)

    def _write(self, level: int, record: dict[str, Any]) -> None:
        line = to_line(record)
        destination = self._destination
        if isinstance(destination, logging.Logger):
            destination.log(level, "%s", line, extra={"decision": record})
        else:
            destination.write(line + "\n")
            destination.flush()
        self._written += 1

    def __repr__(self) -> str:
        """Return the counters."""
        return f"DecisionLog({self.stats()!r})"


def _level(decision: Decision) -> int:
    if decision.allowed:
        return logging.INFO
    return logging.ERROR if decision.status >= 500 else logging.WARNING  # a fault of ours, or of the issuer


__all__ = ["DecisionLog", "DecisionLogStats"]
