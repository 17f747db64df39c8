"""How many rows got which verdict, of a batch, a part or an audit."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class Counts:
    """Rows, valid ones, refused ones by code, rows by the state of their key, and what could not be read."""

    rows: int = 0
    valid: int = 0
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    key_states: collections.Counter[str] = field(default_factory=collections.Counter)
    unreadable: int = 0

    @classmethod
    def of_batch(cls, batch: pa.RecordBatch | pa.Table) -> Counts:
        """Return the counts of the verdicts in columns ``valid``, ``code`` and ``key_state``."""
        import pyarrow.compute as pc

        valid = pc.sum(batch.column("valid"), min_count=0).as_py()
        return cls(batch.num_rows, valid, _values(batch.column("code")), _values(batch.column("key_state")))

    @classmethod
    def from_dict(cls, members: Mapping[str, Any]) -> Counts:
        """Return the counts that :meth:`as_dict` described."""
        codes, states = collections.Counter(members["codes"]), collections.Counter(members["key_states"])
        return cls(members["rows"], members["valid"], codes, states, members["unreadable"])

    def add(self, other: Counts) -> None:
        """Add those of other rows."""
        self.rows += other.rows
        self.valid += other.valid
        self.codes.update(other.codes)
        self.key_states.update(other.key_states)
        self.unreadable += other.unreadable

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as members of JSON, in a fixed order."""
        return {
            "rows": self.rows,
            "valid": self.valid,
            "codes": dict(sorted(self.codes.items())),
            "key_states": dict(sorted(self.key_states.items())),
            "unreadable": self.unreadable,
        }


def _values(column: pa.Array | pa.ChunkedArray) -> collections.Counter[str]:
    """Count the values of a dictionary column; nulls are not counted."""
    found: collections.Counter[str] = collections.Counter()
    for entry in column.value_counts().to_pylist():
        if entry["values"] is not None:
            found[entry["values"]] += entry["counts"]
    return found


__all__ = ["Counts"]
