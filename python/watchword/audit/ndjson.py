"""Columns as NDJSON in ASCII: the text of a whole batch at once, without a Python object for each row."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from watchword.audit.arrow_values import strings, text, zeros
from watchword.printable import to_json

#: What a JSON string cannot contain as it is, or is not ASCII.
_SPECIAL = r"[^ !#-\[\]-~]"

_NONE, _QUOTE, _COMMA, _OPEN, _CLOSE, _ZULU = map(text, ("", '"', ", ", "[", "]", "Z"))
_NULL = strings([None])[0]


def to_ndjson(batch: pa.RecordBatch) -> pa.Buffer | bytes:
    """Return one object a row, each with a line end. Times are RFC 3339 in UTC, with microseconds."""
    if batch.num_rows == 0:
        return b""
    pieces: list[pa.Array | pa.Scalar] = []
    separator = "{"
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        pieces += [text(f"{separator}{to_json(name)}: "), _values(column)]
        separator = ", "
    lines = pc.binary_join_element_wise(*pieces, text("}\n"), _NONE, null_handling="replace", null_replacement="null")
    # The text of an array of strings is contiguous.
    offsets, content = lines.buffers()[1:]
    first, last = memoryview(offsets).cast("i")[lines.offset :: len(lines)][:2]
    return content.slice(first, last - first)


def to_rfc3339(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return times (microseconds, UTC) as ``2026-11-21T09:30:00.000000Z``."""
    # A time with its zone takes Arrow thirty times as long to print.
    texts = column.cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.replace_substring(texts, " ", "T", max_replacements=1), _ZULU, _NONE)


def _values(column: pa.Array) -> pa.Array:
    """Return the JSON text of each value; null for null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return strings([None if name is None else to_json(name) for name in column.dictionary.to_pylist()]).take(
            column.indices
        )
    if pa.types.is_string(kind):
        return pc.binary_join_element_wise(_QUOTE, _escaped(column), _QUOTE, _NONE)
    if pa.types.is_list(kind):
        return _lists(column)
    if pa.types.is_timestamp(kind):
        return pc.binary_join_element_wise(_QUOTE, to_rfc3339(column), _QUOTE, _NONE)
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), column, _NULL.cast(kind)).cast(pa.string())
    return column.cast(pa.string())


def _lists(column: pa.ListArray) -> pa.Array:
    quoted = pc.binary_join_element_wise(
        _QUOTE, _escaped(column.flatten()), _QUOTE, _NONE, null_handling="replace", null_replacement=""
    )
    # Of a slice, or with nulls, the offsets are not those of the flat values.
    lengths = pc.coalesce(pc.list_value_length(column), zeros(len(column)))
    offsets = pa.concat_arrays([zeros(1), pc.cumulative_sum(lengths).cast(pa.int32())])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, quoted), _COMMA)
    texts = pc.binary_join_element_wise(_OPEN, joined, _CLOSE, _NONE)
    return pc.if_else(column.is_valid(), texts, _NULL)


def _escaped(column: pa.Array) -> pa.Array:
    """Return strings as they are between quotation marks. Most need no change."""
    special = pc.match_substring_regex(column, _SPECIAL)
    if not pc.any(special).as_py():
        return column
    special = pc.and_kleene(special, column.is_valid())
    return pc.replace_with_mask(
        column, special, strings([to_json(name)[1:-1] for name in column.filter(special).to_pylist()])
    )


__all__ = ["to_ndjson", "to_rfc3339"]
