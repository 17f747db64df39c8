"""The rows of an audit's parts, in batches: the memory that they take does not depend on how many there are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

#: Rows of a batch of Parquet, and bytes of a batch of NDJSON, which are also the longest line.
BATCH_ROWS = 32_768
BLOCK_BYTES = 1024 * 1024

#: A column of a row group is read in pieces of this many bytes, however large the row group is.
BUFFER_BYTES = 256 * 1024

TIME = pa.timestamp("us", "UTC")

#: What the report reads, and the types it works with. Texts come as dictionaries or plain.
COLUMNS: dict[str, pa.DataType] = {
    "file": pa.string(),
    "row": pa.int64(),
    "time": TIME,
    "valid": pa.bool_(),
    "code": pa.string(),
    "key_state": pa.string(),
    "issuer": pa.string(),
    "subject": pa.string(),
    "client_id": pa.string(),
    "actors": pa.list_(pa.string()),
    "key_id": pa.string(),
    "seconds_past_expiry": pa.float64(),
    "token_hash": pa.string(),
}


def batches(path: Path, columns: Collection[str] = tuple(COLUMNS)) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one part with these columns, in order.

    Raises ``ValueError`` if the file is missing, damaged, or not a part of an audit.
    """
    names = [name for name in COLUMNS if name in columns]
    read = _parquet if path.suffix == ".parquet" else _ndjson
    try:
        yield from read(path, names)
    except FileNotFoundError:
        raise ValueError(f"{path} is missing, which the manifest lists; copy the whole output directory") from None
    except pa.ArrowException as error:
        raise ValueError(f"{path} is damaged, or no part of an audit: {_first_line(error)}") from None


def _parquet(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
        missing = set(names) - set(file.schema_arrow.names)
        if missing:
            raise ValueError(f"{path} is no part of an audit: it has no column {', '.join(sorted(missing))}")
        for batch in file.iter_batches(BATCH_ROWS, columns=names):
            yield _typed(batch.select(names))


def _ndjson(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    if path.stat().st_size == 0:
        return
    schema = pa.schema([(name, _written(path) if name == "time" else COLUMNS[name]) for name in names])
    parsing = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    with pj.open_json(path, pj.ReadOptions(block_size=BLOCK_BYTES), parsing) as reader:
        for batch in reader:
            yield _typed(batch.select(names))


def _written(path: Path) -> pa.DataType:
    """Return how times are written in a file of NDJSON: as RFC 3339, or as Unix seconds."""
    with path.open("rb") as file:
        for line in file:
            try:
                time = json.loads(line).get("time")
            except (ValueError, AttributeError, RecursionError):
                break  # the parser says what is wrong
            if time is not None:
                return pa.string() if isinstance(time, str) else pa.float64()
    return pa.string()


def _typed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with the types of ``COLUMNS``; dictionaries stay."""
    arrays: list[pa.Array] = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        expected = COLUMNS[name]
        if name == "time" and pa.types.is_floating(array.type):
            array = pc.cast(pc.round(pc.multiply(array, 1e6)), pa.int64())  # noqa: PLW2901
        if array.type != expected and not (pa.types.is_dictionary(array.type) and array.type.value_type == expected):
            array = array.cast(expected)  # noqa: PLW2901
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; times are microseconds since 1970, and invalid UTF-8 is replaced."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.int64()).to_pylist())
    if pa.types.is_string(column.type):
        # Files are not trusted to contain valid UTF-8, and pyarrow does not check it.
        return [one if one is None else one.decode("utf-8", "replace") for one in column.cast(pa.binary()).to_pylist()]
    return list(column.to_pylist())


def records(table: pa.Table | pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a small table, as ``values`` returns them."""
    return zip(*(values(column) for column in table.columns), strict=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


__all__ = ["BATCH_ROWS", "COLUMNS", "TIME", "batches", "records", "values"]
