"""Text that is safe for every terminal, page and pipe, whoever chose it."""

from __future__ import annotations

import json


def escaped(character: str) -> str:
    r"""Return the escape of a character, such as ``\x1b`` or ``\u202e``."""
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def to_json(value: object) -> str:
    """Return a value as JSON in ASCII, on one line, DEL escaped too: it steers some terminals."""
    return json.dumps(value, allow_nan=False).replace("\x7f", "\\u007f")


__all__ = ["escaped", "to_json"]
