"""``python -m watchword.testing.token_log DIRECTORY --rows N``: write a log to a directory, unless it is there."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from watchword.testing.token_log.log import TokenLog


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m watchword.testing.token_log",
        description="Write a log of access tokens used over a year, with known defects in known numbers, for tests.",
    )
    parser.add_argument("directory", help="the directory of the data set; nothing is done if it has it already")
    parser.add_argument("--rows", type=int, default=200_000, help="number of rows (default: %(default)s)")
    parser.add_argument("--uses", type=int, default=1, help="uses of each token (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another log (default: %(default)s)")
    parser.add_argument("--proofs", action="store_true", help="with DPoP proofs for a fifth of the rows")
    parser.add_argument(
        "--format", default="parquet", help="parquet, ndjson, csv, txt, ndjson.gz, ndjson.zst, ..., by commas"
    )
    parser.add_argument("--row-group-rows", type=int, default=65_536, help="of Parquet; 0: one row group for all rows")
    parser.add_argument("--processes", type=int, help="how many sign (default: one for each processor)")
    options = parser.parse_args(arguments)
    try:
        from watchword.testing.token_log.data_set import write_data_set

        log = TokenLog(options.rows, seed=options.seed, uses_per_token=options.uses, proofs=options.proofs)
        complete = write_data_set(
            options.directory,
            log,
            formats=options.format.split(","),
            row_group_rows=options.row_group_rows,
            processes=options.processes,
            progress=_progress(options.rows),
        )
    except (ValueError, ImportError, OSError) as error:
        parser.error(str(error))
    sys.stdout.write(f"{options.directory}: {complete['valid']:,} of {options.rows:,} rows valid\n")
    sys.stdout.writelines(f"{count:>12,}  {code}\n" for code, count in sorted(complete["codes"].items()))
    return 0


def _progress(total: int) -> Callable[[int], None]:
    started, done, said = time.monotonic(), 0, 0

    def progress(rows: int) -> None:
        nonlocal done, said
        done += rows
        if done * 20 // total > said:
            said = done * 20 // total
            sys.stderr.write(f"{done:,} of {total:,} rows, {done / (time.monotonic() - started):,.0f} a second\n")

    return progress


if __name__ == "__main__":
    sys.exit(main())
