"""Text for a terminal, which nothing in a token can control."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from watchword import printable

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2", "alarm": "1;31"}


def escaped(text: object) -> str:
    """Return untrusted text with all non-printable characters escaped.

    These are the control characters that steer a terminal (C0, C1, DEL), line breaks, and the invisible ones that
    change the direction of writing.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else printable.escaped(ch) for ch in text)


def coloured(text: str, colour: str) -> str:
    """Return ``text`` in a colour if standard output is a terminal and colour is not disabled (https://no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def width() -> int | None:
    """Return the width of the terminal in columns; ``None`` if standard output is not one, and nothing is truncated."""
    return max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def columns_of(text: str) -> int:
    """Return the number of columns that ``text`` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def fitted(text: str, size: int) -> str:
    """Return ``text`` in exactly ``size`` columns: padded with spaces, or truncated with an ellipsis."""
    if columns_of(text) > size:
        while text and columns_of(text) > size - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (size - columns_of(text))


def widths(rows: Iterable[Sequence[str]], limit: int | None, *, least: int = 6) -> list[int]:
    """Return a width for each column of a table, two spaces between; together at most ``limit`` if possible."""
    sizes = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    if limit is not None:
        # The widest column shrinks first, so that short columns stay complete.
        while sum(sizes) + 2 * (len(sizes) - 1) > limit and max(sizes) > least:
            sizes[sizes.index(max(sizes))] -= 1
    return sizes


def line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    """Return one row of a table."""
    return "  ".join(fitted(cell, size) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """Return a sentence wrapped to the width of the terminal; one line if there is none."""
    limit = width()
    if limit is None:
        return first + text
    return "\n".join(textwrap.wrap(text, limit, initial_indent=first, subsequent_indent=rest)) or first


def count(number: int, noun: str) -> str:
    """Return ``1 token``, ``2,000 tokens``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
