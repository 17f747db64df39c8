"""The rows of a log as Arrow columns: what is known to an auditor, and, apart from it, the truth."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from watchword.testing.token_log.block import Row
from watchword.testing.token_log.cases import REPLAYED

_NAME = pa.dictionary(pa.int32(), pa.string())

#: The truth about each row: its number from 1, the expected error code (null: valid), the name of its defect or of
#: what it is, and whether it repeats the proof of an earlier row.
TRUTH = pa.schema([("row", pa.int64()), ("code", _NAME), ("case", _NAME), ("replayed", pa.bool_())])


def log_schema(*, proofs: bool) -> pa.Schema:
    """Return the columns of the log: ``used_at`` in microseconds, UTC; ``uri`` and ``proof`` only with proofs."""
    columns = [
        ("used_at", pa.timestamp("us", "UTC")),
        ("request_id", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("token", pa.string()),
    ]
    return pa.schema([*columns, ("uri", pa.string()), ("proof", pa.string())] if proofs else columns)


def log_batch(rows: Sequence[Row], *, proofs: bool) -> pa.RecordBatch:
    """Return the rows as an auditor gets them."""
    schema = log_schema(proofs=proofs)
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def truth_batch(rows: Sequence[Row], *, first_row: int) -> pa.RecordBatch:
    """Return the truth about the rows, of which the first has that number in the log."""
    columns = [
        pa.array(range(first_row, first_row + len(rows)), pa.int64()),
        pa.array([row.case.code for row in rows], pa.string()).cast(_NAME),
        pa.array([row.case.name for row in rows], pa.string()).cast(_NAME),
        pa.array([row.case is REPLAYED for row in rows], pa.bool_()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=TRUTH)
