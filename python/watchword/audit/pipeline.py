"""The audit of files into a directory: reading, verifying and writing at once, resumed where a run ended."""

from __future__ import annotations

import collections
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchword import __version__
from watchword.audit.counts import Counts
from watchword.audit.digests import Digests, file_sha256
from watchword.audit.errors import AuditError, required
from watchword.audit.inputs import Input
from watchword.audit.journal import Journal, parts_by_input
from watchword.audit.ordered import ordered_map
from watchword.audit.source import Source
from watchword.audit.units import DEFAULT_LIMITS, Chunk, Columns, Limits, Position
from watchword.durable import sync_directory

if TYPE_CHECKING:
    import pyarrow as pa

    from watchword.audit.audited import Audited
    from watchword.audit.auditor import Auditor

PARTS = "parts"
_PART_FILE = re.compile(r"part-(\d{6,})\.(parquet|ndjson|unreadable\.ndjson)(\.tmp)?")

#: Called after each chunk with the bytes of the inputs that were read, the rows, and how many of them are valid.
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class AuditJob:
    """What is audited, with what, and what becomes of it.

    ``keys`` and ``policy`` describe what ``auditor`` verifies with, for the journal and the manifest; ``options`` what
    else decides about the output.
    """

    inputs: Sequence[Input]
    columns: Columns
    auditor: Auditor
    keys: Mapping[str, Any]
    policy: Mapping[str, Any]
    output_format: str = "parquet"
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    limits: Limits = DEFAULT_LIMITS

    def about(self) -> dict[str, Any]:
        """Return what the audit is of: an audit with another journal is not resumed."""
        return {
            "watchword": __version__,
            "inputs": [{"path": one.path, "format": one.format} for one in self.inputs],
            "keys": dict(self.keys),
            "policy": dict(self.policy),
            "options": self.options(),
            "limits": self.limits.describe(),
        }

    def options(self) -> dict[str, Any]:
        """Return what was read, and the format of the output."""
        return {**self.columns.describe(), "output_format": self.output_format}


def run_audit(job: AuditJob, directory: str, *, progress: Progress | None = None) -> list[dict[str, Any]]:
    """Write the parts of an audit that are not in the directory yet. Returns the lines of the journal, one a part.

    Raises :class:`AuditError` if the directory belongs to another audit, or an input changed while it was read;
    ``OSError`` if the output cannot be written. Whatever is raised, and also after the process was killed, the same
    call resumes after the parts that are finished, unless standard input is read.
    """
    required("pyarrow")
    journal = Journal(directory, job.about())
    try:
        return _Run(job, directory, journal, progress or (lambda *_: None)).run()
    finally:
        journal.close()


