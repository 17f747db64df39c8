"""Arrow arrays of a few Python values.

``pyarrow.array`` and ``pyarrow.scalar`` import pandas, if it is installed, to recognise its objects. That takes 40 MiB,
which an audit has better uses for.
"""

from __future__ import annotations

import array
import itertools
from collections.abc import Sequence

import pyarrow as pa


def strings(values: Sequence[str | None]) -> pa.Array:
    """Return an array of strings."""
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = array.array("i", itertools.accumulate(map(len, encoded), initial=0))
    valid = None
    if None in values:
        bits = sum(1 << place for place, value in enumerate(values) if value is not None)
        valid = pa.py_buffer(bits.to_bytes(len(values) // 8 + 1, "little"))
    buffers = [valid, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def text(value: str) -> pa.Scalar:
    """Return a string as what the functions of ``pyarrow.compute`` take."""
    return strings([value])[0]


def zeros(count: int) -> pa.Array:
    """Return so many zeros, as the indices of a dictionary."""
    return pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(bytes(4 * count))])


__all__ = ["strings", "text", "zeros"]
