"""Waiting in a thread or in a task, by the same code.

What may have to wait is written once, as a generator of :class:`Pending` (:data:`Steps`); :func:`finish` runs it in a
thread, :func:`finish_async` in an event loop.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

#: A generator that yields what it waits for, and returns a result.
Steps = Generator["Pending[Any]", Any, T]


class Gate:
    """Lets a limited number of callers wait at a time. Thread-safe."""

    def __init__(self, places: int) -> None:
        self._places = places
        self.admitted = 0
        self.rejected = 0
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the callers that wait in the parent process."""
        # Reentrant, as a signal handler may verify a token while its own thread is inside.
        self._lock = threading.RLock()
        # Weak, so that a caller that is interrupted between two steps does not keep its place.
        self._inside: weakref.WeakSet[_Visit] = weakref.WeakSet()

    def enter(self, visit: _Visit) -> bool:
        """Return whether the caller may wait; if so, until it leaves."""
        with self._lock:
            if len(self._inside) >= self._places:
                self.rejected += 1
                return False
            self.admitted += 1
            self._inside.add(visit)
            return True

    def leave(self, visit: _Visit) -> None:
        """Free the caller's place."""
        with self._lock:
            self._inside.discard(visit)


class _Visit:
    """One caller's way through a gate: in at most once, however many waits follow, and out whatever happens."""

    def __init__(self) -> None:
        self._gate: Gate | None = None

    def __enter__(self) -> _Visit:
        return self

    def __exit__(self, *_: object) -> None:
        if self._gate is not None:
            self._gate.leave(self)

    def may_wait(self, gate: Gate | None) -> bool:
        if gate is None or gate is self._gate:
            return True
        if not gate.enter(self):
            return False
        self._gate = gate
        return True


class Pending(Generic[T]):
    """A value that is available at once, or after a bounded wait.

    The wait is for ``future`` (done when an attempt has ended, successfully or not), for ``seconds`` at most, and only
    if ``gate`` has room; ``settle`` then returns the value, or another ``Pending`` to wait for. A caller's cancellation
    or time-out does not cancel the shared attempt.
    """

    __slots__ = ("_future", "_gate", "_settle", "_until")

    def __init__(
        self,
        settle: Callable[[], T | Pending[T]],
        future: Future[None] | None = None,
        seconds: float = 0.0,
        gate: Gate | None = None,
    ) -> None:
        self._settle = settle
        self._future = future if seconds > 0 else None
        self._until = time.monotonic() + seconds
        self._gate = gate

    @property
    def may_wait(self) -> bool:
        """Whether :meth:`result` may wait, as far as is known now."""
        return self._future is not None

    def result(self) -> T:
        """Wait in this thread, and return the value or raise its error."""
        pending = self
        with _Visit() as visit:
            while True:
                if pending._future is not None and visit.may_wait(pending._gate):
                    from concurrent.futures import wait

                    wait((pending._future,), pending._left())
                value = pending._settle()
                if not isinstance(value, Pending):
                    return value
                pending = value

    async def result_async(self) -> T:
        """Wait in this task, and return the value or raise its error. Any number of event loops may wait."""
        pending = self
        with _Visit() as visit:
            while True:
                if pending._future is not None and visit.may_wait(pending._gate):
                    await _wait_async(pending._future, pending._left())
                value = pending._settle()
                if not isinstance(value, Pending):
                    return value
                pending = value

    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())


class Call(Pending[T]):
    """What a blocking function returns, or, in a task, what a coroutine function returns."""

    __slots__ = ("_call", "_call_async")

    def __init__(self, call: Callable[[], T], call_async: Callable[[], Awaitable[T]] | None = None) -> None:
        """Without ``call_async``, a task calls ``call`` in another thread."""
        self._call = call
        self._call_async = call_async

    @property
    def may_wait(self) -> bool:
        """Whether :meth:`result` may wait: a function may always."""
        return True

    def result(self) -> T:
        """Call the function in this thread, and return what it returns."""
        return self._call()

    async def result_async(self) -> T:
        """Return what the coroutine function returns, or the function in another thread."""
        if self._call_async is not None:
            return await self._call_async()
        import asyncio

        return await asyncio.to_thread(self._call)


async def _wait_async(future: Future[None], seconds: float) -> None:
    import asyncio

    waiter = asyncio.wrap_future(future)
    try:
        await asyncio.wait((waiter,), timeout=seconds)
    finally:
        # Removes the callback, as the event loop may be closed by then. The attempt itself is not cancelled: a running
        # future can't be.
        waiter.cancel()


def together(several: Iterable[Steps[None]]) -> Steps[None]:
    """Return steps that run several steps together: each runs until it has to wait before any of them waits."""
    running = [(steps, _advance(steps.send, None)) for steps in several]
    while waiting := [(steps, step) for steps, step in running if isinstance(step, Pending)]:
        running = []
        for steps, pending in waiting:
            try:
                value = yield pending
            except BaseException as error:
                step = _advance(steps.throw, error)
            else:
                step = _advance(steps.send, value)
            running.append((steps, step))


def finish(steps: Steps[T]) -> T:
    """Run ``steps`` to the end in this thread, and return their result."""
    try:
        pending = next(steps)
        while True:
            try:
                value = pending.result()
            except BaseException as error:
                pending = steps.throw(error)
            else:
                pending = steps.send(value)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration does not know that it is a T


async def finish_async(steps: Steps[T]) -> T:
    """Run ``steps`` to the end in this task, on the event loop's own thread, and return their result."""
    try:
        pending = next(steps)
        while True:
            try:
                value = await pending.result_async()
            except BaseException as error:
                pending = steps.throw(error)
            else:
                pending = steps.send(value)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration does not know that it is a T


async def finish_in_threads(steps: Steps[T]) -> T:
    """As :func:`finish_async`, for steps that compute for long: they run in other threads."""
    import asyncio

    step: Pending[Any] | _End[T] = await asyncio.to_thread(_advance, steps.send, None)
    while isinstance(step, Pending):
        try:
            value = await step.result_async()
        except BaseException as error:
            step = await asyncio.to_thread(_advance, steps.throw, error)
        else:
            step = await asyncio.to_thread(_advance, steps.send, value)
    return step.value


class _End(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value


def _advance(step: Callable[[Any], Pending[Any]], value: Any) -> Pending[Any] | _End[Any]:  # noqa: ANN401 - of any steps
    # A StopIteration can't pass through a future.
    try:
        return step(value)
    except StopIteration as end:
        return _End(end.value)


__all__ = ["Call", "Pending", "Steps", "finish", "finish_async", "finish_in_threads", "together"]
