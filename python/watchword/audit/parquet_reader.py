"""Parquet: from row groups of any size to chunks of rows, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq

from watchword.audit.units import Chunk, Columns, Limits, Position, Unreadable

#: Bytes of a column chunk that are read at once.
_BUFFER = 1 << 20
#: Bytes that the rows of a batch should have at most.
_BATCH_BYTES = 16 << 20
#: A token has more bytes. If a column has fewer a row, its values repeat, and reading them as a dictionary pays.
_LEAST_TOKEN = 100
#: The dictionary of a column chunk is kept in memory: it is read as one only if it is smaller, in bytes.
_LARGEST_DICTIONARY = 32 << 20


def read_parquet(
    index: int,
    path: str,
    columns: Columns,
    limits: Limits,
    *,
    start: Position,
    check: Callable[[dict[str, pa.DataType]], None],
) -> Iterator[Chunk]:
    """Yield the rows of a file from ``start`` on, which is the end of one of its units.

    ``check`` raises ``ValueError`` if columns of these types cannot be verified.

    If a page is corrupt, the rest of its row groups is reported as unreadable, and reading continues after them. A file
    that is no Parquet, or lacks a column, ends with an unreadable row that says so. Raises ``OSError`` if the file
    cannot be opened.
    """
    with pa.OSFile(path, "rb") as file:
        try:
            parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
            metadata = parquet.metadata
            _check_rows(metadata)
            check_names(parquet.schema_arrow.names, columns)
            check({use: parquet.schema_arrow.field(name).type for use, name in columns.present.items()})
        except (pa.ArrowException, OSError, ValueError) as error:
            yield Chunk(index, unreadable=(Unreadable(None, _reason(error)),), end=start, last=True)
            return
        rows, size = metadata.num_rows, file.size()
        source = _Source(index, file, metadata, columns, limits, start.offset)
        for run in _runs(metadata, limits.batch_rows):
            if run.end > start.offset or run.end == run.begin:
                for chunk in _read_run(source, run):
                    yield replace(chunk, read=size * len(chunk.rows or ()) // max(1, rows))
        yield Chunk(index, end=Position(rows, rows + 1), last=True)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, what is read of it, and the number of rows at its beginning that are not."""

    index: int
    file: pa.NativeFile
    metadata: pq.FileMetaData
    columns: Columns
    limits: Limits
    start: int


class _Run:
    """Consecutive row groups that are read together, as one of them may have a few rows only."""

    def __init__(self, begin: int) -> None:
        self.begin = self.end = begin
        self.groups: list[int] = []


def _runs(metadata: pq.FileMetaData, least: int) -> Iterator[_Run]:
    run = _Run(0)
    for group in range(metadata.num_row_groups):
        run.groups.append(group)
        run.end += metadata.row_group(group).num_rows
        if run.end - run.begin >= least:
            yield run
            run = _Run(run.end)
    if run.groups:
        yield run


def _read_run(source: _Source, run: _Run) -> Iterator[Chunk]:
    index, unit, row, failure = source.index, source.limits.unit_rows, run.begin, ""
    try:
        for read in _batches(source, run):
            # More rows than the metadata says are not read.
            batch = read.slice(0, run.end - row)
            skipped = min(max(0, source.start - row), batch.num_rows)
            row, batch = row + skipped, batch.slice(skipped)
            while batch.num_rows:
                # No chunk crosses the end of a unit.
                size = min(batch.num_rows, unit - row % unit)
                rows = pa.arange(row + 1, row + 1 + size)
                row += size
                yield Chunk(index, batch.slice(0, size), rows, end=None if row % unit else Position(row, row + 1))
                batch = batch.slice(size)
    except (pa.ArrowException, OSError, ValueError) as error:
        failure = _reason(error)
    if row == run.end:
        return
    # If the failure is before the start, it was reported with an earlier unit.
    if row >= source.start:
        reason = failure or "the row group has fewer rows than the metadata of the file says"
        lost = Unreadable(row + 1, f"rows {row + 1:,} to {run.end:,}: {reason}")
        # Reading continues in the unit of the row after them: there may be any number of units without rows between.
        boundary = run.end - run.end % unit
        end = Position(boundary, boundary + 1) if boundary > row else None
        yield Chunk(index, unreadable=(lost,), end=end)


def _batches(source: _Source, run: _Run) -> Iterator[pa.RecordBatch]:
    limits, names, rows = source.limits, source.columns.present, run.end - run.begin
    largest, total = _token_bytes(source.metadata, run.groups, source.columns.token)
    repeats = total < _LEAST_TOKEN * rows and largest <= _LARGEST_DICTIONARY
    parquet = pq.ParquetFile(
        source.file,
        metadata=source.metadata,
        pre_buffer=False,
        buffer_size=_BUFFER,
        read_dictionary=[source.columns.token] if repeats else None,
    )
    # Tokens that are read as a dictionary take no memory of their own.
    size = 1 if repeats else max(1, total // max(1, rows))
    batch_rows = max(1, min(limits.batch_rows, _BATCH_BYTES // size))
    # One column may be the token and the time, in theory: each is read once.
    columns = list(dict.fromkeys(names.values()))
    for batch in parquet.iter_batches(batch_rows, row_groups=run.groups, columns=columns, use_threads=False):
        yield pa.RecordBatch.from_arrays([batch.column(name) for name in names.values()], names=list(names))


def _check_rows(metadata: pq.FileMetaData) -> None:
    """Raise ``ValueError`` if the row groups do not have the rows of the file: in damaged metadata, some are lost."""
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if sum(rows) != metadata.num_rows or min(rows, default=0) < 0:
        raise ValueError(
            f"the metadata is damaged: {metadata.num_rows:,} rows, of which the row groups have {sum(rows):,}"
        )


def _token_bytes(metadata: pq.FileMetaData, groups: list[int], name: str) -> tuple[int, int]:
    """Return the bytes of the tokens before compression: of the largest of the row groups, and of all of them."""
    sizes = []
    for number in groups:
        group = metadata.row_group(number)
        chunks = (group.column(column) for column in range(group.num_columns))
        sizes.append(sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema == name))
    return max(sizes, default=0), sum(sizes)


def check_names(names: list[str], columns: Columns) -> None:
    """Raise ``ValueError`` if a column that is to be read is absent, or is there several times."""
    for name in columns.present.values():
        if names.count(name) > 1:
            raise ValueError(f"there are several columns {name!r}")
        if name not in names:
            raise ValueError(f"there is no column {name!r}: the file has {', '.join(map(repr, names[:20]))}")


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


__all__ = ["check_names", "read_parquet"]
