"""The tables of a run, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from floors import Verdict
from measured import Measured
from rounds import Times, median, ratio

BEGIN, END = "<!-- the last run -->", "<!-- the last run ends -->"


def markdown(results: dict[str, Any], measured: Measured, verdicts: Iterable[Verdict]) -> str:
    """Return the whole report, the machine first."""
    unable = {(group["work"], group["what"]): group["unable"] for group in results["groups"]}
    lines = [*_machine(results["machine"]), "", *_floors(verdicts), "", *_everything(measured, unable)]
    return "\n".join(lines) + "\n"


def insert(readme: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Write the text between the two marks."""
    before, _, rest = readme.read_text().partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"{readme} has no {begin} … {end}")
    readme.write_text(f"{before}{begin}\n{text}{end}{after}")


def _machine(machine: dict[str, Any]) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    runtimes = ", ".join(
        part for part in (machine["python"], machine["rust"], machine["node"] and f"node {machine['node']}") if part
    )
    processors = f"{machine['processors']} processors {machine['processor']} ({machine['architecture']})"
    yield f"{processors}, {machine['system']}, load {machine['load'][0]} before the run."
    yield f"{runtimes}; {packages}. {machine['when']}, commit {machine['commit']}."


def _floors(verdicts: Iterable[Verdict]) -> Iterator[str]:
    yield "### Targets"
    yield ""
    yield "| work | against | target | measured | |"
    yield "|---|---|---|---|---|"
    for verdict in verdicts:
        floor = verdict.floor
        wanted = f"at most {floor.wanted} µs" if floor.at_most else f"{floor.wanted} {floor.unit}"
        found = "not run" if verdict.found is None else f"{verdict.found:.2f} {floor.unit}"
        word = {None: "", True: "met", False: "**not met**"}[verdict.holds]
        yield f"| {floor.work} | {floor.against} | {wanted} | {found} | {word} |"


def _everything(measured: Measured, unable: Mapping[tuple[str, str], Mapping[str, str]]) -> Iterator[str]:
    yield "### Everything measured"
    yield ""
    yield "Medians in microseconds per piece of work; in brackets the median of the ratios to the first row."
    for work in dict.fromkeys(work for work, _ in measured):
        columns = {what: times for (other, what), times in measured.items() if other == work}
        cannot = {what: unable[work, what] for what in columns}
        yield ""
        yield from _table(work, columns, cannot)


def _table(work: str, columns: Mapping[str, Times], unable: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield f"| {work} | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for name in dict.fromkeys(name for column in columns.values() for name in column):
        cells = (
            _cell(column, name) if name in column else unable[what].get(name, "") for what, column in columns.items()
        )
        yield f"| {name} | " + " | ".join(cells) + " |"


def _cell(column: Times, name: str) -> str:
    return f"{_figure(median(column, name))} ({ratio(column, name, next(iter(column))):.2f})"


def _figure(value: float) -> str:
    """Return three significant digits, or all digits of an integer from 100."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
