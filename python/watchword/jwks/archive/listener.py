"""ArchiveListener: writes what a running Verifier sees of its issuers' keys."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from watchword.fork_safety import register_after_fork
from watchword.jwks.archive.record import MAX_NAME
from watchword.jwks.events import EventKind, KeyEvent
from watchword.threads import start_daemon

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    from watchword.jwks.archive.writer import ArchiveWriter

#: The events that wait for a slow disk, at most.
_MOST_WAITING = 1000

_UNREACHABLE = (EventKind.FETCH_FAILED, EventKind.FILE_FAILED)


class _Observation(NamedTuple):
    time: float
    event: KeyEvent


class ArchiveListener:
    """An ``on_event`` for a Verifier that writes to an archive each key set it obtains, and each failed attempt.

    ``Verifier(…, on_event=ArchiveListener(writer))``. A thread of its own writes, so that a slow disk blocks no
    verification, and nothing is raised into it: what can't be written is logged, and counted by :attr:`lost`. A key
    file is recorded when it changes, a set in memory never. ``then`` is called with each event, too: another listener.
    ``clock`` returns Unix seconds. In a forked child it writes nothing: one process writes an archive.

    :meth:`close` writes what is still waiting; the writer stays open, and is closed by whoever opened it.
    """

    def __init__(
        self,
        writer: ArchiveWriter,
        *,
        then: Callable[[KeyEvent], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lost = 0
        """How many observations could not be written."""
        self._writer = writer
        self._then = then
        self._clock = clock
        self._queue: queue.Queue[_Observation | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = start_daemon("watchword-archive", self._run, self._queue)
        register_after_fork(self)

    def after_fork(self) -> None:
        """Stop writing: the thread is in the parent process, and so is the archive's lock."""
        self._thread = None
        self._queue = queue.Queue(1)

    def __call__(self, event: KeyEvent, /) -> None:
        """Take an event: returns at once."""
        if _is_observation(event) and self._thread is not None:
            try:
                self._queue.put_nowait(_Observation(self._clock(), event))
            except queue.Full:
                self._note_lost(event.issuer, "the disk is too slow")
        if self._then is not None:
            self._then(event)

    def close(self) -> None:
        """Write what is waiting, and end. Events after that are not written. It is safe to call it again."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def __enter__(self) -> ArchiveListener:
        """Return the listener itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _run(self, waiting: queue.Queue[_Observation | None]) -> None:
        while (observation := waiting.get()) is not None:
            try:
                self._write(*observation)
            except Exception as error:  # a full disk, an archive that was replaced: the Verifier continues
                self._note_lost(observation.event.issuer, str(error))

    def _write(self, at: float, event: KeyEvent) -> None:
        # The clock may have been set back since the last record, by a little, or another listener was faster.
        source = (event.url or "the key file of a Verifier")[:MAX_NAME]
        if event.keys is not None:
            self._writer.record_key_set(event.issuer, event.keys, at, source, may_be_late=True)
        else:
            self._writer.record_unreachable(event.issuer, event.detail, at, source, may_be_late=True)

    def _note_lost(self, issuer: str, why: str) -> None:
        self.lost += 1
        logging.getLogger("watchword").error("the keys of %s could not be written to the archive: %s", issuer, why)


def _is_observation(event: KeyEvent) -> bool:
    # A change of a remote set follows the fetch that brought it; a file has no fetch.
    is_file = event.kind is EventKind.SET_CHANGED and event.url is None
    return event.kind in _UNREACHABLE or event.kind is EventKind.FETCH_SUCCEEDED or is_file


__all__ = ["ArchiveListener"]
