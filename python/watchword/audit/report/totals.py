"""What the report counts in one pass over the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from watchword.audit.report.rows import records, values

#: The verdict of a row that is valid, beside the codes.
VALID = "valid"

#: Examples that are kept of each code.
EXAMPLES = 5

#: Days that are counted one by one: those of times from 1970 to 2106. Earlier and later ones count together.
LAST_DAY = 2**32 // 86_400

#: Lower bounds of the classes of lateness, in seconds.
LATENESS = (0, 1, 10, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)

#: States of a key whose days are kept, and how many days of all keys together.
MARKED_STATES = ("uncertain", "early", "withdrawn", "compromised")
MAX_KEY_DAYS = 200_000

_EXAMPLE_COLUMNS = ("file", "row", "time", "issuer", "subject", "client_id", "key_id", "token_hash")


@dataclass
class Span:
    """How often something was used, and when first and last, in microseconds since 1970."""

    uses: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, uses: int, first: int | None, last: int | None) -> None:
        """Add other uses of the same thing."""
        self.uses += uses
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last


@dataclass(frozen=True)
class Example:
    """One row, as the report shows it."""

    file: str | None
    row: int | None
    time: int | None
    issuer: str | None
    subject: str | None
    client_id: str | None
    key_id: str | None
    token_hash: str | None


def _no_days() -> defaultdict[tuple[str | None, str | None, str], set[int]]:
    return defaultdict(set)


@dataclass
class Totals:
    """The counts of an audit. A verdict is ``valid``, or the code of the rejection."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    span: Span = field(default_factory=Span)
    without_time: int = 0
    #: By day since 1970-01-01, and verdict.
    days: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    issuers: defaultdict[str | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    #: By issuer, key id and key state.
    keys: defaultdict[tuple[str | None, str | None, str], Span] = field(default_factory=lambda: defaultdict(Span))
    #: The days on which a key was used in one of ``MARKED_STATES``; ``None`` if they were too many.
    key_days: defaultdict[tuple[str | None, str | None, str], set[int]] | None = field(default_factory=_no_days)
    #: By class of ``LATENESS``.
    lateness: Counter[int] = field(default_factory=Counter)
    latest: float = 0.0
    #: By number of actors (``None`` if not known), and whether the row is valid.
    depths: Counter[tuple[int | None, bool]] = field(default_factory=Counter)
    examples: defaultdict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))

    @property
    def valid(self) -> int:
        """The number of valid rows."""
        return self.verdicts[VALID]

    @property
    def rejected(self) -> int:
        """The number of rows that are not valid."""
        return self.rows - self.valid

    def codes(self) -> Counter[str]:
        """Return the number of rows of each code."""
        return Counter({verdict: rows for verdict, rows in self.verdicts.items() if verdict != VALID})

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch."""
        if batch.num_rows == 0:
            return
        verdict = verdicts_of(batch)
        table = pa.table(
            {
                "verdict": verdict,
                "time": batch["time"].cast(pa.int64()),
                "day": batch["time"].cast(pa.date32()).cast(pa.int32()),
                **{name: batch[name] for name in ("issuer", "key_id", "key_state", "valid")},
                "depth": pc.list_value_length(batch["actors"]),
            }
        )
        self.rows += batch.num_rows
        self._days(table)
        for name, code, rows in records(_grouped(table, "issuer", "verdict")):
            self.issuers[name][code] += rows
        for depth, valid, rows in records(_grouped(table, "depth", "valid")):
            self.depths[depth, bool(valid)] += rows
        self._keys(table)
        self._lateness(batch, verdict)
        self._examples(batch, verdict)

    def _days(self, table: pa.Table) -> None:
        grouped = table.group_by(["day", "verdict"], use_threads=False)
        counted = grouped.aggregate([("time", "min"), ("time", "max"), ([], "count_all")])
        for day, verdict, first, last, rows in records(counted):
            self.verdicts[verdict] += rows
            self.span.add(rows, first, last)
            if day is None:
                self.without_time += rows
            else:
                self.days[max(-1, min(day, LAST_DAY + 1))][verdict] += rows

    def _keys(self, table: pa.Table) -> None:
        used = table.filter(pc.is_valid(table["key_state"]))
        grouped = used.group_by(["issuer", "key_id", "key_state"], use_threads=False)
        counted = grouped.aggregate([("time", "min"), ("time", "max"), ([], "count_all")])
        for issuer, key_id, state, first, last, uses in records(counted):
            self.keys[issuer, key_id, state].add(uses, first, last)
        if self.key_days is None:
            return
        marked = used.filter(pc.is_in(used["key_state"], pa.array(MARKED_STATES)))
        for issuer, key_id, state, day, _ in records(_grouped(marked, "issuer", "key_id", "key_state", "day")):
            if day is not None:
                self.key_days[issuer, key_id, state].add(day)
        if sum(map(len, self.key_days.values())) > MAX_KEY_DAYS:
            self.key_days = None

    def _lateness(self, batch: pa.RecordBatch, verdict: pa.Array) -> None:
        late = batch["seconds_past_expiry"].filter(pc.equal(verdict, "expired")).drop_null()
        if len(late) == 0:
            return
        self.latest = max(self.latest, pc.max(late).as_py())
        # Each class has what reaches its lower bound, less what reaches the next.
        reached = [len(late), *(pc.sum(pc.greater_equal(late, bound)).as_py() for bound in LATENESS[1:]), 0]
        for index in range(len(LATENESS)):
            self.lateness[index] += reached[index] - reached[index + 1]

    def _examples(self, batch: pa.RecordBatch, verdict: pa.Array) -> None:
        for code in values(pc.unique(verdict)):
            wanted = EXAMPLES - len(self.examples.get(code, ()))
            if code == VALID or wanted <= 0:
                continue
            found = pc.indices_nonzero(pc.equal(verdict, code))[:wanted]
            taken = pa.table({name: batch[name].take(found) for name in _EXAMPLE_COLUMNS})
            self.examples[code].extend(Example(*row) for row in records(taken))


def number_of_keys(keys: Collection[tuple[str | None, str | None]]) -> int:
    """Return how many keys these are, by issuer and key id.

    A token with malformed claims has no issuer: its key is counted only if no issuer has one with that key id.
    """
    ids = {key_id for issuer, key_id in keys if issuer is not None}
    return len({key for key in keys if key[0] is not None or key[1] not in ids})


def verdicts_of(batch: pa.RecordBatch) -> pa.Array:
    """Return ``valid`` or the code of each row."""
    codes = batch["code"]
    if pa.types.is_dictionary(codes.type):
        codes = codes.cast(pa.string())
    # A row that is neither valid nor has a code is not one that an audit writes; it must not pass for valid.
    return pc.if_else(pc.fill_null(batch["valid"], False), VALID, pc.fill_null(codes, "internal_error"))  # noqa: FBT003


def _grouped(table: pa.Table, *keys: str) -> pa.Table:
    return table.group_by(list(keys), use_threads=False).aggregate([([], "count_all")])


__all__ = [
    "EXAMPLES",
    "LAST_DAY",
    "LATENESS",
    "MARKED_STATES",
    "VALID",
    "Example",
    "Span",
    "Totals",
    "number_of_keys",
    "verdicts_of",
]
