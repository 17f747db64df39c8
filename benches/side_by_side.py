"""``python benches/side_by_side.py``: the same, interleaved, so that a drifting clock moves all libraries alike.

Prints the median of each library in microseconds, and how many times as long as Watchword it takes.
"""

from __future__ import annotations

import platform
import statistics
import time

from contenders import ALGORITHMS, CONTENDERS, Token

ROUNDS = 25
CALLS = 40


def microseconds(verify: object) -> float:
    assert callable(verify)
    start = time.perf_counter()
    for _ in range(CALLS):
        verify()
    return (time.perf_counter() - start) / CALLS * 1e6


def main() -> None:
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    print(
        f"median of {ROUNDS} interleaved rounds of {CALLS} calls, in microseconds; in brackets the ratio to watchword\n"
    )
    print("| algorithm | " + " | ".join(CONTENDERS) + " |")
    print("|---|" + "---|" * len(CONTENDERS))
    for algorithm in ALGORITHMS:
        token = Token(algorithm)
        calls = {name: make(token) for name, make in CONTENDERS.items()}
        rounds = [{name: microseconds(call) for name, call in calls.items()} for _ in range(ROUNDS)]
        medians = {name: statistics.median(round_[name] for round_ in rounds) for name in CONTENDERS}
        ratios = {
            name: statistics.median(round_[name] / round_["watchword"] for round_ in rounds) for name in CONTENDERS
        }
        cells = [f"{medians[name]:.1f} ({ratios[name]:.2f})" for name in CONTENDERS]
        print(f"| {algorithm} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
