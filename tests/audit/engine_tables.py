"""The results of several engines as equal tables, and the examples of docs/audit-engines.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa

PAGE = Path(__file__).parents[2] / "docs" / "audit-engines.md"


def plain(data: Any) -> pa.Table:
    """Return a table with neither dictionaries nor large types or views, in one chunk."""
    table = pa.table(data)
    columns = {field.name: _plain(table[field.name]) for field in table.schema}
    return pa.table(columns).combine_chunks()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type).cast(pa.string())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", "UTC"))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return column.cast(pa.list_(pa.string()))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    return column


def example(heading: str) -> list[str]:
    """Return the Python of a section of the page; the introduction is the section with the empty heading."""
    sections = re.split(r"^## (.*)\n", f"## \n{PAGE.read_text(encoding='utf-8')}", flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2], strict=True))[heading]
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def run(blocks: list[str], names: dict[str, Any]) -> dict[str, Any]:
    """Run blocks one after the other in one module."""
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    return names
