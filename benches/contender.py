"""A contender does a piece of work as often as requested, and returns how long it took.

If one thread does the work, its own CPU time is counted, without the rest of the machine. All other contenders, and
those they are compared with, are timed by the wall clock.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

Clock = Callable[[], float]
OWN_TIME: Clock = time.thread_time
WALL: Clock = time.perf_counter


class Contender(Protocol):
    """``turn`` returns the seconds that ``calls`` pieces of work took; ``close`` frees what it started."""

    def turn(self, calls: int) -> float: ...

    def close(self) -> None: ...


class Alone:
    """A contender with nothing to close."""

    def close(self) -> None:
        pass


class Repeated(Alone):
    """The same call, repeated."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.once = call

    def turn(self, calls: int) -> float:
        call = self.once
        start = OWN_TIME()
        for _ in itertools.repeat(None, calls):
            call()
        return OWN_TIME() - start


class Over(Alone):
    """A function of one argument, over the inputs in turn, cyclically."""

    def __init__(self, function: Callable[[Any], Any], inputs: Sequence[Any], clock: Clock = OWN_TIME) -> None:
        self._function, self._clock = function, clock
        self._inputs = itertools.cycle(inputs)

    def once(self) -> Any:
        return self._function(next(self._inputs))

    def turn(self, calls: int) -> float:
        function, inputs, clock = self._function, itertools.islice(self._inputs, calls), self._clock
        start = clock()
        for value in inputs:
            function(value)
        return clock() - start


class Fresh(Alone):
    """A function of one argument, over new inputs that are used once; creating them is not counted."""

    def __init__(self, function: Callable[[Any], Any], make: Callable[[], Any]) -> None:
        self._function, self._make = function, make

    def turn(self, calls: int) -> float:
        function, inputs = self._function, [self._make() for _ in range(calls)]
        start = OWN_TIME()
        for value in inputs:
            function(value)
        return OWN_TIME() - start


class Batch(Alone):
    """One call for ``size`` items at a time, by the wall clock; a piece of work is one item."""

    def __init__(self, function: Callable[[Sequence[Any]], Any], items: Sequence[Any], size: int) -> None:
        self._function, self._size = function, min(size, len(items))
        whole = range(0, len(items) - self._size + 1, self._size)
        self._batches = itertools.cycle([items[start : start + self._size] for start in whole])

    def once(self) -> Any:
        return self._function(next(self._batches))

    def turn(self, calls: int) -> float:
        batches = -(-calls // self._size)
        start = WALL()
        for _ in range(batches):
            self.once()
        return (WALL() - start) * calls / (batches * self._size)


class Threads:
    """A function of one argument, called by several threads at once, each over its own share of the inputs."""

    def __init__(self, function: Callable[[Any], Any], inputs: Sequence[Any], threads: int) -> None:
        self._function, self._count, self._threads = function, len(inputs), threads
        self._shares = [itertools.cycle(inputs[number::threads]) for number in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    def once(self) -> None:
        self.turn(self._count)

    def turn(self, calls: int) -> float:
        share = -(-calls // self._threads)
        start = WALL()
        for done in [self._pool.submit(self._work, inputs, share) for inputs in self._shares]:
            done.result()
        return (WALL() - start) * calls / (share * self._threads)

    def _work(self, inputs: Iterator[Any], calls: int) -> None:
        function = self._function
        for value in itertools.islice(inputs, calls):
            function(value)

    def close(self) -> None:
        self._pool.shutdown()


class Child:
    """A process that does the work and times it by itself: another language, or a setting of a whole process.

    It receives its task as a line of JSON, answers ``ready`` after checking that it accepts and rejects what it should,
    and then a number of seconds for each number of calls.
    """

    def __init__(self, command: Sequence[str | Path], task: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        answer = self._ask(json.dumps(task))
        if answer != "ready":
            self.close()
            raise RuntimeError(f"{command[-1]} did not get ready: {answer!r}")

    def turn(self, calls: int) -> float:
        return float(self._ask(str(calls)))

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()
