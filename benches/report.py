"""The tables of a run, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from floors import Verdict, times
from rounds import Times, median, ratio

BEGIN, END = "<!-- the last run -->", "<!-- the last run ends -->"


def markdown(results: dict[str, Any], verdicts: Iterable[Verdict]) -> str:
    return "\n".join([*_machine(results["machine"]), "", *_floors(verdicts), "", *_groups(results["groups"])]) + "\n"


def insert(readme: Path, text: str) -> None:
    """Puts the text between the two marks."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{readme} has no {BEGIN} … {END}")
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def _machine(machine: dict[str, Any]) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    runtimes = ", ".join(
        part for part in (machine["python"], machine["rust"], machine["node"] and f"node {machine['node']}") if part
    )
    processors = f"{machine['processors']} processors {machine['processor']} ({machine['architecture']})"
    yield f"{processors}, {machine['system']}, load {machine['load'][0]} before it began."
    yield f"{runtimes}; {packages}. {machine['when']}, commit {machine['commit']}."


def _floors(verdicts: Iterable[Verdict]) -> Iterator[str]:
    yield "### What must hold"
    yield ""
    yield "| work | against | wanted | measured | |"
    yield "|---|---|---|---|---|"
    for verdict in verdicts:
        floor = verdict.floor
        wanted = f"at most {floor.wanted} µs" if floor.at_most else f"{floor.wanted} {floor.unit}"
        found = "not run" if verdict.found is None else f"{verdict.found:.2f} {floor.unit}"
        word = {None: "", True: "holds", False: "**does not hold**"}[verdict.holds]
        yield f"| {floor.work} | {floor.against} | {wanted} | {found} | {word} |"


def _groups(groups: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "### Everything measured"
    yield ""
    yield "Medians in microseconds a piece of work; in brackets the median of the ratios to the first of the row."
    yield ""
    yield "| work | | |"
    yield "|---|---|---|"
    for group in groups:
        found = times(group)
        first, *others = found
        cells = "; ".join(f"{name} {_cell(found, name, first)}" for name in others)
        unable = "".join(f"; {name}: {reason}" for name, reason in group["unable"].items())
        yield f"| {group['name']} | {first} {median(found, first):.3g} | {cells}{unable} |"


def _cell(found: Times, name: str, first: str) -> str:
    return f"{median(found, name):.3g} ({ratio(found, name, first):.2f})"
