"""KeyArchive: an archive of keys, read and checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from watchword.jwks.archive.chain import ArchiveHead
from watchword.jwks.archive.history import IssuerHistory
from watchword.jwks.archive.key_timeline import KeyTimeline, timeline
from watchword.jwks.archive.lines import lines_of_file
from watchword.jwks.archive.packed import PackedLines
from watchword.jwks.archive.record import ArchiveRecord, parse_line
from watchword.jwks.archive.rules import KeyRules
from watchword.jwks.archive.state import ArchiveState


class KeyArchive:
    """What was seen of issuers' keys, read from an archive and checked: each record, their order, and the chain.

    :meth:`open` reads a file, :meth:`from_lines` lines. It does not change, and is picklable as plain data. See
    docs/key-archive.md for the format and the rules.
    """

    def __init__(self, path: str | None = None) -> None:
        self._state = ArchiveState(path)
        self._lines = PackedLines()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> KeyArchive:
        """Return the archive in a file, which may be in use by a writer.

        Raises :class:`ArchiveError` if it has a defect, ``OSError`` if it can't be read.
        """
        name = os.fspath(path)
        archive = cls(name)
        for line in lines_of_file(name):
            archive._add(line)
        return archive

    @classmethod
    def from_lines(cls, lines: Iterable[bytes | str], *, path: str | None = None) -> KeyArchive:
        """Return the archive of these lines, with or without a newline at the end of each.

        ``path`` is the name of the file in messages. Raises :class:`ArchiveError` if it has a defect.
        """
        archive = cls(path)
        for line in lines:
            # What is not ASCII is rejected as such, whatever it is.
            data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
            archive._add(data.removesuffix(b"\n"))
        return archive

    @property
    def head(self) -> ArchiveHead | None:
        """The number and the digest of the last record; ``None`` if there is none."""
        return self._state.chain.head

    @property
    def last_time(self) -> float | None:
        """The time of the last record in Unix seconds; ``None`` if there is none."""
        return self._state.chain.time if self._state.chain.count else None

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers, in the order of their first records."""
        return tuple(self._state.histories)

    @property
    def histories(self) -> Mapping[str, IssuerHistory]:
        """What was seen of each issuer."""
        return MappingProxyType(self._state.histories)

    @property
    def records(self) -> Iterator[ArchiveRecord]:
        """A new iterator of the records. They are parsed again each time, as a year of polls is a lot to keep."""
        return map(parse_line, self._lines)

    def lines(self) -> Iterator[bytes]:
        """Return the lines, without newlines, from which :meth:`from_lines` makes the same archive again."""
        return iter(self._lines)

    def __len__(self) -> int:
        """Return the number of records."""
        return self._state.chain.count

    def timeline(self, issuer: str, rules: KeyRules | None = None) -> KeyTimeline:
        """Return the keys of an issuer over time. Without records of it, no time is covered."""
        return timeline(self._state.histories.get(issuer) or IssuerHistory(issuer), rules)

    def continues(self, head: ArchiveHead | tuple[int, str]) -> bool:
        """Return whether an archive that once had this head has only grown since, and nothing of it has changed."""
        seq, digest = head
        if seq == len(self) - 1:
            return self._state.chain.digest == digest
        # The record after it has the digest of its line.
        return any(record.prev == digest for record in self.records if record.seq == seq + 1)

    def __repr__(self) -> str:
        """Name the file and the sizes."""
        path = "" if self._state.path is None else f"{self._state.path!r}: "
        return f"<KeyArchive {path}{len(self)} records, {len(self._state.histories)} issuers>"

    def _add(self, line: bytes) -> None:
        self._state.add(line)
        self._lines.add(line)


__all__ = ["KeyArchive"]
