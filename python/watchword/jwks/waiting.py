"""Waiting for keys, in a thread or in a task, by one and the same logic.

A verb that may have to wait is written once, as a generator of :class:`Pending`; :func:`finish` drives it in a thread,
:func:`finish_async` in an event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

Steps = Generator["Pending[Any]", Any, T]


class Pending(Generic[T]):
    """Something that is there at once, or after a bounded wait.

    The wait is for ``future`` (done when an attempt has ended, however it ended), until ``seconds`` from now at most;
    ``settle`` then says how things stand. Both ways of waiting leave the attempt alone: one caller's cancellation or
    time-out is nobody else's.
    """

    __slots__ = ("_future", "_settle", "_until")

    def __init__(self, settle: Callable[[], T], future: Future[None] | None = None, seconds: float = 0.0) -> None:
        self._settle = settle
        self._future = future if seconds > 0 else None
        self._until = time.monotonic() + seconds

    def result(self) -> T:
        """Waits in this thread."""
        if self._future is not None:
            from concurrent.futures import wait

            wait((self._future,), self._left())
        return self._settle()

    async def result_async(self) -> T:
        """Waits in this task; works in any event loop, and in several at once."""
        if self._future is not None:
            import asyncio

            waiter = asyncio.wrap_future(self._future)
            try:
                await asyncio.wait((waiter,), timeout=self._left())
            finally:
                # Unhooks it: nobody is to call into this event loop when it may be closed. The attempt itself runs on,
                # as a future that is running can't be cancelled.
                waiter.cancel()
        return self._settle()

    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())


def finish(steps: Steps[T]) -> T:
    """Runs ``steps`` to the end in this thread."""
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
    """Runs ``steps`` to the end in this task, on the event loop's own thread."""
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
    """As :func:`finish_async`, for steps with a lot of arithmetic: it is done in other threads."""
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
