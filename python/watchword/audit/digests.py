"""SHA-256 of the inputs, computed beside the audit, and whether an input changed meanwhile."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import io
import os
import select
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from watchword.audit.errors import AuditError
from watchword.audit.inputs import Input

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class InputDigest:
    """The size of an input in bytes and its SHA-256 in hex; ``None`` if it could not be read."""

    bytes: int | None
    sha256: str | None


class Digests:
    """Computes the digests of inputs in a thread of its own, each once, in the order in which they are begun."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="watchword-audit-digest")
        self._digests: dict[str, concurrent.futures.Future[InputDigest]] = {}
        self._states: dict[str, tuple[int, ...]] = {}

    def begin(self, one: Input) -> concurrent.futures.Future[InputDigest]:
        """Return the digest of an input, to come. Its state is recorded now: see :meth:`check_unchanged`."""
        if one.path not in self._digests:
            if one.is_standard_input:
                self._digests[one.path] = concurrent.futures.Future()
            else:
                self._states[one.path] = _state(one.path)
                self._digests[one.path] = self._pool.submit(self._digest, one.path)
        return self._digests[one.path]

    def check_unchanged(self, one: Input) -> None:
        """Raise :class:`AuditError` if a file is not what it was when its digest was begun."""
        if not one.is_standard_input and _state(one.path) != self._states[one.path]:
            raise AuditError(
                f"the input {one.path!r} changed while it was read: audit a copy that nobody writes to, into a new"
                " directory"
            )

    def close(self) -> None:
        """End the thread. The event that it was made with must be set if a digest may be under way."""
        self._pool.shutdown(cancel_futures=True)

    def _digest(self, path: str) -> InputDigest:
        size = 0

        def count(block: bytes) -> None:
            nonlocal size
            if self._stop.is_set():
                raise concurrent.futures.CancelledError
            size += len(block)

        sha256 = file_sha256(path, count)
        return InputDigest(None if sha256 is None else size, sha256)


class StandardInput:
    """Standard input, which is hashed while it is read, as it can be read once."""

    def __init__(self, digest: concurrent.futures.Future[InputDigest], stop: threading.Event) -> None:
        if sys.stdin is None:
            raise AuditError("there is no standard input: give files")
        self._digest, self._stop = digest, stop
        self._hash, self.position = hashlib.sha256(), 0
        self._descriptor: int | None = None
        with contextlib.suppress(io.UnsupportedOperation):
            self._descriptor = sys.stdin.fileno()

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end. Raises ``OSError``, after which it has no digest."""
        try:
            block = sys.stdin.buffer.read(size) if self._descriptor is None else self._next(self._descriptor, size)
        except OSError:
            self._digest.set_result(InputDigest(None, None))
            raise
        self._hash.update(block)
        self.position += len(block)
        if not block and not self._digest.done():
            self._digest.set_result(InputDigest(self.position, self._hash.hexdigest()))
        return block

    def read_rest(self) -> None:
        """Read what was left, such as after damage: the digest is that of all bytes. Raises ``OSError``."""
        while not self._digest.done():
            self.read(_BLOCK)

    def _next(self, descriptor: int, size: int) -> bytes:
        # A pipe may bring nothing for hours, in which the audit may be interrupted.
        while not select.select([descriptor], [], [], 0.2)[0]:
            if self._stop.is_set():
                raise concurrent.futures.CancelledError
        return os.read(descriptor, size)


class File:
    """A file, and how many bytes of it were read."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close
        self.position = 0

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end. Raises ``OSError``."""
        block = self._file.read(size)
        self.position += len(block)
        return block

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def file_sha256(path: str, on_block: Callable[[bytes], None] = lambda _: None) -> str | None:
    """Return the SHA-256 of a file in hex; ``None`` if it cannot be read. ``on_block`` sees each block before."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                on_block(block)
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _state(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


__all__ = ["Digests", "File", "InputDigest", "StandardInput", "file_sha256"]
