"""From a chunk of rows to its verdicts: what a worker does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from watchword.audit.arrow_values import strings, zeros
from watchword.audit.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watchword.audit.auditor import Auditor
    from watchword.audit.inputs import Input
    from watchword.audit.units import Chunk, Columns


@dataclass(frozen=True, slots=True)
class Audited:
    """A chunk, its verdicts as they are to be written, and how many there are of each."""

    chunk: Chunk
    rows: pa.RecordBatch | pa.Buffer | bytes | None
    counts: Counts


class BatchAuditor:
    """Verifies chunks and adds where each row comes from. May be used by any number of threads."""

    def __init__(
        self, auditor: Auditor, inputs: Sequence[Input], columns: Columns, output_format: str = "parquet"
    ) -> None:
        self._auditor, self._columns, self._format = auditor, columns, output_format
        self._paths = [strings([one.name]) for one in inputs]

    def schema(self) -> pa.Schema:
        """Return the columns of the output."""
        types = {use: pa.float64() if use == "time" else pa.string() for use in self._columns.present}
        return self._with_origin(strings([""]), pa.arange(0, 0), self._verify(_empty(types))).schema

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        """Raise ``ValueError`` if columns of these types cannot be verified."""
        self._verify(_empty(types))

    def verdicts(self, chunk: Chunk) -> pa.RecordBatch:
        """Return the verdicts of a chunk that has rows, with the file and the row of each."""
        return self._with_origin(self._paths[chunk.input], chunk.rows, self._verify(chunk.batch))

    def audit(self, chunk: Chunk) -> Audited:
        """Return what is to be written for a chunk."""
        if chunk.batch is None or not chunk.batch.num_rows:
            return Audited(chunk, None, Counts(unreadable=len(chunk.unreadable)))
        verdicts = self.verdicts(chunk)
        counts = Counts.of_batch(verdicts)
        counts.unreadable = len(chunk.unreadable)
        if self._format == "parquet":
            return Audited(chunk, verdicts, counts)
        from watchword.audit.ndjson import to_ndjson

        return Audited(chunk, to_ndjson(verdicts), counts)

    def _verify(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        names = self._columns.present
        request = {use: use for use in ("method", "uri", "proof") if use in names}
        time = "time" if self._columns.at is None else self._columns.at
        return pa.record_batch(self._auditor.verify_batch(batch, token="token", time=time, **request))  # noqa: S106 - the name of a column

    def _with_origin(self, path: pa.Array, rows: pa.Array, verdicts: pa.RecordBatch) -> pa.RecordBatch:
        file = pa.DictionaryArray.from_arrays(zeros(len(rows)), path)
        fields = [pa.field("file", file.type, nullable=False), pa.field("row", pa.int64(), nullable=False)]
        schema = pa.schema([*fields, *verdicts.schema])
        return pa.RecordBatch.from_arrays([file, rows, *verdicts.columns], schema=schema)


def _empty(types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in types.values()], names=list(types))


__all__ = ["Audited", "BatchAuditor"]
