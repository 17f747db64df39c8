"""Parse ``WWW-Authenticate`` (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Longer headers are cut off: the server chooses the length.
_MAX_LENGTH = 8192

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # the token of RFC 9110 section 5.6.2, not a secret

# Adjacent parts begin with different characters, so that backtracking is bounded.
_PIECE = re.compile(
    rf"""[ \t,]*(?:
        (?P<name>{_TOKEN})[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>{_TOKEN}))
        |(?P<scheme>{_TOKEN})(?:[ ]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$)))?
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """One challenge; its scheme and the names of its parameters are in lower case."""

    scheme: str
    parameters: dict[str, str]


def challenges(header: str) -> list[Challenge]:
    """Return the challenges of a header, up to its first syntax error. Of a repeated parameter, the first is used."""
    found: list[Challenge] = []
    position = 0
    header = header[:_MAX_LENGTH]
    while piece := _PIECE.match(header, position):
        position = piece.end()
        if piece["scheme"] is not None:
            found.append(Challenge(piece["scheme"].lower(), {}))
        elif found:
            quoted = piece["quoted"]
            value = piece["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1].parameters.setdefault(piece["name"].lower(), value)
    return found


__all__ = ["Challenge", "challenges"]
