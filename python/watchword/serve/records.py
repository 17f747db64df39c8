"""Decisions that the server reports: to the decision log, and the last rejections for the status page."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.observability import DecisionLog

if TYPE_CHECKING:
    from watchword._kernel import Decision

#: How many rejections the status page shows.
SHOWN = 50


@dataclass(frozen=True)
class Rejection:
    """A rejected request: no token, no header, nothing that its sender chose but the trace ID."""

    at: float
    """Unix seconds."""
    code: str
    status: int
    route: str | None
    issuer: str | None
    trace_id: str


class Records:
    """Passes decisions to a decision log, and keeps the last rejections."""

    def __init__(self, log: DecisionLog) -> None:
        #: Replaced by a reload.
        self.log = log
        self._last: collections.deque[Rejection] = collections.deque(maxlen=SHOWN)

    def take(self, decided: Iterable[tuple[Decision, float, float]]) -> None:
        """Take decisions with the seconds that they took and the Unix seconds at which they ended."""
        for decision, seconds, at in decided:
            if not decision.allowed:
                self._last.append(
                    Rejection(
                        at, str(decision.code), decision.status, decision.route, decision.issuer, decision.trace_id
                    )
                )
            self.log(decision, seconds)

    def last(self) -> list[Rejection]:
        """Return the last rejections, the latest first."""
        return list(reversed(self._last.copy()))


__all__ = ["SHOWN", "Records", "Rejection"]
