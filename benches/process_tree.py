"""CPU time of processes and of those that they have started (Linux)."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path


def cpu_seconds(roots: Collection[int] | None = None) -> dict[int, float]:
    """Return the CPU time so far of these processes (``None``: this one) and of their descendants, by their ids."""
    roots = (os.getpid(),) if roots is None else roots
    parents, ticks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in brackets, which may contain anything: state, parent, ..., utime, stime.
            values = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(values[1])
        ticks[int(folder.name)] = sum(map(int, values[11:13]))

    def is_ours(process: int) -> bool:
        while process != 0 and process not in roots:
            process = parents.get(process, 0)
        return process != 0

    second = os.sysconf("SC_CLK_TCK")
    return {process: spent / second for process, spent in ticks.items() if is_ours(process)}


def spent_since(before: dict[int, float], roots: Collection[int] | None = None) -> float:
    """Return the CPU time since then, without that of processes that have ended: Spark ends workers that are idle."""
    return sum(spent - before.get(process, 0) for process, spent in cpu_seconds(roots).items())
