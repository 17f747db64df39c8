"""What must happen to locks and threads in the child of a fork.

A forked process has one thread. A lock that another thread held at that moment stays locked in the child for ever, and
an attempt that another thread carried never ends; so every object with either is told.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with locks or threads."""

    def after_fork(self) -> None:
        """Makes new locks and forgets threads. Called in the child, where no other thread runs."""
        ...


_objects: weakref.WeakSet[Forkable] = weakref.WeakSet()


def mind_forks(thing: Forkable) -> None:
    """Has ``thing.after_fork()`` called in every forked child, for as long as it lives."""
    _objects.add(thing)


def _after_fork() -> None:
    for thing in list(_objects):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
