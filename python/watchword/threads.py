"""Background threads."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

_started: set[threading.Thread] = set()


def start_daemon(name: str, target: Callable[..., None], *arguments: object) -> threading.Thread:
    """Start a daemon thread and return it. Raises ``RuntimeError`` if none can be started.

    None can be while the interpreter ends: before Python 3.12, ``Thread.start`` would then wait for ever.
    """
    if sys.is_finalizing():
        raise RuntimeError("the interpreter is ending")
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    for ended in [one for one in _started.copy() if not one.is_alive() and not _has_task(one)]:
        _started.discard(ended)
    _started.add(thread)
    return thread


def wait_for_ended(seconds: float) -> None:
    """Wait, ``seconds`` at most, until threads started here that have ended for Python have ended for the system, too.

    In between, without the interpreter, OpenSSL cleans up after a thread under a lock of its own, which would stay
    locked in a child that is forked at that moment.
    """
    until = time.monotonic() + seconds
    # Other threads may end during the sleep, so that all are checked again.
    while any(not thread.is_alive() and _has_task(thread) for thread in _started.copy()):
        if time.monotonic() >= until:
            return
        time.sleep(0.0005)


def forget_threads() -> None:
    """Forget the threads after a fork: they are in the parent process."""
    _started.clear()


def _has_task(thread: threading.Thread) -> bool:
    # Only Linux tells.
    return thread.native_id is not None and os.path.exists(f"/proc/self/task/{thread.native_id}")
