"""Which of the files of a configuration have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

#: Modification time, size, inode and device; ``None``: the file cannot be found.
_Mark = tuple[int, int, int, int] | None


class WatchedFiles:
    """Files, and how they were when they were read: make this before.

    Links are followed, so that the swap of a link is a change, as Kubernetes makes one for a ConfigMap.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._read = self._seen = self._marks()

    def add(self, paths: Iterable[Path]) -> None:
        """Watch more files, which are read from now on."""
        more = WatchedFiles(paths)
        self._paths += more._paths
        self._read += more._read
        self._seen += more._seen

    def have_changed(self) -> bool:
        """Return whether they have changed since they were read, and not since the last call.

        A change is therefore noticed by the second call after it: the writer may not be done at the first.
        """
        before, self._seen = self._seen, self._marks()
        return self._seen != self._read and self._seen == before

    def _marks(self) -> tuple[_Mark, ...]:
        return tuple(_mark(path) for path in self._paths)


def _mark(path: Path) -> _Mark:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


__all__ = ["WatchedFiles"]
