"""``python benches/audit.py DIRECTORY``: how fast an audit is, and how much memory it takes.

The logs are made once, in DIRECTORY (some gigabytes for the default numbers of rows; about a quarter of an hour). Each
turn is a process of its own, so that its CPU time and its peak memory are those of the work. Turns of all contenders
are interleaved, and the figures are medians of the ratios within a round. ``--quick`` measures nothing, and checks that
every contender works.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import machine
import pyarrow as pa
import pyarrow.parquet as pq

from watchword.testing.token_log import AUDIENCE, ISSUERS, TokenLog
from watchword.testing.token_log.data_set import write_data_set

TURN = Path(__file__).with_name("audit_turn.py")


@dataclass(frozen=True)
class Turn:
    """What a process took: seconds per row of the wall clock and of CPU, and its peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Floor:
    """A target for a figure: ``wanted`` or more, unless ``at_most``."""

    name: str
    wanted: float
    found: float
    at_most: bool = False

    def line(self) -> str:
        holds = self.found <= self.wanted if self.at_most else self.found >= self.wanted
        sign = "at most" if self.at_most else "at least"
        return f"| {self.name} | {sign} {self.wanted:g} | {self.found:.2f} | {'yes' if holds else '**no**'} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="where the logs are kept")
    parser.add_argument("--rows", type=int, default=400_000, help="rows of the logs for rates (default: %(default)s)")
    parser.add_argument("--large", type=int, default=5_000_000, help="rows of the large log (default: %(default)s)")
    parser.add_argument("--small", type=int, default=50_000, help="rows of the small log (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--without-large", action="store_true", help="leave out the large log")
    parser.add_argument("--quick", action="store_true", help="measure nothing: does every contender work?")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.small, options.turns, options.without_large = 4_000, 2_000, 1, True
    about = machine.describe()
    print(f"{about['processors']} processors {about['processor']}, load {about['load'][0]} before the run\n")
    floors = rates(options) + memory(options)
    print("\n| work | target | measured | holds |\n|---|---|---|---|")
    print("\n".join(floor.line() for floor in floors))
    return 0


