"""The journal of an output directory: what the audit is of, and one line for each part that is finished."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from watchword.audit.counts import Counts
from watchword.audit.errors import AuditError
from watchword.durable import sync_directory

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Its name in the output directory.
JOURNAL = "journal.ndjson"

_FORMAT = 1

#: What the members of the first line are called in messages.
_WORDS = {
    "watchword": "another version of Watchword",
    "inputs": "other inputs",
    "keys": "other keys",
    "policy": "another policy",
    "options": "other options",
    "limits": "parts of other sizes",
}


class Journal:
    """The journal of one audit, locked as long as it is open: parts are appended, never changed.

    ``about`` is what the audit is of: the same for every run that resumes it. :attr:`parts` are the finished ones.
    A last line that is incomplete, as a killed process leaves it, is ignored.

    Raises :class:`AuditError` if the directory is none, or has files but no journal, if the journal is malformed or
    that of another audit, or if another process is writing into it; ``OSError`` if it cannot be written.
    """

    def __init__(self, directory: str, about: Mapping[str, Any]) -> None:
        path = os.path.join(directory, JOURNAL)
        try:
            os.makedirs(directory, exist_ok=True)
        except FileExistsError:
            raise AuditError(f"the output {directory!r} is not a directory: give a new one") from None
        if os.listdir(directory) and not os.path.exists(path):
            raise AuditError(
                f"the directory {directory!r} is not empty, and has no journal of an audit: give a new one"
            )
        self._file = open(path, "a+b")  # noqa: SIM115 - it is open as long as the audit
        try:
            self._lock(directory)
            self.parts = self._read(directory, {"journal": _FORMAT, **about})
        except BaseException:
            self._file.close()
            raise

    def append(self, part: Mapping[str, Any]) -> None:
        """Add a part that is finished, and wait until the line is on the disk. Raises ``OSError``."""
        self._write(part)
        self.parts.append(dict(part))

    def keep(self, count: int) -> None:
        """Forget all but the first ``count`` parts: the others are to be written again."""
        del self.parts[count:]
        self._file.truncate(self._ends[count])

    def close(self) -> None:
        """Close the file, which unlocks it."""
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(_line(line))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lock(self, directory: str) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AuditError(
                f"another process is writing into {directory!r}: wait for it, or give a new directory"
            ) from None

    def _read(self, directory: str, about: dict[str, Any]) -> list[dict[str, Any]]:
        lines, self._ends = complete_lines(self._file)
        if not lines:
            self._file.seek(0)
            if not _line(about).startswith(self._file.read()):
                raise AuditError(
                    f"{os.path.join(directory, JOURNAL)!r} is no journal of an audit: give a new directory"
                )
            self._file.truncate(0)
            self._write(about)
            sync_directory(directory)
            self._ends = [len(_line(about))]
            return []
        # As it would be read back.
        expected = json.loads(_line(about))
        if lines[0].get("journal") != _FORMAT:
            raise AuditError(f"the journal in {directory!r} has another format: give a new directory")
        different = [words for name, words in _WORDS.items() if lines[0].get(name) != expected.get(name)]
        if different:
            raise AuditError(
                f"the audit in {directory!r} was begun with {' and '.join(different)}: run the same command to "
                "resume it, or give a new directory"
            )
        for number, line in enumerate(lines[1:], 2):
            if not _is_part(line, len(about["inputs"])):
                raise _malformed(number)
        self._file.truncate(self._ends[-1])
        return lines[1:]


def parts_by_input(parts: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Return the parts of each input, by its number."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for part in parts:
        found.setdefault(part["input"], []).append(part)
    return found


def complete_lines(file: Any) -> tuple[list[dict[str, Any]], list[int]]:  # noqa: ANN401 - a binary file
    """Return the objects of a journal, and the offset after each. Raises :class:`AuditError` if one is malformed."""
    file.seek(0)
    lines: list[dict[str, Any]] = []
    ends: list[int] = []
    offset = 0
    for line in file.read().splitlines(keepends=True):
        offset += len(line)
        if not line.endswith(b"\n"):
            break
        value = None
        with suppress(ValueError, RecursionError):
            value = json.loads(line)
        if not isinstance(value, dict):
            raise _malformed(len(lines) + 1)
        lines.append(value)
        ends.append(offset)
    return lines, ends


def _is_part(line: Mapping[str, Any], inputs: int) -> bool:
    """Return whether a line has the members of a part, of one of so many inputs."""
    try:
        files = [line["part"], *([line["unreadable"]] if line["unreadable"] is not None else [])]
        Counts.from_dict(line["counts"])
        return (
            all(isinstance(file[name], str) for file in files for name in ("path", "sha256"))
            and all(isinstance(file["rows"], int) for file in files)
            and 0 <= line["input"] < inputs
            and all(isinstance(number, int) for number in (*line["end"], line["read"]))
            and len(line["end"]) == 2
            and {"last", "bytes_of_input", "sha256_of_input"} <= line.keys()
        )
    except (KeyError, TypeError, ValueError):
        return False


def _malformed(number: int) -> AuditError:
    return AuditError(f"line {number} of the journal is malformed: the audit must be done again, into a new directory")


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False).encode() + b"\n"


__all__ = ["JOURNAL", "Journal", "complete_lines", "parts_by_input"]
