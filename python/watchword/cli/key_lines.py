"""The lines of the commands that ask issuers for their keys again and again."""

from __future__ import annotations

import time

from watchword import KeySet
from watchword.cli.command_error import CommandError
from watchword.cli.terminal import count, escaped
from watchword.cli.times import utc

#: Between two attempts, in seconds: the longest is a year, as what waits has a limit.
_SHORTEST, _LONGEST = 1, 365 * 86400

_LONGEST_NAME = 64


def check_interval(option: str, seconds: float) -> None:
    """Raise :class:`CommandError` unless an option's value can be the time between two attempts."""
    if not _SHORTEST <= seconds <= _LONGEST:
        raise CommandError(f"{option} must be from {_SHORTEST} to {_LONGEST} seconds.")


def key_line(issuer: str, found: KeySet | str) -> str:
    """Return a line with the time, the issuer, and its keys or what happened instead."""
    if not isinstance(found, str):
        names = ", ".join(_cut(key.key_id or key.thumbprint) for key in found)
        found = f"{count(len(found), 'key')}: {names}"
    return f"{utc(time.time())}  {escaped(issuer)}  {found}"


def _cut(name: str) -> str:
    # A kid may be as long as a key set.
    return escaped(name[:_LONGEST_NAME]) + ("…" if len(name) > _LONGEST_NAME else "")


__all__ = ["check_interval", "key_line"]
