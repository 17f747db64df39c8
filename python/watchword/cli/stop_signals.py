"""SIGTERM and SIGINT as a request to end, for commands that run until then."""

from __future__ import annotations

import os
import select
import signal
import types
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Within this context the first of these signals ends :meth:`wait`; a second one ends the process."""

    def __init__(self) -> None:
        self.is_set = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        """Set the handlers."""
        # A handler may interrupt any code, whose locks it must not need. Writing to a pipe needs none.
        self._read, self._write = os.pipe()
        # A shell lets what it runs in the background ignore SIGINT: it stays ignored.
        handled = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        self._before = {one: signal.signal(one, self._handle) for one in handled}
        return self

    def __exit__(self, *_: object) -> None:
        """Set the former handlers again."""
        for one, handler in self._before.items():
            signal.signal(one, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> bool:
        """Wait until a signal has come, or for this many seconds. Returns whether one has come."""
        if not self.is_set:
            select.select([self._read], [], [], max(0.0, seconds))
        return self.is_set

    def _handle(self, number: int, _: types.FrameType | None) -> None:
        self.is_set = True
        os.write(self._write, b"\0")
        signal.signal(number, self._before[signal.Signals(number)])
