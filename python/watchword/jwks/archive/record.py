"""One record of a key archive, and its line."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchword._kernel import decode_json_object
from watchword.jwks.events import printable
from watchword.limits import MAX_KEY_SET_BYTES

#: The longest line, in bytes without its newline: a key set of the greatest size, each byte of which is escaped.
MAX_LINE_BYTES = 6 * MAX_KEY_SET_BYTES + 65536

#: The ``prev`` of the first record.
NO_DIGEST = "0" * 64

#: The latest time of a record, in Unix seconds: the end of the year 9999.
MAX_TIME = 253402300799

MAX_NAME = 2048
MAX_NOTE = 1000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class ArchiveEvent(enum.StrEnum):
    """The kinds of records. The values are stable."""

    SEEN = "seen"
    """The issuer published this key set."""
    ABSENT = "absent"
    """A key of the set before is not in the one just seen."""
    UNREACHABLE = "unreachable"
    """The key set could not be obtained."""
    COMPROMISED = "compromised"
    """The operator marked a key as compromised."""


_COMMON = frozenset({"seq", "prev", "time", "issuer", "event", "source"})

#: The members that a record of each event has, and those that it may have.
_MEMBERS = {
    event: (_COMMON | needed, _COMMON | needed | optional)
    for event, needed, optional in (
        (ArchiveEvent.SEEN, {"digest"}, {"keys"}),
        (ArchiveEvent.ABSENT, {"thumbprint"}, {"key_id"}),
        (ArchiveEvent.UNREACHABLE, set[str](), {"detail"}),
        (ArchiveEvent.COMPROMISED, {"thumbprint"}, {"key_id", "since", "note"}),
    )
}
_EVENTS = {event.value: event for event in ArchiveEvent}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRecord:
    """A record of a key archive. Times are Unix seconds.

    ``seq`` counts from 0; ``prev`` is the SHA-256 (lower-case hex) of the line before; ``source`` is where the
    observation comes from. ``digest`` is the SHA-256 of the key set that was seen, and ``keys`` its keys if it differs
    from the last one seen of that issuer. ``thumbprint`` (RFC 7638) and ``key_id`` name the key that is absent or
    compromised; ``since`` is the time from when on uses of a compromised key do not count (``None``: all).
    """

    seq: int
    prev: str
    time: float
    issuer: str
    event: ArchiveEvent
    source: str
    digest: str | None = None
    keys: tuple[Any, ...] | None = field(default=None, repr=False, hash=False)
    thumbprint: str | None = None
    key_id: str | None = None
    since: float | None = None
    note: str | None = None
    detail: str | None = None


def to_line(record: ArchiveRecord) -> bytes:
    """Return the line of a record, without the newline."""
    members: dict[str, Any] = {
        "seq": record.seq,
        "time": record.time,
        "issuer": record.issuer,
        "event": record.event.value,
        "source": record.source,
    }
    for name in ("digest", "keys", "thumbprint", "key_id", "since", "note", "detail"):
        value = getattr(record, name)
        if value is not None:
            members[name] = list(value) if name == "keys" else value
    members["prev"] = record.prev
    return to_ascii(members)


def to_ascii(value: object) -> bytes:
    """Return compact JSON in ASCII."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def parse_line(line: bytes) -> ArchiveRecord:
    """Return the record of a line, without its newline. Raises ``ValueError`` that says what is wrong with the line."""
    members = _members(line)
    event = _event(members.get("event"))
    needed, allowed = _MEMBERS[event]
    if not needed <= members.keys():
        name = min(needed - members.keys())
        raise ValueError(f"the record has no member {name!r}, which a record of the event {event.value!r} needs")
    if not members.keys() <= allowed:
        name = printable(min(members.keys() - allowed))
        raise ValueError(f"the record has the unknown member '{name}' (event {event.value!r})")
    return ArchiveRecord(**{name: _CHECKS[name](value) for name, value in members.items()})


def check_time(what: str, value: float) -> float:
    """Return a time that a caller gave.

    Raises ``TypeError`` or ``ValueError``, naming ``what``, unless it is one in Unix seconds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number of Unix seconds")
    return _time(what, value)


def check_thumbprint(value: object) -> str:
    """Return a thumbprint. Raises ``ValueError`` unless it has the form of one."""
    return _matching("thumbprint", value, _THUMBPRINT, "an RFC 7638 thumbprint: 43 characters of base64url")


def check_name(what: str, value: str) -> str:
    """Return an issuer or a source that a caller gave. Raises ``TypeError`` or ``ValueError``, naming ``what``."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string")
    return _text(what, value, MAX_NAME)


def _members(line: bytes) -> dict[str, Any]:
    if not line:
        raise ValueError("the line is empty")
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if line.startswith(b"\xef\xbb\xbf"):
        raise ValueError("the line begins with a byte order mark: an archive is plain ASCII")
    if not line.isascii():
        place = next(place for place, byte in enumerate(line) if byte > 0x7F)
        raise ValueError(f"the line is not ASCII: byte {place + 1} is 0x{line[place]:02x}")
    if line.endswith(b"\r"):
        raise ValueError("the line ends with CR LF: an archive has LF line ends, and must not be converted")
    if not line.startswith(b"{") or not line.endswith(b"}"):
        raise ValueError("the line is not a JSON object, without anything before and after it")
    try:
        return decode_json_object(line)
    except ValueError as error:
        raise ValueError(f"the line is not strict JSON: {error}") from None


def _event(value: object) -> ArchiveEvent:
    if isinstance(value, str):
        if value in _EVENTS:
            return _EVENTS[value]
        raise ValueError(f"the event '{printable(value)}' is unknown: this version knows {', '.join(_EVENTS)}")
    raise ValueError("'event' must be present and a string")


def _keys(value: object) -> tuple[Any, ...]:
    if isinstance(value, list):
        return tuple(value)
    raise ValueError("'keys' must be an array")


def _sequence_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError("'seq' must be a whole number from 0")
    return value


def _time(what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{what!r} must be a number of Unix seconds")
    if not 0 <= value <= MAX_TIME:
        raise ValueError(f"{what!r} must be in Unix seconds, from 0 to {MAX_TIME}")
    return value


def _text(what: str, value: object, limit: int, *, empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > limit or not (value or empty):
        raise ValueError(
            f"{what!r} must be a string{'' if empty else ' that is not empty'}, of {limit:,} characters at most"
        )
    return value


def _matching(what: str, value: object, pattern: re.Pattern[str], form: str) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{what!r} must be {form}")
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "seq": _sequence_number,
    "prev": lambda value: _matching("prev", value, _DIGEST, "a SHA-256 in lower-case hex"),
    "time": lambda value: _time("time", value),
    "issuer": lambda value: _text("issuer", value, MAX_NAME),
    "event": _event,
    "source": lambda value: _text("source", value, MAX_NAME),
    "digest": lambda value: _matching("digest", value, _DIGEST, "a SHA-256 in lower-case hex"),
    "keys": _keys,
    "thumbprint": check_thumbprint,
    "key_id": lambda value: _text("key_id", value, MAX_LINE_BYTES, empty=True),
    "since": lambda value: _time("since", value),
    "note": lambda value: _text("note", value, MAX_NOTE, empty=True),
    "detail": lambda value: _text("detail", value, MAX_NOTE, empty=True),
}


__all__ = ["ArchiveEvent", "ArchiveRecord", "parse_line", "to_line"]
