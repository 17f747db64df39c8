"""The chunks of all inputs, one input after the other, from a place on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.audit.digests import Digests, File, StandardInput
from watchword.audit.units import Chunk, Columns, Limits, Position, Unreadable, without_empty_end

if TYPE_CHECKING:
    import threading

    import pyarrow as pa

    from watchword.audit.inputs import Input


@dataclass(frozen=True, slots=True)
class Source:
    """The inputs of an audit, and how they are read.

    ``check`` raises ``ValueError`` if columns of these types cannot be verified.
    """

    inputs: Sequence[Input]
    columns: Columns
    limits: Limits
    digests: Digests
    stop: threading.Event
    check: Callable[[dict[str, pa.DataType]], None]

    def chunks(self, first: int = 0, start: Position | None = None) -> Iterator[Chunk]:
        """Yield the chunks from the input ``first`` on, and of this one from ``start`` on.

        An input that cannot be read is an unreadable row. Raises :class:`AuditError` if one changed meanwhile.
        """
        for index in range(first, len(self.inputs)):
            place = start if index == first and start is not None else Position()
            one = self.inputs[index]
            self.digests.begin(one)
            yield from without_empty_end(self._read(index, one, place))
            self.digests.check_unchanged(one)

    def _read(self, index: int, one: Input, start: Position) -> Iterator[Chunk]:
        here = start
        try:
            for chunk in self._chunks(index, one, start):
                here = chunk.end or here
                yield chunk
        except OSError as error:
            reason = f"the file can't be read: {error.strerror or error}"
            yield Chunk(index, unreadable=(Unreadable(None, reason),), end=here, last=True)

    def _chunks(self, index: int, one: Input, start: Position) -> Iterator[Chunk]:
        if one.format == "parquet":
            from watchword.audit.parquet_reader import read_parquet

            yield from read_parquet(index, one.path, self.columns, self.limits, start=start, check=self.check)
            return
        file: StandardInput | File
        if one.is_standard_input:
            file = StandardInput(self.digests.begin(one), self.stop)
            yield from self._text(index, one, file, start)
            file.read_rest()
            return
        with contextlib.closing(File(one.path)) as file:
            yield from self._text(index, one, file, start)

    def _text(self, index: int, one: Input, file: StandardInput | File, start: Position) -> Iterator[Chunk]:
        from watchword.audit.decompression import Bytes
        from watchword.audit.text_reader import read_text

        return read_text(
            index,
            one.format,
            Bytes(file, one.path),
            self.columns,
            self.limits,
            start=start,
            progress=lambda: file.position,
        )


__all__ = ["Source"]
