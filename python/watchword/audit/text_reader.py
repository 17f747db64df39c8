"""NDJSON, CSV and lines: from bytes to chunks of rows, by the kernel's reader of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from watchword._kernel import RecordReader
from watchword.audit.decompression import Bytes
from watchword.audit.units import Chunk, Columns, Limits, Position, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable


def read_text(
    index: int,
    text_format: str,
    stream: Bytes,
    columns: Columns,
    limits: Limits,
    *,
    start: Position,
    progress: Callable[[], int],
) -> Iterator[Chunk]:
    """Yield the rows of an input from ``start`` on, which is the end of one of its units.

    What comes before it is parsed again, and dropped: the state of CSV depends on all lines before. ``progress``
    returns the number of bytes of the file that were read.

    A stream that ends early, or an input without one of the columns, ends with an unreadable row that says so. Raises
    ``OSError`` if the file cannot be read.
    """
    reader = RecordReader(text_format, **columns.present, max_record_bytes=limits.max_record_bytes)
    here, begin, read = Position(), start.offset, 0
    at_end = False
    try:
        while not at_end:
            block = stream.read(limits.block_bytes)
            at_end = len(block) < limits.block_bytes
            reader.feed(block)
            if at_end:
                reader.finish() if stream.error is None else reader.break_off()
            while (taken := reader.take(limits.text_rows)) is not None:
                batch, unreadable, offset, line = taken
                here = Position(offset, line)
                if offset <= start.offset and start.offset > 0:
                    read = progress()
                    continue
                ends = offset - begin >= limits.unit_bytes
                now = progress()
                yield _chunk(index, batch, unreadable, columns, end=here if ends else None, read=now - read)
                begin, read = (offset, now) if ends else (begin, now)
    except ValueError as error:
        # A missing column: nothing was read but the header.
        yield Chunk(index, unreadable=(Unreadable(None, str(error)),), end=here, last=True, read=progress() - read)
        return
    damage = () if stream.error is None else (Unreadable(here.row, str(stream.error)),)
    yield Chunk(index, unreadable=damage, end=here, last=True, read=progress() - read)


def _chunk(
    index: int, data: object, unreadable: list[tuple[int, str]], columns: Columns, *, end: Position | None, read: int
) -> Chunk:
    batch = pa.record_batch(data)
    names = [use for use in columns.present if use in batch.schema.names]
    reasons = tuple(Unreadable(line, reason) for line, reason in unreadable)
    return Chunk(index, batch.select(names), batch.column("row"), reasons, end, read=read)


__all__ = ["read_text"]
