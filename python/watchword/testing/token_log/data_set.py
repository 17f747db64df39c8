"""A log on disk: its files, the truth, the keys and their archive; made once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from watchword.testing.token_log.archive import write_archive
from watchword.testing.token_log.columns import TRUTH, log_schema
from watchword.testing.token_log.log import TokenLog
from watchword.testing.token_log.workers import batches
from watchword.testing.token_log.writers import FORMATS, ROW_GROUP_ROWS, ParquetFile, open_writer

#: Changes when the same arguments make other bytes.
_VERSION = 1
_COMPLETE = "complete.json"


def write_data_set(
    directory: str | os.PathLike[str],
    log: TokenLog,
    *,
    formats: Sequence[str] = ("parquet",),
    row_group_rows: int = ROW_GROUP_ROWS,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Write a log to a directory, unless it is there already. Returns what ``complete.json`` says of it.

    ``tokens.*`` are the log in each of the ``formats`` (:data:`FORMATS`), ``truth.parquet`` the expected verdicts,
    ``keys.ndjson`` the key archive, ``jwks.json`` all keys of the year. ``row_group_rows`` is for Parquet; 0: one row
    group. ``processes`` sign (``None``: one for each processor); ``progress`` is called with the number of rows that
    are written.

    ``complete.json`` is written last, with the parameters, the exact numbers and the size of each file in bytes. Raises
    ``ValueError`` for an unknown format, and if the directory has the data set of other parameters.
    """
    unknown = [form for form in formats if form not in FORMATS]
    if unknown or isinstance(formats, str) or not formats:
        raise ValueError(f"unknown format {', '.join(unknown) or formats!r}: must be of {', '.join(FORMATS)}")
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    parameters = {
        "version": _VERSION,
        "rows": log.rows,
        "seed": log.seed,
        "uses_per_token": log.uses_per_token,
        "proofs": log.proofs,
        "row_group_rows": row_group_rows,
    }
    known = _complete(directory, parameters)
    if known is not None and set(formats) <= set(known["formats"]):
        return known
    formats = list(dict.fromkeys([*(known["formats"] if known else []), *formats]))
    _write_files(directory, log, formats, row_group_rows, processes, progress)
    names = [*(f"tokens.{form}" for form in formats), "truth.parquet", "keys.ndjson", "jwks.json"]
    complete = {
        "parameters": parameters,
        "formats": formats,
        "valid": log.valid_count,
        "codes": log.codes,
        "replays": log.replay_count,
        "defects": log.defects,
        "stolen_key": {
            "issuer": log.keys.stolen.line.issuer,
            "kid": log.keys.stolen.key.key_id,
            "since": log.keys.stolen_since,
        },
        "files": {name: (directory / name).stat().st_size for name in names},
    }
    with _replacing(directory / _COMPLETE) as path:
        path.write_text(json.dumps(complete, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return complete


def _complete(directory: Path, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is known of the data set in a directory; ``None`` if there is none, or a file is not as it was."""
    with contextlib.suppress(FileNotFoundError):
        complete: dict[str, Any] = json.loads((directory / _COMPLETE).read_text(encoding="utf-8"))
        if complete["parameters"] != parameters:
            raise ValueError(
                f"{directory} has a data set with other parameters: delete it, or choose another directory"
            )
        if all((directory / name).stat().st_size == size for name, size in complete["files"].items()):
            return complete
    return None


def _write_files(
    directory: Path,
    log: TokenLog,
    formats: Sequence[str],
    row_group_rows: int,
    processes: int | None,
    progress: Callable[[int], None],
) -> None:
    with contextlib.ExitStack() as files:
        # Beside the rest, because the archive waits for the disk after each record.
        path = files.enter_context(_replacing(directory / "keys.ndjson"))
        background = files.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        archive = background.submit(write_archive, path, log.keys)
        schema, repeated = log_schema(proofs=log.proofs), log.uses_per_token > 1
        writers = []
        for form in formats:
            path = files.enter_context(_replacing(directory / f"tokens.{form}"))
            writers.append(open_writer(path, form, schema, row_group_rows=row_group_rows, repeated=repeated))
        path = files.enter_context(_replacing(directory / "truth.parquet"))
        truth_writer = ParquetFile(path, TRUTH, row_group_rows=1 << 20, repeated=True)
        for rows, truth in batches(log, processes):
            for writer in writers:
                writer.write(rows)
            truth_writer.write(truth)
            progress(rows.num_rows)
        for writer in (*writers, truth_writer):
            writer.close()
        path = files.enter_context(_replacing(directory / "jwks.json"))
        path.write_text(json.dumps(log.jwks(), indent=1) + "\n", encoding="utf-8")
        archive.result()


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file, which replaces ``path`` if no error is raised."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
