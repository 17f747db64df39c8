"""Checking the output of an audit: the signature of the manifest, the digests of all files, and the counts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from watchword.audit.counts import Counts
from watchword.audit.digests import file_sha256
from watchword.audit.manifest import SIGNED, UNSIGNED
from watchword.audit.replays import REPLAYS

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = re.compile(r"parts/part-\d{6,}\.(parquet|ndjson)")
_UNREADABLE = re.compile(r"parts/part-\d{6,}\.unreadable\.ndjson")


def check_output(directory: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference between a manifest and the files beside it, as a sentence.

    Every part is read: its digest is computed, and its verdicts are counted.
    """
    counts = Counts()
    named = set()
    for part in manifest["parts"]:
        beside = part["unreadable"]
        named |= {part["path"], *([beside["path"]] if beside else [])}
        yield from _check_part(directory, part, counts)
        if beside:
            yield from _check_lines(directory, beside, _UNREADABLE)
            counts.unreadable += beside["rows"]
    folder = os.path.join(directory, "parts")
    there = {f"parts/{name}" for name in os.listdir(folder)} if os.path.isdir(folder) else set()
    replays = manifest["replays"]
    # What a reader would take for a part of the output. A signed manifest is read before one without signature.
    there |= set() if replays else _present(directory, REPLAYS)
    there |= _present(directory, UNSIGNED) if _present(directory, SIGNED) else set()
    yield from (f"{path!r} is there, but not in the manifest." for path in sorted(there - named))
    if replays:
        yield from _check_lines(directory, replays, re.compile(re.escape(REPLAYS)))
    found = {**counts.as_dict(), "replays": replays["rows"] if replays else 0}
    for name, value in found.items():
        if manifest["counts"].get(name) != value:
            yield f"The manifest counts {name} as {manifest['counts'].get(name)!r}, the files have {value!r}."


def _present(directory: str, name: str) -> set[str]:
    return {name} if os.path.lexists(os.path.join(directory, name)) else set()


def check_inputs(
    manifest: Mapping[str, Any], locate: Callable[[str], str], on_missing: Callable[[str], None]
) -> Iterator[str]:
    """Yield each difference between the inputs and the manifest, as a sentence.

    ``locate`` returns where an input is now; ``on_missing`` is called for one that is not there.
    """
    for one in manifest["inputs"]:
        path = locate(one["path"])
        if not os.path.exists(path):
            on_missing(one["path"])
            continue
        found = file_sha256(path)
        if found != one["sha256"]:
            expected = one["sha256"]
            yield f"The input {path!r} is not what was audited: its SHA-256 is {found}, in the manifest {expected}."


def _check_part(directory: str, part: Mapping[str, Any], counts: Counts) -> Iterator[str]:
    import pyarrow as pa

    from watchword.audit.part_reader import read_part

    if _PART.fullmatch(part["path"]) is None:
        yield f"The manifest has a part {part['path']!r}, which is no name of one."
        return
    path = os.path.join(directory, part["path"])
    yield from _check_digest(path, part)
    rows = Counts()
    try:
        for batch in read_part(path, ["valid", "code", "key_state"]):
            rows.add(Counts.of_batch(batch))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        yield f"The part {path!r} can't be read: {str(error).partition(chr(10))[0]}."
    if rows.rows != part["rows"]:
        yield f"The part {path!r} has {rows.rows:,} rows, in the manifest {part['rows']:,}."
    counts.add(rows)


def _check_lines(directory: str, file: Mapping[str, Any], name: re.Pattern[str]) -> Iterator[str]:
    if name.fullmatch(file["path"]) is None:
        yield f"The manifest has a file {file['path']!r}, which is no name of one."
        return
    path = os.path.join(directory, file["path"])
    yield from _check_digest(path, file)
    rows = 0
    if os.path.exists(path):
        with open(path, "rb") as lines:
            rows = sum(1 for _ in lines)
    if rows != file["rows"]:
        yield f"{path!r} has {rows:,} lines, in the manifest {file['rows']:,}."


def _check_digest(path: str, file: Mapping[str, Any]) -> Iterator[str]:
    found = file_sha256(path)
    if found is None:
        yield f"{path!r} is missing or can't be read."
    elif found != file["sha256"]:
        yield f"{path!r} was changed: its SHA-256 is {found}, in the manifest {file['sha256']}."


__all__ = ["check_inputs", "check_output"]
