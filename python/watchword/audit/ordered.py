"""Reading, working and writing at the same time: one thread reads, some work, and results come in the order read."""

from __future__ import annotations

import concurrent.futures
import queue
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

#: Seconds between two looks at whether the consumer is gone.
_POLL = 0.1


def ordered_map(
    tasks: Iterable[_Task],
    work: Callable[[_Task], _Result],
    *,
    workers: int,
    ahead: int,
    stop: threading.Event | None = None,
) -> Generator[_Result, None, None]:
    """Yield ``work(task)`` for each task, in the order of the tasks, with ``workers`` threads that work.

    ``tasks`` is iterated in a thread of its own, at most ``ahead`` + 2 tasks ahead of what is yielded: that bounds the
    memory. An exception of ``tasks`` or of ``work`` is raised where its result would have been yielded. When the
    generator is closed or fails, ``stop`` is set, and the threads end, each after the task that it has begun, before
    control returns.
    """
    stop = stop or threading.Event()
    results: queue.Queue[concurrent.futures.Future[_Result] | None] = queue.Queue(ahead)
    pool = concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="watchword-audit")
    reader = threading.Thread(target=_read, args=(tasks, work, pool, results, stop), name="watchword-audit-reader")
    reader.start()
    try:
        while (result := results.get()) is not None:
            yield result.result()
    finally:
        stop.set()
        with suppress(queue.Empty):
            while True:
                results.get_nowait()
        reader.join()
        pool.shutdown(cancel_futures=True)


def _read(
    tasks: Iterable[_Task],
    work: Callable[[_Task], _Result],
    pool: concurrent.futures.ThreadPoolExecutor,
    results: queue.Queue[concurrent.futures.Future[_Result] | None],
    stop: threading.Event,
) -> None:
    try:
        for task in tasks:
            if stop.is_set() or not _put(results, pool.submit(work, task), stop):
                return
    except BaseException as error:
        failed: concurrent.futures.Future[_Result] = concurrent.futures.Future()
        failed.set_exception(error)
        _put(results, failed, stop)
    finally:
        _put(results, None, stop)
        close = getattr(tasks, "close", None)
        if close is not None:
            close()


def _put(results: queue.Queue[_Result], result: _Result, stop: threading.Event) -> bool:
    """Return whether there was still somebody to take the result."""
    while not stop.is_set():
        with suppress(queue.Full):
            results.put(result, timeout=_POLL)
            return True
    return False


__all__ = ["ordered_map"]
