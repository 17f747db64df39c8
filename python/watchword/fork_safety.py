"""Fork safety: renew locks, threads and connections in forked children.

A forked process has one thread. A lock that another thread held at that moment stays locked in the child for ever, a
fetch of another thread never ends, and a module that another thread was importing stays half imported. So every object
with locks, threads or connections registers for a call in the child, and what a fork must not interrupt delays it. (The
kernel registers its own handlers.)
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

#: The longest delay of a fork, in seconds: what is guarded takes some tenths, or longer on a busy machine.
_LONGEST_DELAY = 30.0

#: The longest wait for threads to end, which takes microseconds.
_LONGEST_END = 1.0


class Forkable(Protocol):
    """Something with locks, threads or connections."""

    def after_fork(self) -> None:
        """Make new locks and forget threads. Called in the child, where no other thread runs."""
        ...


_objects: weakref.WeakSet[Forkable] = weakref.WeakSet()

# Held by code that a fork must not interrupt, and by the thread that forks.
_undivided = threading.RLock()
_is_forking = threading.local()


def register_after_fork(thing: Forkable) -> None:
    """Call ``thing.after_fork()`` in every forked child. ``thing`` is referenced weakly."""
    _objects.add(thing)


@contextlib.contextmanager
def without_forks() -> Iterator[None]:
    """Delay every ``os.fork`` of other threads, for 30 seconds at most, until the block is left.

    For imports and for the initialisation of libraries: nothing can release their locks in a child.
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
    global _undivided  # noqa: PLW0603 - the old one cannot be released if another thread held it
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
