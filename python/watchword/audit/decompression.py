"""Bytes of text files: plain, gzip (RFC 1952) or zstd (RFC 8878), by their first bytes.

A stream that is truncated or corrupt ends with an exception that says where, after everything before that place was
returned.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from watchword.audit.errors import required

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
#: The first bytes of a frame that is skipped (RFC 8878 section 3.1.2): any of 50 2a 4d 18 to 5f 2a 4d 18.
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"

_PIECE = 1 << 17
# A block of zstd has at most 128 KiB and at least 4 bytes: a piece yields at most 32 MiB.
_ZSTD_PIECE = 1 << 10


class Readable(Protocol):
    """Something with bytes to read: a file, or standard input."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


class StreamError(Exception):
    """A compressed stream is truncated or corrupt. The message says how, and where."""


class Bytes:
    """The bytes of an input after decompression, in blocks of exactly the size that is asked for, save the last.

    Raises ``OSError`` of the file, and :class:`StreamError` when everything before the damage was returned.
    """

    def __init__(self, file: Readable, name: str = "") -> None:
        self._pieces = _decompressed(file, name)
        self._rest = b""
        self._error: StreamError | None = None

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes; fewer at the end."""
        pieces, length = [self._rest], len(self._rest)
        while length < size and self._error is None:
            try:
                piece = next(self._pieces, b"")
            except StreamError as error:
                self._error = error
                break
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        block = b"".join(pieces)
        self._rest = block[size:]
        return block[:size]

    @property
    def error(self) -> StreamError | None:
        """Why the bytes ended early, if they did."""
        return self._error


def _decompressed(file: Readable, name: str) -> Iterator[bytes]:
    """Yield pieces that are not empty."""
    first = b""
    while len(first) < 4 and (more := file.read(_PIECE)):
        first += more
    if first.startswith(_GZIP):
        yield from _gunzipped(file, first)
    elif first.startswith(_ZSTD) or (first[1:4] == _ZSTD_SKIPPABLE and first[0] >> 4 == 5):
        yield from _unzstd(file, first)
    elif first and name.lower().endswith((".gz", ".zst", ".zstd")):
        raise StreamError(f"the name ends in {name[name.rindex('.') :]!r}, but the content is not compressed so")
    else:
        while first:
            yield first
            first = file.read(_PIECE)


def _gunzipped(file: Readable, data: bytes) -> Iterator[bytes]:
    before = 0  # bytes of the file before ``data``
    while data:
        if not data.startswith(_GZIP):
            raise StreamError(f"the gzip stream is followed by other data at byte {before}")
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                out = member.decompress(data, _PIECE)
            except zlib.error as error:
                raise StreamError(f"the gzip stream is corrupt after byte {before}: {_reason(error)}") from None
            if out:
                yield out
            rest = member.unused_data if member.eof else member.unconsumed_tail
            before, data = before + len(data) - len(rest), rest
            if not data and not out and not member.eof and not (data := file.read(_PIECE)):
                raise StreamError(f"the gzip stream is truncated at byte {before}")
        # Padding is allowed between members, and after the last one (as gzip(1) does).
        while len(rest := data.lstrip(b"\0")) < 2 and (more := file.read(_PIECE)):
            before, data = before + len(data) - len(rest), rest + more
        before, data = before + len(data) - len(rest), rest


def _unzstd(file: Readable, data: bytes) -> Iterator[bytes]:
    zstandard = required("zstandard")
    decompressor = zstandard.ZstdDecompressor()
    before = 0
    while data:
        frame = decompressor.decompressobj()
        while not frame.eof:
            if not data and not (data := file.read(_PIECE)):
                raise StreamError(f"the zstd stream is truncated at byte {before}")
            piece, data = data[:_ZSTD_PIECE], data[_ZSTD_PIECE:]
            try:
                out = frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise StreamError(f"the zstd stream is corrupt after byte {before}: {_reason(error)}") from None
            before += len(piece)
            for start in range(0, len(out), _PIECE):
                yield out[start : start + _PIECE]
        unused = frame.unused_data
        before -= len(unused)
        data = unused + data
        if not data:
            data = file.read(_PIECE)


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2]


__all__ = ["Bytes", "Readable", "StreamError"]
