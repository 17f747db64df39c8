"""``python benches/scopes.py``: scopes compared with the published packages, and the growth of time with the input.

Prints the median of interleaved rounds, in microseconds, and how many times as long as Watchword the other takes; then,
for hostile inputs of 1, 10 and 100 times the length, microseconds per kilobyte: a constant row means linear time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from contender import Repeated
from groups import scopes
from rounds import Pace, interleave, median, ratio
from scope_questions import NUMBERS, QUESTIONS

from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes


def side_by_side() -> None:
    print("| question | scopes | watchword | the other | ratio |\n|---|---|---|---|---|")
    for question, (_, libraries) in QUESTIONS.items():
        peer = libraries[-1]
        for number in NUMBERS:
            group = scopes(question, number)
            if group.unable:
                print(f"| {question} | {number} | | {peer} {group.unable[peer]} | |")
                continue
            times = interleave(group, Pace(seconds=1))
            ours, theirs = median(times, "Watchword"), median(times, peer)
            slower = ratio(times, peer, "Watchword")
            print(f"| {question} | {number} | {ours:.2f} | {peer} {theirs:.2f} | {slower:.1f} |")


def numbered(pattern: str, size: int) -> list[str]:
    """Different scopes of one pattern, ``size`` characters of them."""
    return [pattern.format(number) for number in range(size // len(pattern.format(1000)))]


def staircase(pattern: str, size: int) -> list[str]:
    """``a``, ``a.a``, ``a.a.a``...: each above the next, ``size`` characters of them."""
    steps, found = "a", []
    while size > 0:
        found.append(pattern.format(steps))
        size -= len(steps)
        steps += ".a"
    return found


#: Only what the name says is timed; its inputs are created beforehand.
HOSTILE: dict[str, Callable[[int], Callable[[], Any]]] = {
    "read: many scopes": lambda size: _reads(ResourceScopes, numbered("r{0}.s:a{0}", size)),
    "read: one scope, all dots": lambda size: _reads(ResourceScopes, ["." * size + ":**"]),
    "read: one scope, all colons": lambda size: _reads(SlotScopes.from_claim, [":" * size + "a:b"]),
    "read: one scope, all stars": lambda size: _reads(ResourceScopes, ["*" * size + ":*"]),
    "read: a staircase of resources": lambda size: _reads(ResourceScopes, staircase("{}:read", size)),
    "read: not one is a scope": lambda size: _reads(ResourceScopes.from_claim, ":a " * (size // 3)),
    "allows: a resource of dots": lambda size: _allows(ResourceScopes("a:** b:read"), "." * size),
    "allows: deep, all above it held": lambda size: _allows(
        ResourceScopes(staircase("{}:x", size)), "a" + ".a" * (size // 2)
    ),
    "allows: a long name": lambda size: _allows(ResourceScopes("a:read *:write"), "x" * size),
    "covers: a staircase covers itself": lambda size: _covers(ResourceScopes(staircase("{}:read", size))),
    "covers: many slots": lambda size: _covers(SlotScopes(numbered("read:data{0}:id{0}", size))),
    "covers: many tokens": lambda size: _covers(PlainScopes(numbered("orders{0}:read", size))),
    "narrow: two staircases": lambda size: _narrow(staircase("{}:**", size), staircase("{}:read", size)),
    "narrow: products, cut off at 64 KiB": lambda size: _narrow(numbered("*:a{}", size), numbered("r{}:*", size)),
    "explain: many scopes": lambda size: _explains(ResourceScopes(numbered("r{0}.s:a{0}", size))),
}


def _reads(read: Callable[[Any], Any], scopes: Any) -> Callable[[], Any]:
    return lambda: read(scopes)


def _allows(held: ResourceScopes, resource: str) -> Callable[[], Any]:
    return lambda: held.allows(action="read", resource=resource)


def _covers(held: Any) -> Callable[[], Any]:
    return lambda: held.covers(held)


def _explains(held: ResourceScopes) -> Callable[[], Any]:
    return lambda: held.explain(action="read", resource="r1.s.t")


def _narrow(ours: list[str], theirs: list[str]) -> Callable[[], Any]:
    first, second = ResourceScopes(ours), ResourceScopes(theirs)

    def call() -> None:
        with contextlib.suppress(ValueError):
            first.narrow(second)

    return call


def growth() -> None:
    print("\n| microseconds for each kB of input | 2 kB | 20 kB | 200 kB |\n|---|---|---|---|")
    for name, make in HOSTILE.items():
        cells = []
        for size in (2_000, 20_000, 200_000):
            contender, calls = Repeated(make(size)), max(1, 20_000 // size)
            best = min(contender.turn(calls) for _ in range(7)) / calls
            cells.append(f"{best * 1e6 / size * 1000:.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    side_by_side()
    growth()