def rates(options: argparse.Namespace) -> list[Floor]:
    log = data_set(options, options.rows)
    repeated = data_set(options, options.rows, uses=50)
    pyjwt = max(options.rows // 100, 1_000)
    turns: dict[str, Callable[[], Turn]] = {
        "verify_many, one thread": lambda: in_process("verify_many", log, "1"),
        "columns, one thread": lambda: in_process("columns", log, "1"),
        "verify_many, two threads": lambda: in_process("verify_many", log, "2"),
        "Parquet to Parquet": lambda: command(log / "tokens.parquet", options.rows),
        "Parquet to Parquet, without its start": lambda: command(
            log / "tokens.parquet", options.rows, from_start=False
        ),
        "Parquet to Parquet, 50 uses a token": lambda: command(repeated / "tokens.parquet", options.rows),
        "a loop with PyJWT": lambda: in_process("pyjwt", log, str(pyjwt)),
    }
    times: dict[str, list[Turn]] = {name: [] for name in turns}
    for number in range(options.turns):
        order = list(turns) if number % 2 == 0 else list(turns)[::-1]
        for name in order:
            times[name].append(turns[name]())
    print("| work | wall, µs a row | CPU, µs a row | peak, MiB |\n|---|---|---|---|")
    for name, found in times.items():
        wall, cpu, peak = (statistics.median(getattr(turn, of) for turn in found) for of in ("wall", "cpu", "peak"))
        print(f"| {name} | {wall * 1e6:.2f} | {cpu * 1e6:.2f} | {peak:.0f} |")

    def ratio(slow: str, fast: str, of: str) -> float:
        pairs = zip(times[slow], times[fast], strict=True)
        return statistics.median(getattr(one, of) / getattr(other, of) for one, other in pairs)

    many, audit = "verify_many, two threads", "Parquet to Parquet"
    return [
        Floor("columns, `verify_many`: CPU", 0.88, ratio("verify_many, one thread", "columns, one thread", "cpu")),
        Floor("Parquet to Parquet, `verify_many`: wall", 0.80, ratio(many, f"{audit}, without its start", "wall")),
        Floor("Parquet to Parquet, PyJWT: wall", 13, ratio("a loop with PyJWT", audit, "wall")),
        Floor("Parquet to Parquet, PyJWT: CPU", 7, ratio("a loop with PyJWT", audit, "cpu")),
        Floor("50 uses a token, distinct tokens: wall", 4, ratio(audit, f"{audit}, 50 uses a token", "wall")),
    ]


def memory(options: argparse.Namespace) -> list[Floor]:
    log = data_set(options, options.rows, formats=("parquet", "ndjson"))
    giant = data_set(options, options.rows, row_group_rows=0)
    small = data_set(options, options.small)
    peak = {
        "peak from Parquet, MiB": (command(log / "tokens.parquet", options.rows).peak, 350),
        "peak from one row group, MiB": (command(giant / "tokens.parquet", options.rows).peak, 350),
        "peak from NDJSON to NDJSON, MiB": (
            command(log / "tokens.ndjson", options.rows, "--output-format", "ndjson").peak,
            150,
        ),
    }
    floors = [Floor(name, limit, found, at_most=True) for name, (found, limit) in peak.items()]
    if not options.without_large:
        large = data_set(options, options.large)
        of_small = [command(small / "tokens.parquet", options.small, from_start=False) for _ in range(options.turns)]
        of_large = command(large / "tokens.parquet", options.large, from_start=False)
        slower = of_large.wall / statistics.median(turn.wall for turn in of_small)
        more = of_large.peak - statistics.median(turn.peak for turn in of_small)
        floors += [
            Floor(f"time a row of {options.large:,} rows against {options.small:,}", 1.15, slower, at_most=True),
            Floor(f"peak of {options.large:,} rows more than of {options.small:,}, MiB", 50, more, at_most=True),
        ]
    return floors


def data_set(
    options: argparse.Namespace,
    rows: int,
    *,
    uses: int = 1,
    formats: tuple[str, ...] = ("parquet",),
    row_group_rows: int = 65_536,
) -> Path:
    """Return the directory of a log, which is made if it is not there."""
    name = f"{rows}-rows-{uses}-uses" + ("-one-group" if row_group_rows == 0 else "")
    directory: Path = options.directory / name
    log = TokenLog(rows, uses_per_token=uses)
    write_data_set(directory, log, formats=formats, row_group_rows=row_group_rows)
    return directory


def in_process(what: str, log: Path, argument: str) -> Turn:
    """Measure a program that prints what its work took, without its preparation."""
    done = subprocess.run(
        [sys.executable, str(TURN), what, str(log), argument], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    return Turn(found["wall"] / found["rows"], found["cpu"] / found["rows"], found["peak"])


def command(log: Path, rows: int, *arguments: str, from_start: bool = True) -> Turn:
    """Measure ``watchword audit``, from its start to its end; without what an audit of few rows takes, if asked to."""
    turn = run_command(log, *arguments)
    overhead = Turn(0, 0, 0) if from_start else startup(log, *arguments)
    return Turn((turn.wall - overhead.wall) / rows, (turn.cpu - overhead.cpu) / rows, turn.peak)


def startup(log: Path, *arguments: str) -> Turn:
    """Measure an audit of the first thousand rows: imports, keys and their tables."""
    first = log.parent / "first-rows.parquet"
    if not first.exists():
        pq.write_table(pa.Table.from_batches([next(pq.ParquetFile(log).iter_batches(1_000))]), first)
    return run_command(first, *arguments)


def run_command(log: Path, *arguments: str) -> Turn:
    output = tempfile.mkdtemp(dir=log.parent)
    shutil.rmtree(output)
    issuers = [word for issuer in ISSUERS for word in ("--issuer", issuer)]
    call = [
        sys.executable, "-m", "watchword.cli", "audit", str(log), "--keys", str(log.parent / "keys.ndjson"), *issuers,
        "--audience", AUDIENCE, "--token-field", "token", "--time-field", "used_at", "--output", output, "--quiet",
        *arguments,
    ]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    shutil.rmtree(output, ignore_errors=True)
    if process.returncode not in (0, 1, 3):
        raise RuntimeError(errors.decode())
    return Turn(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
