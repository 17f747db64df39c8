"""One thread for the whole process that wakes sources when their next check is due.

It is an actor: sources write into its mailbox, and only the thread reads and writes the list of due sources. It
references sources weakly, so that a Verifier can be garbage-collected, and it ends when no source is left. The mailbox
is a ``SimpleQueue`` because that may be written to from a weak reference's callback, which can run anywhere, even
during another ``put``.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import weakref
from typing import Protocol

from watchword.fork_safety import register_after_fork
from watchword.threads import start_daemon


class Wakeable(Protocol):
    """An object that the scheduler wakes."""

    def wake(self) -> None:
        """Do what is due, without blocking, and schedule the next call."""
        ...


class Scheduler:
    """Wakes objects after a while. Thread-safe."""

    def __init__(self) -> None:
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start without a thread in a child; sources schedule their calls again."""
        self._lock = threading.RLock()
        self._mailbox: queue.SimpleQueue[tuple[int, weakref.ref[Wakeable] | None, float]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def wake_after(self, seconds: float, sleeper: Wakeable) -> None:
        """Call ``sleeper.wake()`` once, in ``seconds``, instead of what was scheduled for it before."""
        mailbox, key = self._mailbox, id(sleeper)
        # The id can't be another object's when this is read: the callback's message is read before.
        reference = weakref.ref(sleeper, lambda _: mailbox.put((key, None, 0.0)))
        # Never at once: a clock that is a little behind must not make the thread spin.
        mailbox.put((key, reference, time.monotonic() + max(seconds, 0.01)))
        with self._lock:
            if self._thread is None:
                try:
                    self._thread = start_daemon("watchword-scheduler", self._run, mailbox)
                except RuntimeError:
                    return  # no thread can be started (the interpreter is ending): callers refresh themselves

    def forget(self, sleeper: Wakeable) -> None:
        """Cancel what was scheduled for it."""
        self._mailbox.put((id(sleeper), None, 0.0))

    def _run(self, mailbox: queue.SimpleQueue[tuple[int, weakref.ref[Wakeable] | None, float]]) -> None:
        due: dict[int, tuple[weakref.ref[Wakeable], float]] = {}
        while True:
            next_at = min((at for _, at in due.values()), default=None)
            try:
                # Without a source to wake, it reads the mailbox once more and ends.
                timeout = 0.0 if next_at is None else min(max(0.0, next_at - time.monotonic()), threading.TIMEOUT_MAX)
                key, reference, at = mailbox.get(timeout=timeout)
            except queue.Empty:
                if next_at is None:
                    with self._lock:
                        if mailbox.empty():
                            self._thread = None
                            return
                    continue
                self._wake_due(due)
            else:
                due.pop(key, None)
                if reference is not None:
                    due[key] = (reference, at)

    def _wake_due(self, due: dict[int, tuple[weakref.ref[Wakeable], float]]) -> None:
        now = time.monotonic()
        for key in [key for key, (_, at) in due.items() if at <= now]:
            reference, _ = due.pop(key)
            sleeper = reference()
            if sleeper is None:
                continue
            try:
                sleeper.wake()
            except Exception:
                logging.getLogger("watchword").exception("a key source could not be woken")


scheduler = Scheduler()
