"""The lines of an archive's file, of bounded length, and its incomplete last line if there is one."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from typing import IO

from watchword.jwks.archive.errors import ArchiveError
from watchword.jwks.archive.record import MAX_LINE_BYTES

INCOMPLETE = (
    "the last line is incomplete, because a writer was killed or the disk was full. The records before it are intact; "
    "the next writer removes this line"
)


def lines_of_file(path: str) -> Iterator[bytes]:
    """Yield the lines of a file, without their newlines.

    A last line that a running writer is just writing is left out. Raises :class:`ArchiveError` for an incomplete last
    line otherwise, and for a line that is too long; ``OSError`` if the file can't be read.
    """
    # A pipe without a writer would block ``open``.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        check_regular(file.fileno(), path)
        for number, line in enumerate(bounded_lines(file, path), 1):
            if line.endswith(b"\n"):
                yield line[:-1]
            elif not _is_locked(file.fileno()):
                raise ArchiveError(INCOMPLETE, path=path, line=number, repairable=True)


def bounded_lines(file: IO[bytes], path: str) -> Iterator[bytes]:
    """Yield the lines of a file; all but the last end with a newline. Raises :class:`ArchiveError` for one too long."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            raise ArchiveError(f"the line is longer than {MAX_LINE_BYTES:,} bytes", path=path, line=number)
        yield line


def check_regular(descriptor: int, path: str) -> None:
    """Raise :class:`ArchiveError` unless a descriptor is that of a regular file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise ArchiveError("not a regular file", path=path)


def _is_locked(descriptor: int) -> bool:
    """Return whether a writer has the file open."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks, on which there is no writer either
        return False
    return False


__all__ = ["bounded_lines", "check_regular", "lines_of_file"]
