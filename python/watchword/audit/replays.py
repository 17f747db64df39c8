"""Proofs that were used more than once, over the whole output, in bounded memory.

The uses are divided by the first characters of their ``proof_hash`` until a division is small; then each is searched
alone. A proof is first used at its earliest time; at the same time, by the order of the rows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from watchword.audit.ndjson import to_rfc3339
from watchword.audit.part_reader import read_part
from watchword.durable import DurableFile

#: Its name in the output directory.
REPLAYS = "replays.ndjson"

#: Uses that are searched at once.
_LARGEST = 1 << 18
#: After so many characters, divisions are no longer divided: equal hashes cannot be.
_DEEPEST = 4
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TEMPORARY = ".replays.tmp"

_USES = pa.schema(
    [
        ("proof_hash", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("order", pa.int64()),
        ("file", pa.string()),
        ("row", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Uses:
    """Uses of proofs, which can be read more than once, and their number."""

    rows: int
    batches: Callable[[], Iterable[pa.RecordBatch]]


def find_replays(directory: str, parts: Sequence[Mapping[str, Any]], *, largest: int = _LARGEST) -> dict[str, Any]:
    """Write the uses of proofs after their first one to ``replays.ndjson``. Returns its path, SHA-256 and rows.

    ``parts`` are the lines of the journal. Raises ``OSError`` if it cannot be written.
    """
    temporary = os.path.join(directory, _TEMPORARY)
    shutil.rmtree(temporary, ignore_errors=True)
    os.mkdir(temporary)
    file, count = DurableFile(os.path.join(directory, REPLAYS)), 0
    try:
        uses = _Uses(sum(part["part"]["rows"] for part in parts), lambda: _uses(directory, parts))
        for batch in _replays(uses, temporary, 0, largest):
            lines = [json.dumps(one) + "\n" for one in batch]
            file.write("".join(lines).encode())
            count += len(lines)
        return {"path": REPLAYS, "sha256": file.commit(), "rows": count}
    except BaseException:
        file.abort()
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _uses(directory: str, parts: Sequence[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
    order = 0
    for part in parts:
        for batch in read_part(os.path.join(directory, part["part"]["path"]), ["file", "row", "time", "proof_hash"]):
            numbers = pa.arange(order, order + batch.num_rows)
            order += batch.num_rows
            used = batch.append_column("order", numbers).filter(batch.column("proof_hash").is_valid())
            if used.num_rows:
                yield used.select(_USES.names).cast(_USES)


def _replays(uses: _Uses, temporary: str, depth: int, largest: int) -> Iterator[list[dict[str, Any]]]:
    if uses.rows <= largest or depth >= _DEEPEST:
        yield from _search(uses)
        return
    folder = os.path.join(temporary, f"{depth}")
    os.mkdir(folder)
    for division in _divided(uses, folder, depth):
        yield from _replays(division, temporary, depth + 1, largest)
    shutil.rmtree(folder)


def _divided(uses: _Uses, folder: str, depth: int) -> list[_Uses]:
    """Write the uses to one file for each value of the character at ``depth``."""
    paths = [os.path.join(folder, f"{number}.arrow") for number in range(len(_ALPHABET))]
    writers = [pa.ipc.new_stream(path, _USES) for path in paths]
    rows = [0] * len(_ALPHABET)
    try:
        for batch in uses.batches():
            letters = pc.utf8_slice_codeunits(batch.column("proof_hash"), depth, depth + 1)
            for entry in letters.value_counts().to_pylist():
                number = _ALPHABET.index(entry["values"])
                writers[number].write_batch(batch.filter(pc.equal(letters, entry["values"])))
                rows[number] += entry["counts"]
    finally:
        for writer in writers:
            writer.close()
    return [_Uses(count, _file_batches(path)) for count, path in zip(rows, paths, strict=True) if count > 1]


def _file_batches(path: str) -> Callable[[], Iterator[pa.RecordBatch]]:
    def batches() -> Iterator[pa.RecordBatch]:
        with pa.ipc.open_stream(path) as reader:
            yield from reader

    return batches


def _search(uses: _Uses) -> Iterator[list[dict[str, Any]]]:
    counts: pa.Table | None = None
    for batch in uses.batches():
        found = pa.table({"proof_hash": batch.column("proof_hash"), "n": pa.repeat(1, batch.num_rows)})
        counts = _summed(found if counts is None else pa.concat_tables([counts, found]))
    if counts is None:
        return
    replayed = counts.filter(pc.greater(counts.column("n"), 1)).column("proof_hash").combine_chunks()
    if not len(replayed):
        return
    firsts: pa.Table | None = None
    for batch in uses.batches():
        some = pa.table(batch.filter(pc.is_in(batch.column("proof_hash"), value_set=replayed)))
        firsts = _first_of_each(some if firsts is None else pa.concat_tables([firsts, some]))
    assert firsts is not None  # noqa: S101 - there are replayed ones
    for batch in uses.batches():
        place = pc.index_in(batch.column("proof_hash"), value_set=firsts.column("proof_hash").combine_chunks())
        some = pa.table(batch).append_column("place", place).filter(place.is_valid())
        if some.num_rows:
            yield _as_objects(some, firsts.take(some.column("place")))


def _summed(table: pa.Table) -> pa.Table:
    summed = table.group_by("proof_hash", use_threads=False).aggregate([("n", "sum")])
    return pa.table({"proof_hash": summed.column("proof_hash"), "n": summed.column("n_sum")})


def _first_of_each(table: pa.Table) -> pa.Table:
    if not table.num_rows:
        return table
    table = table.sort_by([("proof_hash", "ascending"), ("time", "ascending"), ("order", "ascending")])
    before = pa.concat_arrays([pa.array([None], pa.string()), table.column("proof_hash").combine_chunks()[:-1]])
    is_first = pc.fill_null(pc.not_equal(table.column("proof_hash"), before), True)  # noqa: FBT003
    return table.filter(is_first)


def _as_objects(uses: pa.Table, firsts: pa.Table) -> list[dict[str, Any]]:
    pairs = zip(_with_text_times(uses), _with_text_times(firsts), strict=True)
    members = ("file", "row", "time")
    return [
        {
            **{name: use[name] for name in members},
            "proof_hash": use["proof_hash"],
            "first": {name: first[name] for name in members},
        }
        for use, first in pairs
        if use["order"] != first["order"]
    ]


def _with_text_times(table: pa.Table) -> list[dict[str, Any]]:
    column = table.schema.get_field_index("time")
    rows: list[dict[str, Any]] = table.set_column(column, "time", to_rfc3339(table.column("time"))).to_pylist()
    return rows


__all__ = ["REPLAYS", "find_replays"]
