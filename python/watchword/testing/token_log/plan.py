"""Which row has which defect, and when: numbers that are known before anything is generated."""

from __future__ import annotations

import collections
import itertools
import math

from watchword.testing.token_log.cases import BEFORE_THE_ARCHIVE, OF_THE_YEAR, STOLEN, VALID, WITH_PROOFS, Case
from watchword.testing.token_log.key_plan import ARCHIVE_START, DAY, END, HOUR, START, KeyPlan
from watchword.testing.token_log.traffic import Traffic

#: A smaller log would consist of defects.
LEAST_ROWS = 1_000
#: Rows that are made together, by one process, and are sorted by time.
_BLOCK_ROWS = 16_384


class Plan:
    """The case and the time of every row of a log: a function of the number of rows alone, and of the key plan.

    First come the rows from before the archive begins, then those of the rest of the year; among these, in the days
    after the theft, those with the stolen key.
    """

    def __init__(self, rows: int, keys: KeyPlan, *, proofs: bool) -> None:
        if rows < LEAST_ROWS:
            raise ValueError(f"rows must be at least {LEAST_ROWS:,}, so that every defect occurs; it is {rows:,}")
        self.rows = rows
        self.blocks = math.ceil(rows / _BLOCK_ROWS)
        of_the_year = OF_THE_YEAR + (WITH_PROOFS if proofs else ())
        self.counts = {
            case: max(1, round(rows * case.share / 100_000)) for case in (*of_the_year, BEFORE_THE_ARCHIVE, *STOLEN)
        }
        self._before = self.counts[BEFORE_THE_ARCHIVE]
        self._stolen = _Spread([(case, self.counts[case]) for case in STOLEN])
        ordinary = rows - self._before - self._stolen.total
        defects = [(case, self.counts[case]) for case in of_the_year]
        self.counts[VALID] = ordinary - sum(count for _, count in defects)
        self._ordinary = _Spread([*defects, (VALID, self.counts[VALID])])
        self._early_traffic = Traffic(START, ARCHIVE_START - 1 * DAY - 2 * HOUR)
        self._traffic = Traffic(ARCHIVE_START + 6 * HOUR, END - 3 * HOUR)
        # The rows with the stolen key are used while the issuer still lists it: after that, archives may differ.
        self._window = (keys.stolen_since + 1 * HOUR, keys.detected - 8 * HOUR)
        first, last = (int(ordinary * self._traffic.fraction(at)) for at in self._window)
        self._window_rows = (first, last - first + self._stolen.total)

    def block(self, number: int) -> list[tuple[Case, float]]:
        """Return the case and the time (Unix seconds) of each row of a block: of 8,192 to 16,384 rows, or all."""
        return [self._row(row) for row in range(self.first_row(number), self.first_row(number + 1))]

    def first_row(self, number: int) -> int:
        """Return the position of the first row of a block, from 0."""
        return self.rows * number // self.blocks

    def codes(self) -> dict[str | None, int]:
        """Return the number of rows with each expected code; ``None`` are the valid ones."""
        codes: collections.Counter[str | None] = collections.Counter()
        for case, count in self.counts.items():
            codes[case.code] += count
        return dict(codes)

    def _row(self, row: int) -> tuple[Case, float]:
        if row < self._before:
            return BEFORE_THE_ARCHIVE, self._early_traffic.time((row + 0.5) / self._before)
        row -= self._before
        first, length = self._window_rows
        stolen = self._stolen.total
        # How many of the rows before this one have the stolen key: they are spread evenly over their window.
        place = min(max(row - first, 0), length)
        before = place * stolen // length
        if place < length and row >= first and (place + 1) * stolen // length > before:
            low, high = self._window
            return self._stolen.case(before), low + (high - low) * (before + 0.5) / stolen
        row -= before
        return self._ordinary.case(row), self._traffic.time((row + 0.5) / self._ordinary.total)


class _Spread:
    """Cases in exact numbers, spread over all positions by a permutation (multiplication by a unit)."""

    def __init__(self, counts: list[tuple[Case, int]]) -> None:
        self._cases = [case for case, _ in counts]
        self._ends = list(itertools.accumulate(count for _, count in counts))
        self.total = self._ends[-1]
        # Near the golden ratio: neighbours of one case end up far from each other.
        self._factor = next(n for n in itertools.count(int(self.total * 0.618) + 1) if math.gcd(n, self.total) == 1)

    def case(self, position: int) -> Case:
        """Return the case of a position, from 0 to ``total - 1``."""
        found = (position * self._factor + self.total // 3) % self.total
        return self._cases[_first_above(self._ends, found)]


def _first_above(ends: list[int], value: int) -> int:
    # The last case is the most frequent one.
    return (
        len(ends) - 1 if len(ends) > 1 and value >= ends[-2] else next(n for n, end in enumerate(ends) if value < end)
    )
