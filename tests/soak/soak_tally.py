"""What the clients of a soak saw: answers by kind, durations, and a line for each wrong answer."""

from __future__ import annotations

import collections
import threading
import traceback
from array import array
from typing import NamedTuple

#: The statuses that are right for a code: 401, if it is not here.
STATUSES: dict[str, set[int]] = collections.defaultdict(
    lambda: {401},
    allowed={200},
    insufficient_scope={403},
    no_route={403},
    keys_unavailable={503},
    dpop_replay_unavailable={503},
    ambiguous_path={400},
    token_in_query={400},
    internal_error=set(),
)


class Answer(NamedTuple):
    """``code`` is ``allowed``, or that of the problem document; times are monotonic seconds."""

    status: int
    code: str
    route: str | None
    sent: float
    answered: float


class Tally:
    """All answers, by kind of request and by answer. ``seen`` is what a run of some seconds must see. Thread-safe."""

    def __init__(self, seen: tuple[tuple[str, str], ...]) -> None:
        self._seen = seen
        self._lock = threading.Lock()
        self._seconds = array("f")
        self.answers: collections.Counter[tuple[str, str]] = collections.Counter()
        self.wrong: list[str] = []

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    def missing(self) -> list[str]:
        """Return what a run of some seconds must have seen, and this one has not."""
        return [f"{kind}: {answer}" for kind, answer in self._seen if not self.answers[kind, answer]]

    def add(self, kind: str, answer: Answer, right: set[str]) -> bool:
        """Count an answer, whose code must be one of ``right``; return whether it is."""
        is_right = answer.code in right and answer.status in STATUSES[answer.code]
        with self._lock:
            self.answers[kind, f"{answer.status} {answer.code}"] += 1
            self._seconds.append(answer.answered - answer.sent)
            if not is_right:
                self.wrong.append(f"{kind}: {answer}, not {sorted(right)}")
        return is_right

    def failed(self, kind: str, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        with self._lock:
            self.wrong.append(f"{kind}: {error!r} in {where.name}: {where.line}")

    def percentiles(self, *shares: float) -> list[float]:
        """Return the durations in seconds that this share of the answers did not exceed."""
        with self._lock:
            ordered = sorted(self._seconds)
        return [ordered[min(int(share * len(ordered)), len(ordered) - 1)] for share in shares]

    def describe(self) -> list[str]:
        """Return a line for each kind and answer."""
        return [f"{count:8} {kind}: {answer}" for (kind, answer), count in sorted(self.answers.items())]
