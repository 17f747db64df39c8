"""``python benches/costs.py``: what each kind of invalid request costs, in microseconds.

Prints the table of docs/costs.md. Requests are interleaved, and figures are medians of this thread's CPU time. The last
column does not depend on the machine: the cost relative to a forged ES256 token, which is parsing and one signature
check by a configured key. ``--write`` writes the table into the page.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

import invalid_requests
import machine
from invalid_requests import Request

import watchword as ww

PAGE = Path(__file__).resolve().parents[1] / "docs" / "costs.md"
BEGIN, END = "<!-- the last run -->", "<!-- the last run ends -->"

#: One check by a configured issuer's key: the unit of the last column.
YARDSTICK = "bearer: forged"

_TURN = 0.002  # seconds


def measure(requests: Iterable[Request], rounds: int) -> dict[Request, float]:
    """Microseconds for each request: the median of its turns."""
    several = list(requests)
    wrong = [f"{one.name}: {found}, not {one.code}" for one in several if (found := one.send()) != one.code]
    if wrong:
        raise AssertionError("; ".join(wrong))
    calls = {request.name: max(1, int(_TURN / _turn(request, 3))) for request in several}
    times: dict[str, list[float]] = {request.name: [] for request in several}
    for _ in range(rounds):
        for request in several:
            times[request.name].append(_turn(request, calls[request.name]))
    return {request: statistics.median(times[request.name]) * 1e6 for request in several}


def _turn(request: Request, calls: int) -> float:
    send = request.send
    begin = time.thread_time()
    for _ in range(calls):
        send()
    return (time.thread_time() - begin) / calls


def table(found: dict[Request, float]) -> Iterable[str]:
    yardstick = next(cost for request, cost in found.items() if request.name == YARDSTICK)
    yield "| request | may cost | verdict | µs | × |"
    yield "|---|---|---|---:|---:|"
    for request, cost in found.items():
        times = cost / yardstick
        yield f"| {request.name} | {request.allowed} | `{request.code}` | {cost:.1f} | {times:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="what each kind of invalid request costs")
    parser.add_argument("--rounds", type=int, default=25, help="turns of 2 ms for each request")
    parser.add_argument("--write", action="store_true", help="write the table into docs/costs.md")
    arguments = parser.parse_args()
    # No table is built in the background while something else is measured.
    ww.tables.configure(after_uses=1 << 31)
    found = measure([*invalid_requests.requests(), *invalid_requests.by_algorithm()], arguments.rounds)
    told = machine.describe()
    text = "\n".join(
        [f"{told['processor']}, {told['python']}, commit {told['commit']}, keys without tables.", "", *table(found), ""]
    )
    if not arguments.write:
        print(text)
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE} has no {BEGIN} … {END}")
    PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