class _Run:
    """One run: it ends with all parts, or with an exception."""

    def __init__(self, job: AuditJob, directory: str, journal: Journal, progress: Progress) -> None:
        from watchword.audit.audited import BatchAuditor

        self._job, self._journal, self._progress = job, journal, progress
        self._directory = directory
        self._stop = threading.Event()
        self._digests = Digests(self._stop)
        self._batches = BatchAuditor(job.auditor, job.inputs, job.columns, job.output_format)
        self._schema = self._batches.schema()
        # Parts that are written, and wait for the digest of their input.
        self._waiting: collections.deque[tuple[dict[str, Any], Input]] = collections.deque()

    def run(self) -> list[dict[str, Any]]:
        try:
            os.makedirs(os.path.join(self._directory, PARTS), exist_ok=True)
            first, start = self._resume()
            if first < len(self._job.inputs):
                self._audit(first, start)
            return self._journal.parts
        finally:
            self._stop.set()
            self._digests.close()

    def _resume(self) -> tuple[int, Position]:
        """Return the input and the place after the finished parts, and remove files of parts that are not finished."""
        parts = self._journal.parts
        if parts and any(one.is_standard_input for one in self._job.inputs):
            raise AuditError("an audit of standard input can't be resumed: give a new directory")
        for index, of_input in parts_by_input(parts).items():
            self._check_input(index, of_input)
        intact = next((number for number, part in enumerate(parts) if not self._is_intact(number, part)), len(parts))
        self._journal.keep(intact)
        folder = os.path.join(self._directory, PARTS)
        for name in os.listdir(folder):
            found = _PART_FILE.fullmatch(name)
            if found is not None and (found[3] or int(found[1]) >= intact):
                os.unlink(os.path.join(folder, name))
        sync_directory(folder)
        for part in parts:
            self._progress(part["read"], part["counts"]["rows"], part["counts"]["valid"])
        if not parts:
            return 0, Position()
        last = parts[-1]
        return (last["input"] + 1, Position()) if last["last"] else (last["input"], Position(*last["end"]))

    def _check_input(self, index: int, parts: Sequence[Mapping[str, Any]]) -> None:
        one = self._job.inputs[index]
        found = self._digests.begin(one).result()
        if any(part["sha256_of_input"] != found.sha256 for part in parts):
            raise AuditError(f"the input {one.path!r} changed since parts of it were audited: give a new directory")

    def _is_intact(self, number: int, part: Mapping[str, Any]) -> bool:
        files = [part["part"], part["unreadable"]] if part["unreadable"] else [part["part"]]
        # The name has the number: so no line before it is missing.
        return all(
            file["path"].startswith(f"{_stem(number)}.")
            and file_sha256(os.path.join(self._directory, file["path"])) == file["sha256"]
            for file in files
        )

    def _audit(self, first: int, start: Position) -> None:
        job = self._job
        source = Source(job.inputs, job.columns, job.limits, self._digests, self._stop, self._batches.check)
        part: _Part | None = None
        chunks = ordered_map(
            source.chunks(first, start),
            self._batches.audit,
            workers=job.workers,
            ahead=1,
            stop=self._stop,
        )
        try:
            for audited in chunks:
                chunk, counts = audited.chunk, audited.counts
                if part is None:
                    part = _Part(self._directory, self._number(), job, self._schema)
                part.add(audited)
                self._progress(chunk.read, counts.rows, counts.valid)
                if chunk.end is not None:
                    line, part = part.finish(chunk), None
                    self._waiting.append((line, job.inputs[chunk.input]))
                    self._journal_waiting(wait=False)
            self._journal_waiting(wait=True)
        finally:
            chunks.close()
            if part is not None:
                part.abort()

    def _number(self) -> int:
        return len(self._journal.parts) + len(self._waiting)

    def _journal_waiting(self, *, wait: bool) -> None:
        """Write the lines of finished parts whose input is hashed: only with its digest can a part be recognised."""
        while self._waiting and (wait or self._digests.begin(self._waiting[0][1]).done()):
            line, one = self._waiting.popleft()
            found = self._digests.begin(one).result()
            # Else it could be the digest of what the input became after the part was made.
            self._digests.check_unchanged(one)
            self._journal.append({**line, "bytes_of_input": found.bytes, "sha256_of_input": found.sha256})


class _Part:
    """The part that is being written."""

    def __init__(self, directory: str, number: int, job: AuditJob, schema: pa.Schema) -> None:
        from watchword.audit.part_writer import PartWriter

        self._job, self._counts, self._read = job, Counts(), 0
        self._path = _stem(number)
        self._writer = PartWriter(os.path.join(directory, self._path), schema, job.output_format)

    def add(self, audited: Audited) -> None:
        """Write the rows of a chunk."""
        if audited.rows is not None:
            self._writer.write(audited.rows)
        for unreadable in audited.chunk.unreadable:
            self._writer.add_unreadable(self._job.inputs[audited.chunk.input].name, unreadable)
        self._counts.add(audited.counts)
        self._read += audited.chunk.read

    def finish(self, last: Chunk) -> dict[str, Any]:
        """Write the rest. Returns the line of the journal, without the digest of the input."""
        sha256, unreadable = self._writer.commit()
        part = {"path": f"{self._path}.{self._job.output_format}", "sha256": sha256, "rows": self._counts.rows}
        beside = {"path": f"{self._path}.unreadable.ndjson", "sha256": unreadable, "rows": self._counts.unreadable}
        assert last.end is not None  # noqa: S101 - this is what makes it the last
        return {
            "part": part,
            "unreadable": None if unreadable is None else beside,
            "counts": self._counts.as_dict(),
            "input": last.input,
            "end": [last.end.offset, last.end.row],
            "last": last.last,
            "read": self._read,
        }

    def abort(self) -> None:
        """Remove what was written."""
        self._writer.abort()


def _stem(number: int) -> str:
    return f"{PARTS}/part-{number:06}"


__all__ = ["PARTS", "AuditJob", "Progress", "run_audit"]
