"""One record of a key archive, and its line."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword import _kernel
from watchword.jwks.events import printable
from watchword.limits import MAX_KEY_SET_BYTES

#: The longest line, in bytes without its newline: a key set of the greatest size whose text is escaped to ASCII.
MAX_LINE_BYTES = 3 * MAX_KEY_SET_BYTES + 65536

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


_REQUIRED = {
    ArchiveEvent.SEEN: {"digest"},
    ArchiveEvent.ABSENT: {"thumbprint"},
    ArchiveEvent.UNREACHABLE: set[str](),
    ArchiveEvent.COMPROMISED: {"thumbprint"},
}
_OPTIONAL = {
    ArchiveEvent.SEEN: {"keys"},
    ArchiveEvent.ABSENT: {"key_id"},
    ArchiveEvent.UNREACHABLE: {"detail"},
    ArchiveEvent.COMPROMISED: {"key_id", "since", "note"},
}
_COMMON = {"seq", "prev", "time", "issuer", "event", "source"}


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
    """Return compact JSON in ASCII, DEL escaped too."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("\x7f", "\\u007f").encode("ascii")


def parse_line(line: bytes) -> ArchiveRecord:
    """Return the record of a line, without its newline. Raises ``ValueError`` that says what is wrong with the line."""
    members = _members(line)
    event = _event(members)
    missing = sorted((_COMMON | _REQUIRED[event]) - members.keys())
    if missing:
        raise ValueError(f"the record has no member {missing[0]!r}, which a record of the event {event.value!r} needs")
    unknown = sorted(members.keys() - _COMMON - _REQUIRED[event] - _OPTIONAL[event])
    if unknown:
        raise ValueError(f"the record has the unknown member '{printable(unknown[0])}' (event {event.value!r})")
    keys = members.get("keys")
    if "keys" in members and not isinstance(keys, list):
        raise ValueError("'keys' must be an array")
    return ArchiveRecord(
        seq=_sequence_number(members["seq"]),
        prev=_matching("prev", members["prev"], _DIGEST, "a SHA-256 in lower-case hex"),
        time=_time("time", members["time"]),
        issuer=_text("issuer", members["issuer"], MAX_NAME),
        event=event,
        source=_text("source", members["source"], MAX_NAME),
        digest=_optional(members, "digest", lambda one: _matching("digest", one, _DIGEST, "a SHA-256 in hex")),
        keys=None if keys is None else tuple(keys),
        thumbprint=_optional(members, "thumbprint", check_thumbprint),
        key_id=_optional(members, "key_id", lambda one: _text("key_id", one, MAX_LINE_BYTES, empty=True)),
        since=_optional(members, "since", lambda one: _time("since", one)),
        note=_optional(members, "note", lambda one: _text("note", one, MAX_NOTE, empty=True)),
        detail=_optional(members, "detail", lambda one: _text("detail", one, MAX_NOTE, empty=True)),
    )


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
        return _kernel.decode_json_object(line)
    except ValueError as error:
        raise ValueError(f"the line is not strict JSON: {error}") from None


def _event(members: Mapping[str, Any]) -> ArchiveEvent:
    event = members.get("event")
    if isinstance(event, str):
        for known in ArchiveEvent:
            if event == known.value:
                return known
        raise ValueError(f"the event '{printable(event)}' is unknown: this version knows {', '.join(ArchiveEvent)}")
    raise ValueError("'event' must be present and a string")


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


def _optional(members: Mapping[str, Any], name: str, check: Any) -> Any:  # noqa: ANN401 - what check returns
    return check(members[name]) if name in members else None


__all__ = ["ArchiveEvent", "ArchiveRecord", "parse_line", "to_line"]
