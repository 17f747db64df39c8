"""Calls that concurrent callers share, such as the refresh of one token."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from watchword.client.errors import NoAnswerError
from watchword.fork_safety import register_after_fork
from watchword.threads import start_daemon
from watchword.waiting import Call, Steps, finish, finish_async

if TYPE_CHECKING:
    from watchword.client.request import Verb

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Shared(Generic[T]):
    """A call that a verb may yield: all that yield the same ``key`` at the same time get the result of one call.

    The call runs to its end even if every caller is cancelled or interrupted, so that no new refresh token is lost. Its
    result is kept for ``keep`` seconds, for callers that come with the old token a moment later. ``key`` must identify
    all that the call depends on, and contain no secret: a digest of one (:func:`digest_of`).
    """

    key: Hashable
    make: Callable[[], Verb[T]]
    keep: float = 0.0


def digest_of(*parts: str) -> bytes:
    """Return a digest of texts, for a key: of their number, their lengths and their characters."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()


class Flights:
    """The shared calls of one client. Thread-safe; a forked child begins anew."""

    def __init__(self) -> None:
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock, and forget the calls: their threads are in the parent process."""
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def join(self, key: Hashable, make: Callable[[], Steps[T]], keep: float, seconds: float) -> Steps[T]:
        """Return the steps of a caller: it starts the call or waits for it, ``seconds`` at most."""
        value: T = yield Call(
            lambda: self._in_thread(key, make, keep, seconds), lambda: self._in_task(key, make, keep, seconds)
        )
        return value

    def _in_thread(self, key: Hashable, make: Callable[[], Steps[Any]], keep: float, seconds: float) -> Any:  # noqa: ANN401
        flight, is_new = self._flight(key, keep)
        if is_new:
            try:
                start_daemon("watchword-call", self._finish, key, flight, make)
            except BaseException:
                # An interrupt may arrive when the thread runs: then the call continues, as after any interrupt.
                if flight.begin():
                    self._end(key, flight, error=NoAnswerError("no thread can be started"))
                raise
        with contextlib.suppress(FutureTimeoutError):
            flight.future.exception(seconds)
        return _outcome(flight.future)

    async def _in_task(self, key: Hashable, make: Callable[[], Steps[Any]], keep: float, seconds: float) -> Any:  # noqa: ANN401
        flight, is_new = self._flight(key, keep)
        if is_new:
            # The reference keeps the task alive; cancelling a caller does not cancel it.
            flight.task = asyncio.get_running_loop().create_task(self._finish_async(key, flight, make))
            # A task that is cancelled before its first step does not run at all. Otherwise this does nothing.
            flight.task.add_done_callback(lambda _: self._abandon(key, flight))
        waiter = asyncio.wrap_future(flight.future)
        try:
            await asyncio.wait((waiter,), timeout=seconds)
        finally:
            waiter.cancel()
        return _outcome(flight.future)

    def _flight(self, key: Hashable, keep: float) -> tuple[_Flight, bool]:
        with self._lock:
            now = time.monotonic()
            # Results are secrets as a rule: none stays longer than it is kept, or until the next call.
            self._flights = {name: one for name, one in self._flights.items() if now < one.until}
            found = self._flights.get(key)
            if found is not None and not found.is_lost():
                return found, False
            flight = self._flights[key] = _Flight(keep)
        if found is not None:
            self._abandon(key, found)
        return flight, True

    def _abandon(self, key: Hashable, flight: _Flight) -> None:
        self._end(key, flight, error=NoAnswerError("the event loop of the call has ended"))

    def _finish(self, key: Hashable, flight: _Flight, make: Callable[[], Steps[Any]]) -> None:
        if not flight.begin():
            return
        try:
            value = finish(make())
        except BaseException as error:
            self._end(key, flight, error=error)
        else:
            self._end(key, flight, value=value)

    async def _finish_async(self, key: Hashable, flight: _Flight, make: Callable[[], Steps[Any]]) -> None:
        try:
            value = await finish_async(make())
        except asyncio.CancelledError:
            # The event loop ends. Callers in other loops and threads are not cancelled.
            self._abandon(key, flight)
            raise
        except BaseException as error:
            self._end(key, flight, error=error)
        else:
            self._end(key, flight, value=value)

    def _end(self, key: Hashable, flight: _Flight, *, value: object = None, error: BaseException | None = None) -> None:
        with self._lock:
            if flight.has_ended:
                return
            flight.has_ended = True
            flight.until = time.monotonic() + flight.keep
            if self._flights.get(key) is flight and (error is not None or flight.keep <= 0):
                del self._flights[key]
        flight.task = None
        if error is not None:
            flight.future.set_exception(error)
        else:
            flight.future.set_result(value)


def _outcome(future: Future[Any]) -> Any:  # noqa: ANN401
    if not future.done():
        raise NoAnswerError.of_timeout()
    error = future.exception()
    if error is None:
        return future.result()
    # Each caller has an exception of its own: raising one adds the caller's frames to it, and as its context what the
    # caller is handling, which is nobody else's business.
    own = type(error).__new__(type(error), *error.args)
    own.__dict__.update(error.__dict__)
    own.__cause__, own.__suppress_context__ = error.__cause__, error.__suppress_context__
    raise own.with_traceback(error.__traceback__)


class _Flight:
    """A shared call: under way until ``future`` is done, and kept until ``until``."""

    def __init__(self, keep: float) -> None:
        self.future: Future[Any] = Future()
        # Cancelling what wraps it does not cancel a running future.
        self.future.set_running_or_notify_cancel()
        self.keep = keep
        self.until = float("inf")
        self.has_ended = False
        self.task: asyncio.Task[None] | None = None
        self._begins = threading.Lock()

    def begin(self) -> bool:
        """Return whether nobody called this before: either the thread runs the call, or its starter gives it up."""
        return self._begins.acquire(blocking=False)

    def is_lost(self) -> bool:
        """Return whether the call never ends, as its event loop was closed without cancelling its tasks."""
        task = self.task
        return not self.has_ended and task is not None and task.get_loop().is_closed()


__all__ = ["Flights", "Shared", "digest_of"]
