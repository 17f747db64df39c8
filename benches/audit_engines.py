"""``python benches/audit_engines.py DIRECTORY``: audits by the Auditor alone, DuckDB, polars and Spark, of one log.

The directory is one of ``python -m watchword.testing.token_log``. Every contender reads its Parquet file and counts the
codes, which must be the known ones. Turns are interleaved, and the first of each is not counted. Printed are medians:
rows a second by the wall clock; as a multiple of the Auditor's on two threads, in the same round; and microseconds of
CPU for a row, of all processes that took part. Meaningful on an idle machine of two processors.

Spark runs with one executor and with two, of one core each, in processes of their own (``audit_spark.py``).
"""

from __future__ import annotations

import argparse
import collections
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from audit_spark import SparkProcess
from process_tree import cpu_seconds, spent_since

from watchword.audit import Auditor
from watchword.jwks.archive import KeyArchive
from watchword.testing.token_log import TokenLog

#: Counts the codes of the whole log; ``None`` is the number of valid rows.
Contender = Callable[[], dict[str | None, int]]

BASE = "Auditor, 2 threads"


def contenders(directory: Path, log: TokenLog) -> dict[str, Contender]:
    """Return the contenders that can run here: those whose packages are installed."""
    path, archive = str(directory / "tokens.parquet"), KeyArchive.open(directory / "keys.ndjson")

    def auditor() -> Auditor:
        # A new one for each turn: none finds the tokens of the last.
        return Auditor(archive, log.policy)

    def alone(threads: int) -> Contender:
        def audit() -> dict[str | None, int]:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                batches = file.iter_batches(batch_size=16_384, columns=["token", "used_at"])
                schema = pa.schema([file.schema_arrow.field("token"), file.schema_arrow.field("used_at")])
                reader = pa.RecordBatchReader.from_batches(schema, (batch.select(schema.names) for batch in batches))
                found = auditor().verify_column(reader, token="token", time="used_at", threads=threads)
                return _counted(batch["code"] for batch in pa.RecordBatchReader.from_stream(found))

        return audit

    found = {"Auditor, 1 thread": alone(1), BASE: alone(2)}
    for add in (_duckdb, _polars):
        try:
            found |= add(path, auditor)
        except ImportError as error:
            print(f"left out: {error}")
    return found


def _counted(columns: Any) -> dict[str | None, int]:
    counts: collections.Counter[str | None] = collections.Counter()
    for column in columns:
        counts.update({row["values"]: row["counts"] for row in pc.value_counts(column).to_pylist()})
    return dict(counts)


def _duckdb(path: str, auditor: Callable[[], Auditor]) -> dict[str, Contender]:
    import duckdb

    from watchword.audit.duckdb import register

    def stream() -> dict[str | None, int]:
        with duckdb.connect() as connection, connection.cursor() as other:
            log = connection.sql(f"SELECT token, used_at FROM '{path}'")
            verdicts = auditor().verify_column(log, token="token", time="used_at", threads=2)
            return dict(other.from_arrow(verdicts).aggregate("code, count(*)").fetchall())

    def function() -> dict[str | None, int]:
        with duckdb.connect() as connection:
            register(connection, auditor())
            query = f"SELECT verify_token(token, used_at).code, count(*) FROM '{path}' GROUP BY 1"
            return dict(connection.sql(query).fetchall())

    return {"DuckDB, stream": stream, "DuckDB, verify_token": function}


def _polars(path: str, auditor: Callable[[], Auditor]) -> dict[str, Contender]:
    import polars as pl

    def lazy() -> dict[str | None, int]:
        one = auditor()

        def verdicts(frame: pl.DataFrame) -> pl.DataFrame:
            return pl.DataFrame(one.verify_column(frame, token="token", time="used_at", threads=2))

        rows = pl.scan_parquet(path).select("token", "used_at")
        schema = verdicts(rows.head(0).collect()).schema
        audited = rows.map_batches(verdicts, schema=schema, streamable=True)
        return dict(audited.group_by("code").len().collect(engine="streaming").rows())

    def frame() -> dict[str | None, int]:
        whole = pl.read_parquet(path, columns=["token", "used_at"])
        audited = pl.DataFrame(auditor().verify_column(whole, token="token", time="used_at", threads=2))
        return dict(audited.group_by("code").len().rows())

    return {"polars, DataFrame": frame, "polars, LazyFrame": lazy}


def measure(found: dict[str, Contender], expected: dict[str | None, int], turns: int) -> dict[str, list[Any]]:
    """Return wall and CPU seconds of the turns of each contender."""
    times: dict[str, list[Any]] = {name: [] for name in found}
    for turn in range(-1, turns):
        for name, contender in found.items():
            wall, cpu = time.perf_counter(), cpu_seconds()
            counts = contender()
            spent = time.perf_counter() - wall, spent_since(cpu)
            if counts != expected:
                raise AssertionError(f"{name} found other verdicts: {counts}")
            if turn >= 0:
                times[name].append(spent)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="a data set of python -m watchword.testing.token_log")
    parser.add_argument("--turns", type=int, default=5, help="counted turns of each contender (default: %(default)s)")
    parser.add_argument("--without-spark", action="store_true", help="leave out Spark, which needs Java 17")
    options = parser.parse_args()
    complete = json.loads((options.directory / "complete.json").read_text(encoding="utf-8"))
    parameters = complete["parameters"]
    log = TokenLog(parameters["rows"], seed=parameters["seed"], uses_per_token=parameters["uses_per_token"])
    found = contenders(options.directory, log)
    spark = [] if options.without_spark else [SparkProcess(executors, options.directory) for executors in (1, 2)]
    try:
        found |= {one.name: one.count_codes for one in spark}
        times = measure(found, {None: complete["valid"], **complete["codes"]}, options.turns)
    finally:
        for one in spark:
            one.close()
    here = machine.describe()
    print(f"{here['processor']}, {here['python']}, commit {here['commit']}, load {here['load'][0]}; ", end="")
    print(f"{log.rows:,} rows, {log.uses_per_token} uses a token, {options.turns} turns\n")
    print("| | rows/s | × | CPU µs/row |\n|---|---:|---:|---:|")
    for name, turns in times.items():
        ratio = statistics.median(base[0] / own[0] for own, base in zip(turns, times[BASE], strict=True))
        wall, cpu = (statistics.median(column) for column in zip(*turns, strict=True))
        print(f"| {name} | {log.rows / wall:,.0f} | {ratio:.2f} | {cpu / log.rows * 1e6:.2f} |")


if __name__ == "__main__":
    main()
