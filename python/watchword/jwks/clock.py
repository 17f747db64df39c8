"""The clock by which keys age: seconds that never go back, and that count while the machine is suspended."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable


def _best() -> Callable[[], float]:
    # Linux's monotonic clock stops while the machine is suspended, and with it would every bound on a key's age.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is not None:
        try:
            time.clock_gettime(boottime)
        except OSError:
            pass
        else:
            return functools.partial(time.clock_gettime, boottime)
    return time.monotonic


monotonic: Callable[[], float] = _best()


__all__ = ["monotonic"]
