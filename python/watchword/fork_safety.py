"""What must happen to locks, threads and connections when the process forks.

A forked process has one thread. A lock that another thread held at that moment stays locked in the child for ever, an
attempt that another thread carried never ends, and a module that another thread was importing stays half imported; so
every object with locks, threads or connections is told, and what must not be cut in half holds the fork back. (What the
kernel needs for forks, it registers itself.)
"""

from __future__ import annotations

import contextlib
import logging  # before the registration below: its own hooks are then called inside of ours
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

from watchword.threads import forget_threads, wait_for_ended

#: How long a fork is held back at most, in seconds: what is guarded takes some tenths, or longer on a busy machine.
_LONGEST_DELAY = 30.0

#: The same for a thread's end, which takes microseconds.
_LONGEST_END = 1.0


class Forkable(Protocol):
    """Something with locks, threads or connections."""

    def after_fork(self) -> None:
        """Makes new locks and forgets threads. Called in the child, where no other thread runs."""
        ...


_objects: weakref.WeakSet[Forkable] = weakref.WeakSet()

# Held by whoever must not be cut in half, and by the thread that forks.
_undivided = threading.RLock()
_is_forking = threading.local()


def register_after_fork(thing: Forkable) -> None:
    """Has ``thing.after_fork()`` called in every forked child, for as long as it lives."""
    _objects.add(thing)


@contextlib.contextmanager
def without_forks() -> Iterator[None]:
    """Holds every ``os.fork`` of other threads back, for half a minute at most, until the block is done.

    For imports and for the libraries' own start-up: what they lock, nobody can unlock in a child.
    """
    with _undivided:
        yield


def _before_fork() -> None:
    _is_forking.lock = _undivided if _undivided.acquire(timeout=_LONGEST_DELAY) else None
    wait_for_ended(_LONGEST_END)


def _after_fork_in_parent() -> None:
    lock, _is_forking.lock = getattr(_is_forking, "lock", None), None
    if lock is not None:
        lock.release()


def _after_fork() -> None:
    global _undivided  # noqa: PLW0603 - nobody can release the old one if another thread holds it
    _after_fork_in_parent()
    _undivided = threading.RLock()
    forget_threads()
    for thing in list(_objects):
        try:
            thing.after_fork()
        except Exception:
            logging.getLogger("watchword").exception("an object could not be made ready for use after a fork")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)


__all__ = ["Forkable", "register_after_fork", "without_forks"]
