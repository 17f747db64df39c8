"""Text for a terminal: nothing that a token says can steer it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2", "alarm": "1;31"}


def shown(text: object) -> str:
    """Text that somebody else chose, with everything escaped that is not plainly visible.

    That takes out the control characters with which a terminal is steered (C0, C1, DEL), line breaks, and the invisible
    ones that turn the direction of writing round.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else _escaped(ch) for ch in text)


def _escaped(ch: str) -> str:
    code = ord(ch)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def coloured(text: str, colour: str) -> str:
    """``text`` in a colour, where people look at standard output and did not ask for none (https://no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def width() -> int | None:
    """How many columns there are; ``None`` where standard output is no terminal, and nothing need be cut."""
    return max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def columns_of(text: str) -> int:
    """How many columns a terminal takes for ``text``."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def fitted(text: str, size: int) -> str:
    """``text`` in exactly ``size`` columns: filled up with spaces, or cut with an ellipsis."""
    if columns_of(text) > size:
        while text and columns_of(text) > size - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (size - columns_of(text))


def widths(rows: Iterable[Sequence[str]], limit: int | None, *, least: int = 6) -> list[int]:
    """A width for each column of a table, two spaces between; together at most ``limit``, as far as that can be."""
    sizes = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    if limit is not None:
        # What is widest gives way first, so that short columns stay whole.
        while sum(sizes) + 2 * (len(sizes) - 1) > limit and max(sizes) > least:
            sizes[sizes.index(max(sizes))] -= 1
    return sizes


def line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    """One row of a table."""
    return "  ".join(fitted(cell, size) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """A sentence over as many lines as the terminal needs, one where it is none."""
    limit = width()
    if limit is None:
        return first + text
    return "\n".join(textwrap.wrap(text, limit, initial_indent=first, subsequent_indent=rest)) or first


def count(number: int, noun: str) -> str:
    """``1 token``, ``2,000 tokens``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
