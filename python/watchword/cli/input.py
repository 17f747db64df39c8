"""Tokens from arguments, files and standard input, one a line; only one block of them is in memory."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator, Sequence
from typing import IO

from watchword.cli.command_error import CommandError

_BLOCK = 1 << 20
# Longer than any token that is accepted, so that truncation cannot make an invalid token valid.
_LONGEST = 1 << 16

# How names of files begin or end, and tokens do not: a file that does not exist is reported, not verified as a token.
_PATH_STARTS = ("/", "./", "../", "~/")
_FILE_SUFFIXES = (".txt", ".jwt", ".jwts", ".tokens", ".list", ".log")

HELP = "a token, a file of tokens (one per line), or - for standard input (default: -); an existing file wins"

NumberedToken = tuple[int, "str | bytes"]


def blocks_of_tokens(arguments: Sequence[str]) -> Generator[list[NumberedToken], None, None]:
    """Yield the tokens that arguments name, in blocks, each with its number from 1.

    An argument is standard input if it is ``-``, a file if there is one of that name, otherwise a token. A token counts
    one, a file as many as it has lines. Raises :class:`CommandError` if a file cannot be read.
    """
    if arguments and not any(argument == "-" or _is_file(argument) for argument in arguments):
        yield list(enumerate(arguments, 1))
        return
    number = 0
    for argument in arguments or ("-",):
        if argument == "-":
            number = yield from blocks_of_lines(standard_input("tokens"), number)
        elif _is_file(argument):
            with _opened(argument) as file:
                number = yield from blocks_of_lines(file, number)
        else:
            number += 1
            yield [(number, argument)]


def blocks_of_lines(stream: IO[bytes], number: int = 0) -> Generator[list[NumberedToken], None, int]:
    """Yield lines with their numbers, counted from ``number`` + 1, in blocks of what one read returns.

    So a pipe that brings one line now and then is answered line by line. White space round a line is not part of the
    token; empty lines are skipped but numbered. Returns the number of the last line.
    """
    rest = b""
    while block := _read(stream):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[:_LONGEST]
        yield _numbered(lines, number)
        number += len(lines)
    if rest:
        yield _numbered([rest], number)
        number += 1
    return number


def standard_input(what: str) -> IO[bytes]:
    """Return standard input as bytes. On a terminal, say that it is being read."""
    if sys.stdin is None:
        raise CommandError(f"there is no standard input. Give {what} as arguments.")
    if sys.stdin.isatty():
        print(f"Reading {what} from standard input, one a line; end with Ctrl-D.", file=sys.stderr)
    return sys.stdin.buffer


def reads_standard_input(arguments: Sequence[str]) -> bool:
    """Return whether :func:`blocks_of_tokens` reads standard input for these arguments."""
    return not arguments or "-" in arguments


def _is_file(argument: str) -> bool:
    exists = os.path.exists(argument) and not os.path.isdir(argument)
    return exists or argument.startswith(_PATH_STARTS) or argument.endswith(_FILE_SUFFIXES)


def _opened(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give a token, a file of tokens, or -.") from None


def _read(stream: IO[bytes]) -> bytes:
    # read1 returns what is available; read would wait for a whole block.
    return stream.read1(_BLOCK) if isinstance(stream, io.BufferedReader) else stream.read(_BLOCK)


def _numbered(lines: list[bytes], before: int) -> list[NumberedToken]:
    stripped = ((number, line.strip(b" \t\r")) for number, line in enumerate(lines, before + 1))
    return [(number, line) for number, line in stripped if line]
