"""Rounds in which every contender has a turn, so that a drifting clock or a busy machine affects all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from contender import Contender

#: Microseconds per piece of work, by contender and in the order of the rounds.
Times = dict[str, list[float]]


#: The share of a turn's calls that precede it and are not counted: one in WARM_UP.
WARM_UP = 4


@dataclass
class Group:
    """Contenders for the same work. ``unable`` has the reasons why others cannot do it."""

    contenders: dict[str, Contender]
    unable: dict[str, str] = field(default_factory=dict)
    #: Length of a turn as a multiple of the usual one: longer if threads must be woken first, shorter if the wall clock
    #: counts and turns should not be interrupted.
    stretch: float = 1

    def close(self) -> None:
        for contender in self.contenders.values():
            contender.close()


@dataclass(frozen=True)
class Pace:
    """``turn`` seconds for a contender's turn, and rounds until ``seconds`` are over or the most rounds are done."""

    turn: float = 0.004
    most_rounds: int = 200
    fewest_rounds: int = 15
    seconds: float = 10

    #: Every contender once or twice, to check that everything works.
    @classmethod
    def quick(cls) -> Pace:
        return cls(turn=0, most_rounds=2, fewest_rounds=2, seconds=0)


def interleave(group: Group, pace: Pace) -> Times:
    contenders = group.contenders
    calls = {name: _calls(contender, pace.turn * group.stretch) for name, contender in contenders.items()}
    times: Times = {name: [] for name in contenders}
    names = list(contenders)
    # Garbage collections skip what was created up to here.
    gc.collect()
    gc.freeze()
    end = time.monotonic() + pace.seconds
    for number in range(pace.most_rounds):
        if number >= pace.fewest_rounds and time.monotonic() > end:
            break
        for name in _order(names, number):
            # Refill the processor's caches first: steady work is measured, not the return to it.
            contenders[name].turn(-(-calls[name] // WARM_UP))
            times[name].append(contenders[name].turn(calls[name]) / calls[name] * 1e6)
    gc.unfreeze()
    return times


def _order(names: list[str], number: int) -> list[str]:
    """Return the order of a round: each starts with another contender, and every other round is reversed."""
    first = number % len(names)
    order = names[first:] + names[:first]
    return order if number % 2 == 0 else order[::-1]


def _calls(contender: Contender, turn: float) -> int:
    """Return the number of calls in a turn; fewer if creating their inputs takes far longer than the work.

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
    """Return how many times as long as ``base`` it took: the median of the rounds' ratios."""
    return _median_of(times, name, base, lambda own, other: own / other)


def difference(times: Times, name: str, base: str) -> float:
    """Return how many microseconds more than ``base`` it took: the median of the rounds' differences."""
    return _median_of(times, name, base, lambda own, other: own - other)


def _median_of(times: Times, name: str, base: str, of: Callable[[float, float], float]) -> float:
    return statistics.median(of(own, other) for own, other in zip(times[name], times[base], strict=True))
