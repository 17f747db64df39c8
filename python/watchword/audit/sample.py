"""Verifying some rows of an audit again, and comparing the verdicts with those in its parts."""

from __future__ import annotations

import bisect
import itertools
import json
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from watchword.audit.audited import BatchAuditor
from watchword.audit.digests import Digests
from watchword.audit.inputs import Input
from watchword.audit.ndjson import to_ndjson
from watchword.audit.source import Source
from watchword.audit.units import DEFAULT_LIMITS, Columns

if TYPE_CHECKING:
    from watchword.audit.auditor import Auditor


def compare_sample(
    directory: str,
    manifest: Mapping[str, Any],
    inputs: Sequence[Input],
    auditor: Auditor,
    *,
    size: int,
    seed: int,
    locate: Callable[[str], str],
) -> Iterator[str]:
    """Verify ``size`` rows again, chosen by ``seed``, and yield each difference as a sentence.

    ``locate`` returns where an input is now. The inputs are read as a whole, in the order of the manifest. Raises
    ``OSError`` if one cannot be read.
    """
    total = sum(part["rows"] for part in manifest["parts"])
    chosen = sorted(random.Random(seed).sample(range(total), min(size, total)))  # noqa: S311 - a sample, no secret
    options = manifest["options"]
    fields = {use: options.get(f"{use}_field") for use in ("token", "time", "method", "uri", "proof")}
    columns = Columns(**fields, at=options.get("at"))
    stop = threading.Event()
    digests = Digests(stop)
    batches = BatchAuditor(auditor, inputs, columns)
    moved = [replace(one, path=locate(one.path)) for one in inputs]
    source = Source(moved, columns, DEFAULT_LIMITS, digests, stop, batches.check)
    parts = _Parts(directory, manifest["parts"])
    try:
        first = 0
        for chunk in source.chunks():
            rows = 0 if chunk.batch is None else chunk.batch.num_rows
            here = [
                row - first
                for row in chosen[bisect.bisect_left(chosen, first) : bisect.bisect_left(chosen, first + rows)]
            ]
            if here:
                again = batches.verdicts(chunk).take(pa.array(here))
                yield from _differences(_objects(again), parts.rows([first + row for row in here]))
            first += rows
        if first != total:
            yield f"The inputs have {first:,} rows, the parts {total:,}."
    finally:
        stop.set()
        digests.close()


class _Parts:
    """The rows of all parts, by their number from 0; one part is in memory."""

    def __init__(self, directory: str, parts: Sequence[Mapping[str, Any]]) -> None:
        self._directory, self._parts = directory, parts
        self._ends = list(itertools.accumulate(part["rows"] for part in parts))
        self._number = -1
        self._part: list[bytes] | pa.Table = []

    def rows(self, numbers: Sequence[int]) -> Iterator[dict[str, Any] | None]:
        """Yield these rows; ``None`` for one that is not there, or in a part that cannot be read."""
        for number in numbers:
            part = bisect.bisect_right(self._ends, number)
            place = number - (self._ends[part - 1] if part else 0)
            row = None
            with suppress(pa.ArrowException, OSError, ValueError, RecursionError):
                if part != self._number:
                    self._part, self._number = [], part
                    self._part = _read(os.path.join(self._directory, self._parts[part]["path"]))
                row = self._row(place)
            yield row

    def _row(self, place: int) -> dict[str, Any] | None:
        if isinstance(self._part, list):
            row = json.loads(self._part[place]) if place < len(self._part) else None
            return row if isinstance(row, dict) else None
        if place >= self._part.num_rows:
            return None
        return next(_objects(self._part.slice(place, 1).combine_chunks().to_batches()[0]))


def _read(path: str) -> list[bytes] | pa.Table:
    if path.endswith(".parquet"):
        return pq.read_table(path)
    with open(path, "rb") as file:
        return file.read().splitlines()


def _objects(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield rows as NDJSON has them, so that both formats are compared in the same way."""
    return (json.loads(line) for line in bytes(to_ndjson(batch)).splitlines())


def _differences(again: Iterator[dict[str, Any]], before: Iterator[dict[str, Any] | None]) -> Iterator[str]:
    for new, old in zip(again, before, strict=True):
        where = f"Row {new['row']} of {new['file']!r}"
        if old is None:
            yield f"{where} is not in the parts."
            continue
        names = [name for name in {**new, **old} if new.get(name) != old.get(name)]
        if names:
            values = (f"{name} is {new.get(name)!r}, not {old.get(name)!r}" for name in names)
            yield f"{where} differs from the part: {', '.join(values)}."


__all__ = ["compare_sample"]
