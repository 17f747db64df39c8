"""Audits that are killed at many moments, each in a process of its own, and resumed. Prints what was found.

    killed_audits.py DIRECTORY SEED KILLS

The moments are counted in calls after which a file is on the disk, or has its name: what is between them can't matter.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

import audit_logs
from audit_logs import audit, content, job, make_log


class Killer:
    """Kills this process before or after a call of the functions that make something durable."""

    def __init__(self, countdown: int, *, after: bool) -> None:
        self.countdown, self.after = countdown, after
        for name in ("fsync", "replace", "unlink", "write"):
            setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, function):
        def counted(*arguments, **keywords):
            self.countdown -= 1
            if self.countdown == 0 and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **keywords)
            if self.countdown == 0 and self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted


def run_in_child(what, directory: Path, killer=None) -> int:
    """Return the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            if killer is not None:
                Killer(*killer[:1], after=killer[1])
            audit(what, directory)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def main(folder: Path, seed: int, kills: int) -> None:
    log = make_log()
    paths = [audit_logs.write_parquet(log, folder / "a.parquet"), folder / "b.ndjson", folder / "c.csv"]
    paths[1].write_bytes(audit_logs.ndjson(log)[:-100])
    paths[2].write_bytes(audit_logs.csv(log))
    what = job(log, *paths)
    run_in_child(what, folder / "whole")
    expected = content(folder / "whole")
    rng, killed, equal = random.Random(seed), 0, 0
    out = folder / "out"
    for number in range(kills):
        while run_in_child(what, out / str(number), (rng.randrange(1, 40), rng.random() < 0.5)):
            killed += 1
        equal += content(out / str(number)) == expected
    print(json.dumps({"killed": killed, "equal": equal, "parts": len(expected)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
