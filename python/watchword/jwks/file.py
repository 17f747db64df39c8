"""A key source of a file that is read again when it changes."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from watchword._kernel import KeySet
from watchword.errors import KeySetError, KeysUnavailableError
from watchword.fork_safety import register_after_fork
from watchword.jwks.describe import describe_change
from watchword.jwks.events import Counters, EventKind, KeyEvent, Listener, Stats, notify
from watchword.jwks.outage import log
from watchword.jwks.settings import CacheSettings
from watchword.waiting import Pending

if TYPE_CHECKING:
    from watchword.types import Backend, Prepare

# Two writes within the resolution of the file system's time-stamps get the same one. A file that changed shortly before
# it was read is therefore read again.
_STAMP_SECONDS = 2.0

_Mark = tuple[int, int, int, int]


class FileSource:
    """A :class:`~watchword.jwks.source.KeySource` of a file: a JWK Set, one JWK, or a public key in PEM or DER.

    The file is checked (``stat``) at most every ``check_interval`` seconds, and read when its modification time, size
    or inode has changed; replace it by ``rename``. If it can't be read, the cached set stays in use without a limit,
    and an event reports it. A well-formed set without usable keys is accepted, as it is the operator's.
    """

    def __init__(
        self,
        issuer: str,
        path: str,
        *,
        settings: CacheSettings,
        backend: Backend,
        prepare: Prepare,
        clock: Callable[[], float],
        listener: Listener | None,
    ) -> None:
        self._issuer = issuer
        self._path = path
        self._settings = settings
        self._backend = backend
        self._prepare = prepare
        self._clock = clock
        self._listener = listener
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._next_check = float("-inf")
        self._mark: _Mark | None = None
        self._trouble: str | None = None
        self._counters = Counters()
        self._failures = 0
        self._closed = False
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock: another thread may have held it."""
        # Reentrant, as a signal handler or a finalizer may call close() while its own thread is inside.
        self._lock = threading.RLock()

    def current(self) -> KeySet | None:
        """Return the set if no check of the file is due."""
        return self._keys if self._clock() < self._next_check else None

    def request(self) -> Pending[KeySet]:
        """Return the set, after a check of the file if one is due."""
        return Pending(lambda: self._look(force=False))

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Return the set if it is not ``seen``."""
        del key_ids  # the file is checked often enough anyway

        def newer() -> KeySet | None:
            try:
                keys = self._look(force=False)
            except KeysUnavailableError:
                return None
            return keys if keys is not seen else None

        with self._lock:
            self._counters.add("unknown_keys")
        return Pending(newer)

    def refresh(self) -> Pending[KeySet]:
        """Return the set after reading the file. Raises if it can't be read; the cached set stays in use."""
        return Pending(lambda: self._look(force=True))

    def stats(self) -> Stats:
        """Return the counters; ``age`` is since the file was last read."""
        with self._lock:
            keys = self._keys
            return self._counters.snapshot(
                keys=len(keys) if keys is not None else 0,
                rejected_keys=len(keys.rejected) if keys is not None else 0,
                age=max(0.0, self._clock() - self._read_at) if keys is not None else None,
                consecutive_failures=self._failures,
            )

    def close(self) -> None:
        """Drop the set."""
        with self._lock:
            self._closed = True
            self._keys = None
            self._next_check = float("-inf")

    def _look(self, *, force: bool) -> KeySet:
        events: list[KeyEvent] = []
        with self._lock:
            if self._closed:
                raise ValueError("the verifier is closed")
            now = self._clock()
            if force or now >= self._next_check:
                events = self._check(now, force=force)
                self._next_check = now + self._settings.check_interval
            keys, trouble = self._keys, self._trouble
        log(*(event for event in events if event.kind in (EventKind.FILE_FAILED, EventKind.RECOVERED)))
        notify(self._listener, *events)
        if keys is None or (force and trouble is not None):
            raise KeysUnavailableError(f"the key file can't be used: {trouble}")
        return keys

    def _check(self, now: float, *, force: bool) -> list[KeyEvent]:
        try:
            mark = _mark(self._path)
            if mark == self._mark and not force:
                return []
            self._counters.add("fetches")
            keys = _read(self._path, self._settings, self._backend, self._prepare)
        except (OSError, KeySetError) as error:
            return self._failed(error)
        # If it changed while it was read, or shortly before, the mark is not reliable.
        recent = abs(time.time() - mark[0] / 1e9) < _STAMP_SECONDS
        self._mark = None if recent else mark
        recovered = self._trouble is not None
        self._trouble = None
        self._read_at = now
        old, self._keys = self._keys, keys
        self._failures = 0
        events = describe_change(self._issuer, old, keys)
        if any(event.kind is EventKind.SET_CHANGED for event in events):
            self._counters.add("set_changes")
        elif old is not None:
            # The same keys: the cached object stays in use.
            self._keys = old
            self._counters.add("not_modified")
        if recovered:
            events.append(KeyEvent(kind=EventKind.RECOVERED, issuer=self._issuer, detail=f"{len(keys)} keys"))
        return events

    def _failed(self, error: OSError | KeySetError) -> list[KeyEvent]:
        # An OSError's text names the path; its errno's text is enough.
        trouble = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
        self._mark = None
        news = trouble != self._trouble
        self._trouble = trouble
        self._failures += 1
        self._counters.add("failures")
        # Reported once, not at every check.
        return [KeyEvent(kind=EventKind.FILE_FAILED, issuer=self._issuer, detail=trouble)] if news else []


def _mark(path: str) -> _Mark:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        # Opening a pipe or a device could block for ever.
        raise KeySetError("not a regular file")
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def _read(path: str, settings: CacheSettings, backend: Backend, prepare: Prepare) -> KeySet:
    with open(path, "rb") as file:
        data = file.read(settings.max_bytes + 1)
    if len(data) > settings.max_bytes:
        raise KeySetError(f"longer than {settings.max_bytes} bytes")
    keys = KeySet._from_document(data, backend, prepare)
    if len(keys) + len(keys.rejected) > settings.max_keys:
        raise KeySetError(f"more than {settings.max_keys} keys")
    return keys


__all__ = ["FileSource"]
