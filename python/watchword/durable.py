"""Files that appear under their names when they are complete and on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from typing import IO, Any

#: The end of the names of files that are not complete.
TEMPORARY = ".tmp"


class DurableFile(io.RawIOBase):
    """A new file that gets its name by :meth:`commit`; its SHA-256 is computed while it is written.

    Writing raises ``OSError``, such as when the disk is full; :meth:`abort` then removes what was written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # One that a killed process left is replaced, and never written through if it is a link.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + TEMPORARY)
        self._file: IO[bytes] = open(path + TEMPORARY, "xb", buffering=0)  # noqa: SIM115 - until it is committed
        self._hash = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Write all bytes of a buffer. Returns their number."""
        view = memoryview(data).cast("B")
        rest = view
        while rest:
            rest = rest[self._file.write(rest) :]
        self._hash.update(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._size

    def set_mode(self, mode: int) -> None:
        """Set the file's permissions, whatever those of new files are."""
        os.fchmod(self._file.fileno(), mode)

    def commit(self) -> str:
        """Wait until the file is on the disk, and give it its name. Returns its SHA-256 in hex."""
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._path + TEMPORARY, self._path)
        sync_directory(os.path.dirname(self._path) or os.curdir)
        return self._hash.hexdigest()

    def abort(self) -> None:
        """Remove what was written."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path + TEMPORARY)


def write_durably(path: str, content: bytes, *, mode: int | None = None) -> str:
    """Replace a file by ``content``, at once. Returns its SHA-256 in hex. Raises ``OSError``.

    ``mode`` are its permissions; ``None``: those that the process gives to new files.
    """
    file = DurableFile(path)
    try:
        if mode is not None:
            file.set_mode(mode)
        file.write(content)
        return file.commit()
    except BaseException:
        file.abort()
        raise


def sync_directory(path: str) -> None:
    """Wait until the names in a directory are on the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["TEMPORARY", "DurableFile", "sync_directory", "write_durably"]
