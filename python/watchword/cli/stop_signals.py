"""SIGTERM and SIGINT as a request to end, for commands that run until then."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import types
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Within this context the first of these signals ends :meth:`wait`; a second one ends the process.

    ``noted`` are other signals that end a wait: :meth:`take` says which have come.
    """

    def __init__(self, *noted: signal.Signals) -> None:
        self.is_set = False
        self._noted = noted
        self._come: set[signal.Signals] = set()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        """Set the handlers."""
        # A handler may interrupt any code, whose locks it must not need. Writing to a pipe needs none.
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        # A shell lets what it runs in the background ignore SIGINT: it stays ignored.
        handled = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        self._before = {one: signal.signal(one, self._handle) for one in handled}
        self._before |= {one: signal.signal(one, self._note) for one in self._noted}
        return self

    def __exit__(self, *_: object) -> None:
        """Set the former handlers again."""
        for one, handler in self._before.items():
            signal.signal(one, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> bool:
        """Wait until a signal has come, or for this many seconds. Returns whether it was one to end."""
        if not self.is_set and select.select([self._read], [], [], max(0.0, seconds))[0]:
            os.read(self._read, 4096)
        return self.is_set

    def take(self, noted: signal.Signals) -> bool:
        """Return whether this signal has come since the last call."""
        has_come = noted in self._come
        self._come.discard(noted)
        return has_come

    def _handle(self, number: int, _: types.FrameType | None) -> None:
        self.is_set = True
        self._end_wait()
        signal.signal(number, self._before[signal.Signals(number)])

    def _note(self, number: int, _: types.FrameType | None) -> None:
        self._come.add(signal.Signals(number))
        self._end_wait()

    def _end_wait(self) -> None:
        # A full pipe has signals that nobody has read yet.
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")
