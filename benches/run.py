"""``python benches/run.py``: every measurement that the documents quote, as one JSON file, tables and a chart.

Results go to ``benches/results``. ``--quick`` runs every contender once or twice, with few tokens: it shows that all
of them accept and reject what they should, and measures nothing. ``--readme`` writes the tables into
``benches/README.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chart
import children
import floors
import machine
import report
from groups import Make
from groups import groups as all_groups
from measured import read
from rounds import Pace, interleave
from samples import QUICK_TOKENS, TOKENS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PARTS = ("node", "kernel", "criterion")


def main() -> None:
    options = _options()
    # Some of the libraries emit deprecation warnings about themselves or each other.
    warnings.simplefilter("ignore")
    pace = Pace.quick() if options.quick else Pace(seconds=options.seconds)
    wanted = {part: part not in options.without for part in PARTS}
    ran_on = machine.describe()
    tokens = QUICK_TOKENS if options.quick else options.tokens
    every_group = all_groups(node=wanted["node"], kernel=wanted["kernel"], tokens=tokens)
    groups = list(_python(pace, options.only, every_group))
    if wanted["kernel"]:
        print("the kernel beside other crates", file=sys.stderr)
        groups += children.kernel_interleaved(pace.most_rounds, pace.seconds, options.only)
    results: dict[str, Any] = {"machine": ran_on, "groups": groups}
    if options.quick:
        print("every contender accepts and rejects what it should; nothing was measured")
        return
    measured = read(groups)
    text = report.markdown(results, measured, floors.verdicts(measured))
    print(text)
    if options.only:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "last.json").write_text(json.dumps(results) + "\n")
    (RESULTS / "last.md").write_text(text)
    (RESULTS / "last.svg").write_text(chart.draw(measured, ran_on))
    if options.readme:
        report.insert(HERE / "README.md", text)
    if wanted["criterion"]:
        print("the kernel under criterion", file=sys.stderr)
        (RESULTS / "last.json").write_text(json.dumps({**results, "criterion": children.criterion()}) + "\n")


def _python(pace: Pace, only: str, groups: Iterator[tuple[str, str, Make]]) -> Iterator[dict[str, Any]]:
    for work, what, make in groups:
        if only not in f"{work}, {what}":
            continue
        print(f"{work}, {what}", file=sys.stderr)
        group = make()
        try:
            times = interleave(group, pace)
        finally:
            group.close()
        contenders = [{"name": who, "microseconds": found} for who, found in times.items()]
        yield {"work": work, "what": what, "contenders": contenders, "unable": group.unable}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only check that every contender works")
    parser.add_argument("--without", choices=PARTS, action="append", default=[], help="skip this part (repeatable)")
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="measure only the groups whose name contains TEXT, and print them"
    )
    parser.add_argument("--tokens", type=int, default=TOKENS, help=f"how many distinct tokens ({TOKENS})")
    parser.add_argument("--seconds", type=float, default=8, help="time limit of each group (8)")
    parser.add_argument("--readme", action="store_true", help="write the tables into benches/README.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
