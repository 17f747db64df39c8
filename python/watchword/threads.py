"""Threads in the background."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

_started: set[threading.Thread] = set()


def start_daemon(name: str, target: Callable[..., None], *arguments: object) -> threading.Thread:
    """Starts a daemon thread and returns it. Raises ``RuntimeError`` if there is none to be had.

    There is none while the interpreter ends. Before Python 3.12 one could be started even then, and whoever started it
    would wait for ever for its first sign of life.
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
    """Waits, ``seconds`` at most, until threads of ours that have ended for Python have ended for the system, too.

    In between, without the interpreter, OpenSSL clears up after a thread under a lock of its own, which would stay
    locked in a child that is forked just then.
    """
    until = time.monotonic() + seconds
    # Whoever sleeps lets other threads end, so that all are looked at again.
    while any(not thread.is_alive() and _has_task(thread) for thread in _started.copy()):
        if time.monotonic() >= until:
            return
        time.sleep(0.0005)


def forget_threads() -> None:
    """After a fork: they are in the other process."""
    _started.clear()


def _has_task(thread: threading.Thread) -> bool:
    # Only Linux tells.
    return thread.native_id is not None and os.path.exists(f"/proc/self/task/{thread.native_id}")
