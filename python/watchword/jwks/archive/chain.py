"""The chain of an archive: each record has the next number, the digest of the line before, and no earlier time."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

from watchword.jwks.archive.record import NO_DIGEST, ArchiveRecord


class ArchiveHead(NamedTuple):
    """The last record of an archive: its number, and the SHA-256 of its line in lower-case hex.

    It stands for all records before it, too: whoever notes it elsewhere can show later that none was changed.
    """

    seq: int
    digest: str


class Chain:
    """Checks records in their order."""

    def __init__(self) -> None:
        self.count = 0
        self.digest = NO_DIGEST
        self.time = -math.inf

    @property
    def head(self) -> ArchiveHead | None:
        """The last record; ``None`` before the first."""
        return ArchiveHead(self.count - 1, self.digest) if self.count else None

    def add(self, record: ArchiveRecord, line: bytes) -> None:
        """Check the next record. Raises ``ValueError`` that says how it does not follow the one before."""
        if record.seq != self.count:
            raise ValueError(_misplaced(record.seq, self.count))
        if record.prev != self.digest:
            raise ValueError(_unchained(record))
        if record.time < self.time:
            raise ValueError(f"the record is {self.time - record.time:g} s earlier than the one before")
        self.count += 1
        self.digest = hashlib.sha256(line).hexdigest()
        self.time = record.time


def _misplaced(seq: int, expected: int) -> str:
    if expected == 0:
        return f"the archive begins with the record {seq}: the records before it are missing"
    if seq == expected - 1:
        return f"a second record {seq}: two programs wrote at the same time, or a line was repeated"
    if seq < expected:
        return (
            f"the record {seq} where {expected} is expected: records were repeated or reordered, or two programs wrote"
        )
    missing = f"record {expected} is" if seq == expected + 1 else f"records {expected} to {seq - 1} are"
    return f"the record {seq} where {expected} is expected: {missing} missing, or records were reordered"


def _unchained(record: ArchiveRecord) -> str:
    if record.seq == 0:
        return "the first record continues another one: 'prev' must be 64 zeros"
    return (
        f"'prev' is not the digest of the line before: record {record.seq - 1} was changed or replaced "
        f"after record {record.seq} was written, or this one was"
    )


__all__ = ["ArchiveHead", "Chain"]
