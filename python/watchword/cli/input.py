"""Tokens from standard input, one a line: however many there are, only one block of them is in memory."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import IO

from watchword.cli.command_error import CommandError

_BLOCK = 1 << 20
# Longer than any token that is looked at, so that what is cut off can't make a bad one good.
_LONGEST = 1 << 16

Numbered = tuple[int, bytes]


def blocks_of_lines(stream: IO[bytes]) -> Iterator[list[Numbered]]:
    """Lines with their numbers, from 1, in blocks: as many as there were when the stream was read.

    So a pipe that brings one line now and then is answered line by line. White space round a line is not part of the
    token; empty lines are left out, but count.
    """
    number = 0
    rest = b""
    while block := _read(stream):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[:_LONGEST]
        yield _numbered(lines, number)
        number += len(lines)
    if rest:
        yield _numbered([rest], number)


def standard_input(what: str) -> IO[bytes]:
    """Standard input as bytes. A person who sits before it is told that it is waited for."""
    if sys.stdin is None:
        raise CommandError(f"there is no standard input. Give {what} as arguments.")
    if sys.stdin.isatty():
        print(f"Reading {what} from standard input, one a line; end with Ctrl-D.", file=sys.stderr)
    return sys.stdin.buffer


def _read(stream: IO[bytes]) -> bytes:
    # read1 returns what is there, where read would wait for a whole block.
    return stream.read1(_BLOCK) if isinstance(stream, io.BufferedReader) else stream.read(_BLOCK)


def _numbered(lines: list[bytes], before: int) -> list[Numbered]:
    stripped = ((number, line.strip(b" \t\r")) for number, line in enumerate(lines, before + 1))
    return [(number, line) for number, line in stripped if line]
