"""ArchiveWriter: appends records to an archive, one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from watchword._kernel import KeySet
from watchword.durable import sync_directory
from watchword.fork_safety import register_after_fork
from watchword.jwks.archive.chain import ArchiveHead
from watchword.jwks.archive.errors import ArchiveError
from watchword.jwks.archive.history import IssuerHistory
from watchword.jwks.archive.key_list import digest_of, keys_of_document, usable_keys
from watchword.jwks.archive.lines import bounded_lines, check_regular
from watchword.jwks.archive.record import (
    MAX_NOTE,
    ArchiveEvent,
    ArchiveRecord,
    check_name,
    check_thumbprint,
    check_time,
    parse_line,
    to_line,
)
from watchword.jwks.archive.state import ArchiveState

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

#: How far the clock may be behind the last record, in seconds: a record then gets the time of the last one.
_CLOCK_STEP = 60


class ArchiveWriter:
    """Appends to an archive. The file is created if it does not exist.

    The whole archive is read and checked first, and locked until :meth:`close`. An incomplete last line, which a killed
    writer or a full disk leaves, is removed; :attr:`repair` says so then, and a warning is logged.
    Each method writes its records at once and waits until they are on the disk. It may be used by several threads.
    ``clock`` returns Unix seconds, used if no time is given; if it is up to a minute behind the last record, as after
    a correction of the clock, a record gets the time of that one.

    Raises :class:`ArchiveError` if the archive has another defect, or if another writer has it open; ``OSError`` if the
    file can't be read and written.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        self.path = os.fspath(path)
        self.repair: str | None = None
        """What was repaired when the archive was opened, as a sentence; ``None`` if nothing was."""
        self._clock = clock
        self._file: int | None = None
        self._trouble = "the writer is closed"
        self.after_fork()
        file = _open(self.path)
        try:
            check_regular(file, self.path)
            _lock_file(file, self.path)
            self._state, self._size = self._read(file)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock, and leave the file to the parent process."""
        self._lock = threading.Lock()
        file, self._file = self._file, None
        if file is not None:
            # The archive stays locked by the parent, as only the last descriptor's end unlocks it.
            self._trouble = "the archive is written by the process that opened it, not by its children"
            os.close(file)

    @property
    def head(self) -> ArchiveHead | None:
        """The number and the digest of the last record; ``None`` if there is none."""
        return self._state.chain.head

    @property
    def histories(self) -> Mapping[str, IssuerHistory]:
        """What was seen of each issuer."""
        return self._state.histories

    def record_key_set(
        self,
        issuer: str,
        document: str | bytes | Mapping[str, Any] | KeySet,
        time: float | None = None,
        source: str = "given",
        *,
        may_be_late: bool = False,
    ) -> None:
        """Record that an issuer published a key set at ``time`` (Unix seconds; ``None``: now).

        ``document`` is a JWK Set, a JWK, a public key in PEM, or a :class:`~watchword.KeySet`; ``source`` says where it
        comes from. Each key of the set before that is not in this one is recorded as absent. ``time`` must not be
        earlier than that of the last record; with ``may_be_late``, for observations that waited, it may be by up to a
        minute, and the record then gets the time of that one.

        Raises :class:`~watchword.KeySetError` if the document is none of these, ``ValueError`` or ``TypeError`` for
        another invalid argument, :class:`ArchiveError` if the writer can't write, ``OSError`` if the disk does not
        take it.
        """
        keys = keys_of_document(document)
        usable = {(key.thumbprint, key.key_id) for key in usable_keys(keys)}
        digest = digest_of(keys)
        with self._lock:
            before = self._state.histories.get(issuer)
            is_known = before is not None and before.last_digest == digest
            news: list[dict[str, Any]] = [
                {"event": ArchiveEvent.SEEN, "digest": digest, "keys": None if is_known else keys}
            ]
            if before is not None:
                gone = dict.fromkeys((key.thumbprint, key.key_id) for key in before.last_keys)
                news += [
                    {"event": ArchiveEvent.ABSENT, "thumbprint": thumbprint, "key_id": key_id}
                    for thumbprint, key_id in gone
                    if (thumbprint, key_id) not in usable
                ]
            self._append(issuer, time, source, news, may_be_late=may_be_late)

    def record_unreachable(
        self,
        issuer: str,
        detail: str = "",
        time: float | None = None,
        source: str = "given",
        *,
        may_be_late: bool = False,
    ) -> None:
        """Record that an issuer's keys could not be obtained at ``time`` (Unix seconds; ``None``: now), and why.

        ``may_be_late`` is that of :meth:`record_key_set`. Raises what that method does.
        """
        with self._lock:
            event = {"event": ArchiveEvent.UNREACHABLE, "detail": detail[:MAX_NOTE] or None}
            self._append(issuer, time, source, [event], may_be_late=may_be_late)

    def record_compromised(
        self,
        issuer: str,
        thumbprint: str,
        *,
        since: float | None = None,
        note: str = "",
        key_id: str | None = None,
        time: float | None = None,
        source: str = "operator",
    ) -> None:
        """Record that a key is compromised: a use of it at ``since`` (Unix seconds) or later does not count.

        ``since`` is compared with the time of use, never with a token's ``iat``; ``None``: no use of it counts.
        ``thumbprint`` (RFC 7638) names the key, whatever its ``kid``; ``time`` is that of the record (Unix seconds;
        ``None``: now). It can't be taken back: of several such records of a key, the earliest ``since`` counts. Raises
        what :meth:`record_key_set` does.
        """
        event = {
            "event": ArchiveEvent.COMPROMISED,
            "thumbprint": check_thumbprint(thumbprint),
            "key_id": key_id,
            "since": None if since is None else check_time("since", since),
            "note": note or None,
        }
        if len(note) > MAX_NOTE:
            raise ValueError(f"note must have {MAX_NOTE:,} characters at most")
        with self._lock:
            self._append(issuer, time, source, [event])

    def not_before_last(self, time: float) -> float:
        """Return ``time`` (Unix seconds, by the clock), or that of the last record if it is up to a minute later.

        Raises :class:`ArchiveError` if the clock is further behind.
        """
        last, now = self._state.chain.time, round(time, 3)
        if now + _CLOCK_STEP < last:
            behind = f"{last - now:,.0f} s"
            raise ArchiveError(
                f"the clock is {behind} behind the last record: correct the clock, or begin a new archive if that "
                "record has the wrong time",
                path=self.path,
            )
        return max(now, last)

    def close(self) -> None:
        """Close and unlock the archive. It is safe to call it again."""
        with self._lock:
            self._close(self._trouble)

    def __enter__(self) -> ArchiveWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _read(self, file: int) -> tuple[ArchiveState, int]:
        """Return what the archive says, and its size, without an incomplete last line."""
        state, size, last = ArchiveState(self.path), 0, b""
        with open(file, "rb", closefd=False) as stream:
            for line in bounded_lines(stream, self.path):
                if line.endswith(b"\n"):
                    state.add(line[:-1])
                    size += len(line)
                else:
                    last = line
        if last:
            size += self._repair(file, state, size, last)
        return state, size

    def _repair(self, file: int, state: ArchiveState, size: int, last: bytes) -> int:
        """Complete or remove the last line, which has no newline. Return the length that it has then."""
        try:
            state.add(last)
        except ArchiveError:
            os.ftruncate(file, size)
            self.repair, length = f"the incomplete last line, {len(last):,} bytes, was removed", 0
        else:
            os.write(file, b"\n")
            self.repair, length = "the newline of the last line was missing, and was added", len(last) + 1
        os.fsync(file)
        logging.getLogger("watchword").warning(
            "the key archive %s: %s; a writer was killed, or the disk was full", self.path, self.repair
        )
        return length

    def _append(
        self,
        issuer: str,
        time: float | None,
        source: str,
        events: list[dict[str, Any]],
        *,
        may_be_late: bool = False,
    ) -> None:
        """Append records of one moment, all or none. The lock is held."""
        if self._file is None:
            raise ArchiveError(self._trouble, path=self.path)
        common: dict[str, Any] = {
            "issuer": check_name("issuer", issuer),
            "source": check_name("source", source),
            "time": self._time(time, may_be_late=may_be_late),
        }
        lines: list[bytes] = []
        chain = self._state.chain
        for event in events:
            if (event.get("since") or 0) > common["time"]:
                raise ValueError("since must not be later than the time of the record")
            prev = hashlib.sha256(lines[-1]).hexdigest() if lines else chain.digest
            line = to_line(ArchiveRecord(seq=chain.count + len(lines), prev=prev, **common, **event))
            parse_line(line)  # as a reader checks it
            lines.append(line)
        self._check_unchanged(self._file)
        self._write(self._file, b"".join(line + b"\n" for line in lines))
        for line in lines:
            self._state.add(line)

    def _time(self, given: float | None, *, may_be_late: bool) -> float:
        last = self._state.chain.time
        if given is None:
            return self.not_before_last(self._clock())
        check_time("time", given)
        if may_be_late:
            return self.not_before_last(given)
        if given < last:
            raise ValueError(f"time must not be earlier than that of the last record, {last:.15g}")
        return given

    def _check_unchanged(self, file: int) -> None:
        """Raise :class:`ArchiveError`, and write no more, if the file is not as this writer left it."""
        now = os.fstat(file)
        if now.st_size != self._size:
            self._give_up(f"another program changed it: it has {now.st_size:,} bytes instead of {self._size:,}")
        try:
            there = os.stat(self.path)
        except OSError:
            there = None
        if there is None or (there.st_ino, there.st_dev) != (now.st_ino, now.st_dev):
            self._give_up("it was removed or replaced while it was open for writing")

    def _write(self, file: int, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except BaseException:
            # Otherwise a part of a record could stay.
            try:
                os.ftruncate(file, self._size)
                os.fsync(file)
            except OSError:
                self._close("the last record could not be written; open the archive again")
            raise
        self._size += len(data)

    def _give_up(self, trouble: str) -> NoReturn:
        self._close(trouble)
        raise ArchiveError(trouble, path=self.path)

    def _close(self, trouble: str) -> None:
        self._trouble = trouble
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags)
    file = os.open(path, flags | os.O_CREAT, 0o644)
    # So that the file's name survives a crash, too.
    sync_directory(os.path.dirname(path) or os.curdir)
    return file


def _lock_file(file: int, path: str) -> None:
    # Of the open file: a lock of fcntl.lockf would end when anything in this process closed the same file.
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ArchiveError(
            "another writer has the archive open: end it, or write to an archive of its own", path=path
        ) from None


__all__ = ["ArchiveWriter"]
