"""Rounds in which every contender has a turn: a clock that drifts, or a busy neighbour, moves all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from contender import Contender

#: Microseconds a piece of work, by contender and in the order of the rounds.
Times = dict[str, list[float]]


#: One in so many calls of a turn comes before it, and is not counted.
WARM_UP = 4


@dataclass
class Group:
    """Contenders for the same work. ``unable`` says who cannot do it, and why."""

    contenders: dict[str, Contender]
    unable: dict[str, str] = field(default_factory=dict)
    #: How many times as long as elsewhere the turns are: longer where threads have to be woken first, shorter where the
    #: wall clock counts and a turn had better not be interrupted.
    stretch: float = 1

    def close(self) -> None:
        for contender in self.contenders.values():
            contender.close()


@dataclass(frozen=True)
class Pace:
    """How long: ``turn`` seconds for a contender's turn, and rounds until ``seconds`` are over or there are enough."""

    turn: float = 0.004
    most_rounds: int = 200
    fewest_rounds: int = 15
    seconds: float = 10

    #: Every contender once or twice: for seeing that everything works.
    @classmethod
    def quick(cls) -> Pace:
        return cls(turn=0, most_rounds=2, fewest_rounds=2, seconds=0)


def interleave(group: Group, pace: Pace) -> Times:
    contenders = group.contenders
    calls = {name: _calls(contender, pace.turn * group.stretch) for name, contender in contenders.items()}
    times: Times = {name: [] for name in contenders}
    names = list(contenders)
    # What was made up to here is not looked through again by each collection.
    gc.collect()
    gc.freeze()
    end = time.monotonic() + pace.seconds
    for number in range(pace.most_rounds):
        if number >= pace.fewest_rounds and time.monotonic() > end:
            break
        for name in _order(names, number):
            # What others left in the caches gives way first: this is about work that goes on, not about coming back.
            contenders[name].turn(-(-calls[name] // WARM_UP))
            times[name].append(contenders[name].turn(calls[name]) / calls[name] * 1e6)
    gc.unfreeze()
    return times


def _order(names: list[str], number: int) -> list[str]:
    """Each round another one begins, and every other round goes backwards, so that none always follows the same."""
    first = number % len(names)
    order = names[first:] + names[:first]
    return order if number % 2 == 0 else order[::-1]


def _calls(contender: Contender, turn: float) -> int:
    """So many that a turn takes about as long as it should; fewer, where it takes far longer to make what it works on.

    The first call, which may prepare something, is not counted.
    """
    contender.turn(1)
    calls = 1
    while True:
        start = time.monotonic()
        if contender.turn(calls) * 2 >= turn or time.monotonic() - start >= 20 * turn:
            return calls
        calls *= 2


def median(times: Times, name: str) -> float:
    return statistics.median(times[name])


def ratio(times: Times, name: str, base: str) -> float:
    """How many times as long as ``base`` it took: the median of the rounds' ratios."""
    return _median_of(times, name, base, lambda own, other: own / other)


def difference(times: Times, name: str, base: str) -> float:
    """How many microseconds more than ``base`` it took: the median of the rounds' differences."""
    return _median_of(times, name, base, lambda own, other: own - other)


def _median_of(times: Times, name: str, base: str, of: Callable[[float, float], float]) -> float:
    return statistics.median(of(own, other) for own, other in zip(times[name], times[base], strict=True))
