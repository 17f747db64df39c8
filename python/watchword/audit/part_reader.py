"""Reading parts of the output: some columns, in batches, whatever their format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

_NAME = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", "UTC")

#: The columns of the output that are read again, with their types.
_TYPES = {
    "file": _NAME,
    "row": pa.int64(),
    "time": _TIME,
    "valid": pa.bool_(),
    "code": _NAME,
    "key_state": _NAME,
    "proof_hash": pa.string(),
}

_BATCH_ROWS = 1 << 16
_BLOCK = 4 << 20


def read_part(path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a part in batches, with the types that a part has.

    Raises ``ArrowException``, ``ValueError``, ``KeyError`` or ``OSError`` if it is not a readable part.
    """
    types = pa.schema([(name, _TYPES[name]) for name in columns])
    if path.endswith(".parquet"):
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as parquet:
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=[*columns], use_threads=False):
                yield batch.select([*columns]).cast(types)
        return
    schema = pa.schema([(name, pa.string() if _TYPES[name] == _NAME else _TYPES[name]) for name in columns])
    with open(path, "rb") as file:
        if not file.read(1):
            return
        file.seek(0)
        options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        for batch in pj.open_json(file, pj.ReadOptions(use_threads=False, block_size=_BLOCK), options):
            yield batch.cast(types)


__all__ = ["read_part"]
