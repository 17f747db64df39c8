"""The files of a log: Parquet, NDJSON, CSV and plain lines, compressed or not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Rows of a row group, unless another number is given.
ROW_GROUP_ROWS = 65_536

_COMPRESSIONS = {"": None, ".gz": "gzip", ".zst": "zstd"}
_TEXTS = ("ndjson", "csv", "txt")

#: Every format, which is also the ending of its file: ``txt`` has only the tokens, one a line.
FORMATS = ("parquet", *(text + compression for text in _TEXTS for compression in _COMPRESSIONS))


class Writer(Protocol):
    """Writes batches to one file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows."""

    def close(self) -> None:
        """Write what is left, and close the file."""


def open_writer(path: Path, form: str, schema: pa.Schema, *, row_group_rows: int, repeated: bool) -> Writer:
    """Return a writer for one of the :data:`FORMATS`.

    ``row_group_rows`` is for Parquet; with 0, all rows are in one row group, which is in memory until the end. If
    tokens are ``repeated``, Parquet contains each once a row group.
    """
    if form == "parquet":
        return ParquetFile(path, schema, row_group_rows=row_group_rows, repeated=repeated)
    text, _, compression = form.partition(".")
    return _TextFile(path, text, _COMPRESSIONS[f".{compression}" if compression else ""], schema)


class ParquetFile:
    """Writes Parquet with row groups of exactly that many rows, compressed with zstd."""

    def __init__(self, path: Path, schema: pa.Schema, *, row_group_rows: int, repeated: bool) -> None:
        distinct = ("request_id", "path", "uri", "proof", *(() if repeated else ("token",)))
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=[name for name in schema.names if name not in distinct and name != "used_at"],
            dictionary_pagesize_limit=16 << 20,
        )
        self._schema = schema
        self._row_group_rows = row_group_rows
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows, or keep them until their row group is complete."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        while self._row_group_rows and self._rows >= self._row_group_rows:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._write(table.slice(0, self._row_group_rows))
            self._waiting = table.slice(self._row_group_rows).to_batches()
            self._rows -= self._row_group_rows

    def close(self) -> None:
        """Write the last row group, and close the file."""
        if self._rows:
            self._write(pa.Table.from_batches(self._waiting, self._schema))
        self._writer.close()

    def _write(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=table.num_rows)


class _TextFile:
    """Writes one line a row; times in the form of RFC 3339."""

    def __init__(self, path: Path, text: str, compression: str | None, schema: pa.Schema) -> None:
        self._stream = pa.output_stream(path, compression=compression)
        self._lines = {"ndjson": _ndjson, "csv": _csv, "txt": _tokens}[text]
        if text == "csv":
            self._stream.write((",".join(schema.names) + "\r\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows."""
        self._stream.write("".join(self._lines(batch)).encode())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _values(batch: pa.RecordBatch) -> Iterator[tuple[str | None, ...]]:
    columns = [
        pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(column.type) else column
        for column in batch.columns
    ]
    return zip(*(column.to_pylist() for column in columns), strict=True)


def _ndjson(batch: pa.RecordBatch) -> Iterator[str]:
    names = batch.schema.names
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return (encode(dict(zip(names, values, strict=True))) + "\n" for values in _values(batch))


def _csv(batch: pa.RecordBatch) -> Iterator[str]:
    # RFC 4180; null is an empty field.
    text = io.StringIO()
    csv.writer(text).writerows(_values(batch))
    yield text.getvalue()


def _tokens(batch: pa.RecordBatch) -> Iterator[str]:
    return (f"{token or ''}\n" for token in batch.column("token").to_pylist())
