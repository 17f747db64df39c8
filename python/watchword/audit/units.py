"""The units of an audit: what one part of the output covers, decided by the content of the input only.

So any run, interrupted or not, with any number of workers, makes the same parts. A unit of Parquet is a fixed number of
consecutive rows of a file, whatever its row groups; a unit of text is a run of records that is at least a fixed number
of bytes long. The last unit of a file is shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from watchword._kernel import MAX_RECORD_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows in a unit of Parquet.
UNIT_ROWS = 1 << 17
#: Bytes in a unit of text, before compression.
UNIT_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records of an input.

    ``offset`` is the number of rows (Parquet) or bytes (text, after decompression) before it, ``row`` the number of the
    row, or of the line, that follows.
    """

    offset: int = 0
    row: int = 1


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row, or what follows a place, that could not be read: the row it is at (``None``: the file), and why."""

    row: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are read, verified and written together. A chunk never contains rows of two units.

    ``batch`` has the columns that the auditor reads, ``rows`` the number of each row in its file. ``end`` is set on the
    last chunk of a unit, which may have no rows: the place after it, and ``last`` whether the file ends there.
    """

    input: int
    batch: pa.RecordBatch | None = None
    rows: pa.Array | None = None
    unreadable: tuple[Unreadable, ...] = ()
    end: Position | None = None
    last: bool = False
    #: Bytes of the input that were read since the chunk before it, for the progress.
    read: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns, or members, of an input. Without ``time``, all tokens were used ``at`` Unix seconds."""

    token: str
    time: str | None = None
    at: float | None = None
    method: str | None = None
    uri: str | None = None
    proof: str | None = None

    @property
    def present(self) -> dict[str, str]:
        """The columns to read: the name of each by what it is."""
        names = {"token": self.token, "time": self.time, "method": self.method, "uri": self.uri, "proof": self.proof}
        return {use: name for use, name in names.items() if name is not None}

    def describe(self) -> dict[str, Any]:
        """Return the members of the manifest that say what was read."""
        return {f"{use}_field": name for use, name in self.present.items()} | (
            {"at": self.at} if self.at is not None else {}
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes that decide where units and batches end. Tests use smaller ones."""

    unit_rows: int = UNIT_ROWS
    unit_bytes: int = UNIT_BYTES
    #: Rows that are verified together: of Parquet, and of text, whose audits take less memory.
    batch_rows: int = 1 << 13
    text_rows: int = 768
    block_bytes: int = 1 << 17
    max_record_bytes: int = MAX_RECORD_BYTES

    def describe(self) -> dict[str, int]:
        """Return the sizes as members of the journal: with others, the parts would be others."""
        return {name: getattr(self, name) for name in self.__slots__}


DEFAULT_LIMITS = Limits()


def without_empty_end(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks of an input, of which the last one has ``last``, without a last unit that has nothing in it."""
    before: Chunk | None = None
    for chunk in chunks:
        if before is None:
            before = chunk
        elif before.end is not None and chunk.last and chunk.batch is None and not chunk.unreadable:
            before = replace(before, last=True, read=before.read + chunk.read)
        else:
            yield before
            before = chunk
    if before is not None:
        yield before


__all__ = [
    "DEFAULT_LIMITS",
    "UNIT_BYTES",
    "UNIT_ROWS",
    "Chunk",
    "Columns",
    "Limits",
    "Position",
    "Unreadable",
    "without_empty_end",
]
