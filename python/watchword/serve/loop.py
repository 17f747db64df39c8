"""A function that is called again and again in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from watchword.threads import start_daemon

_LOG = logging.getLogger("watchword.serve")

#: The wait after an exception, in seconds, so that one that is raised each time does not fill the log.
_AFTER_FAILURE = 1.0


class Loop:
    """Calls ``step`` until it is stopped; ``step`` returns the seconds to wait before the next call.

    An exception is logged, and the loop continues.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        #: For messages.
        self.name = name
        self._step = step
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._called_at = time.monotonic()

    def start(self) -> None:
        """Start the thread. Raises ``RuntimeError`` if none can be started."""
        self._thread = start_daemon(self.name, self._run)

    def wake(self) -> None:
        """End the wait, if there is one. It may be called from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Call ``step`` no more; a call in progress ends by itself."""
        self._stop.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, ``seconds`` at most."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def is_stuck(self, seconds: float) -> bool:
        """Return whether a call takes longer than this, or the thread has died."""
        if self._thread is None or self._stop.is_set():
            return False
        return not self._thread.is_alive() or time.monotonic() - self._called_at > seconds

    def _run(self) -> None:
        while not self._stop.is_set():
            self._called_at = time.monotonic()
            try:
                pause = self._step()
            except Exception:
                _LOG.exception("%s failed, and continues", self.name)
                pause = _AFTER_FAILURE
            if pause > 0:
                self._wake.wait(pause)
                self._wake.clear()


__all__ = ["Loop"]
