"""CPU time of this process and of all that it has started, which Spark spreads over several (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds() -> float:
    """Return the CPU time of this process and its descendants so far, of those that have ended too."""
    parents, ticks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in brackets, which may contain anything: state, parent, ..., utime, stime, cutime, cstime.
            values = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(values[1])
        ticks[int(folder.name)] = sum(map(int, values[11:15]))

    def is_ours(process: int) -> bool:
        while process not in (0, os.getpid()):
            process = parents.get(process, 0)
        return process != 0

    return sum(spent for process, spent in ticks.items() if is_ours(process)) / os.sysconf("SC_CLK_TCK")
