"""A server's own words about an error, as exceptions may keep them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

#: In characters: longer than any error description that a person would read.
MAX_LENGTH = 512

#: A part of a token that is shorter is no secret, and may well be a word.
_SHORTEST_PART = 8


def server_text(value: object, secrets: Iterable[str | None] = ()) -> str | None:
    """Return a text of a server's on one line, without control characters, and of 512 characters at most.

    ``None`` if it is no text, or empty, or if it repeats one of ``secrets``, what was sent in confidence: whole, as it
    stands in JSON, or a part of it, if dots separate the parts as in a JWT.
    """
    if not isinstance(value, str) or any(form in value for secret in secrets for form in _forms(secret)):
        return None
    # Cut before it is cleaned: a megabyte takes long.
    line = " ".join("".join(one if one.isprintable() else " " for one in value[: 4 * MAX_LENGTH]).split())
    return line[:MAX_LENGTH].rstrip() or None


def _forms(secret: str | None) -> Iterator[str]:
    if secret:
        yield secret
        yield json.dumps(secret)[1:-1]
        yield from (part for part in secret.split(".") if len(part) >= _SHORTEST_PART)


__all__ = ["MAX_LENGTH", "server_text"]
