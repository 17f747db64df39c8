"""One part of the output: its rows in a file of their own, what was unreadable in another beside it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from watchword.audit.units import Unreadable
from watchword.durable import DurableFile, write_durably
from watchword.printable import to_json

#: Fixed, so that the same rows are the same bytes.
_PARQUET: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "version": "2.6",
    "data_page_version": "1.0",
    "write_statistics": True,
    "store_schema": True,
}

#: Batches in a row group.
_ROW_GROUP = 4


class PartWriter:
    """Writes a part, which exists when :meth:`commit` returns; :meth:`abort` removes what was written.

    ``stem`` is its path without what the format adds. Raises ``OSError``.
    """

    def __init__(self, stem: str, schema: pa.Schema, output_format: str) -> None:
        self._stem = stem
        self._file = DurableFile(f"{stem}.{output_format}")
        # Values of these columns rarely repeat: a dictionary of them would be built for nothing.
        repeated = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        self._parquet = (
            pq.ParquetWriter(self._file, schema, use_dictionary=repeated, **_PARQUET)
            if output_format == "parquet"
            else None
        )
        self._batches: list[pa.RecordBatch] = []
        self._unreadable: list[bytes] = []

    def write(self, rows: pa.RecordBatch | pa.Buffer | bytes) -> None:
        """Write a batch, or the text of one."""
        if isinstance(rows, pa.RecordBatch):
            self._batches.append(rows)
            if len(self._batches) >= _ROW_GROUP:
                self._write_row_group()
        else:
            self._file.write(rows)

    def add_unreadable(self, file: str, unreadable: Unreadable) -> None:
        """Add a row that could not be read."""
        line = {"file": file, "row": unreadable.row, "reason": unreadable.reason}
        self._unreadable.append(to_json(line).encode() + b"\n")

    def commit(self) -> tuple[str, str | None]:
        """Write the rest. Returns the SHA-256 of the part in hex, and that of its unreadable rows if there are any."""
        unreadable = None
        if self._unreadable:
            unreadable = write_durably(f"{self._stem}.unreadable.ndjson", b"".join(self._unreadable))
        if self._parquet is not None:
            self._write_row_group()
            self._parquet.close()
        return self._file.commit(), unreadable

    def _write_row_group(self) -> None:
        if self._batches and self._parquet is not None:
            # Each batch has dictionaries of its own.
            self._parquet.write_table(pa.Table.from_batches(self._batches).unify_dictionaries())
            self._batches.clear()

    def abort(self) -> None:
        """Remove what was written."""
        self._parquet = None
        self._file.abort()


__all__ = ["PartWriter"]
