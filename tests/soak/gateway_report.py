"""What a run of the gateway has found."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_operator import Operator
from soak_tally import Tally

WITHOUT_TABLES = "serve without tables of keys"

#: How much the resident memory of each may grow after the first fifth of the run, in bytes. The token cache is full by
#: then, or small: what may still grow is what allocators keep. Tables of keys have a budget of 64 MiB (docs/speed.md).
MOST_GROWTH = {WITHOUT_TABLES: 16 << 20, "serve": 80 << 20, "nginx": 4 << 20}


@dataclass
class Report:
    """What was found. ``problems`` has what is wrong besides answers."""

    tally: Tally
    operators: list[Operator]
    seconds: float = 0.0
    #: Resident memory in bytes, of each process at each time of measurement.
    memory: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def check_memory(self) -> None:
        """Add the processes that have grown too much to the problems."""
        for name, used in self.memory.items():
            growth = used[-1] - used[1]
            if growth > MOST_GROWTH[name]:
                self.problems.append(f"{name} has {growth >> 10} KiB more than after a fifth of the run")

    def describe(self) -> list[str]:
        """Return the report in lines."""
        shares = (0.5, 0.99, 0.999)
        done = sorted((name, count) for operator in self.operators for name, count in operator.done.items())
        lines = ["changes: " + ", ".join(f"{count} {name}" for name, count in done)]
        for operator in self.operators:
            lines += [f"{what}: after {most:.2f} s at most" for what, most in operator.longest.items()]
        lines += self.tally.describe()
        took = zip(shares, self.tally.percentiles(*shares), strict=True)
        times = ", ".join(f"p{100 * share:g} {1000 * seconds:.1f} ms" for share, seconds in took)
        lines.append(f"{self.tally.total / self.seconds:.0f} requests/s, {times}")
        for name, used in self.memory.items():
            samples = " ".join(f"{each / (1 << 20):.1f}" for each in used)
            most = MOST_GROWTH[name] >> 20
            lines.append(f"MiB of {name} at each tenth of the run: {samples} (may grow by {most} from the second on)")
        for name, (before, after) in self.files.items():
            lines.append(f"open files of {name}: {before} before, {after} after")
        missing = self.tally.missing() + [name for operator in self.operators for name in operator.missing()]
        if missing:
            lines.append(f"never seen: {'; '.join(missing)}")
        lines += [f"WRONG {wrong}" for wrong in self.tally.wrong[:20]]
        lines += [f"PROBLEM {problem}" for problem in self.problems]
        return [*lines, f"{len(self.tally.wrong)} wrong answers, {len(self.problems)} other problems"]
