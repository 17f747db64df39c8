"""What a key source reports to its operator: counters, and an event for everything that happens."""

from __future__ import annotations

import collections
import enum
from dataclasses import dataclass
from typing import Any, Protocol


class EventKind(str, enum.Enum):
    """The kinds of :class:`KeyEvent`. The values are stable."""

    FETCH_STARTED = "fetch_started"
    FETCH_SUCCEEDED = "fetch_succeeded"
    FETCH_FAILED = "fetch_failed"
    """The answer was no key set, or did not come in time. The set that is held stays, within its bounds. The first
    failure of an outage is logged too."""
    ANSWER_DISCARDED = "answer_discarded"
    """A slow old answer came after a newer one."""
    FILE_FAILED = "file_failed"
    """A key file can't be read, or holds no keys. The set that is held stays. Once for each reason, and logged."""
    SET_CHANGED = "set_changed"
    """``added`` and ``removed`` say which keys (kid, or thumbprint where there is none)."""
    KEYS_REJECTED = "keys_rejected"
    """A new set holds keys that are not used; ``detail`` says which and why."""
    STALE_SET_USED = "stale_set_used"
    """A set past its lifetime is used. Once for each set, and logged; ``Stats.stale_uses`` counts on."""
    SET_EXPIRED = "set_expired"
    """The set is past ``max_stale`` and could not be renewed: it is no longer used. Once for each set, and logged."""
    RECOVERED = "recovered"
    """Keys were fetched (or read) again after any of these. Logged."""
    UNKNOWN_KEY = "unknown_key"
    """A token names a key that the set does not hold; ``detail`` says what is done about it. One for each such token,
    so that their senders choose how many there are."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class KeyEvent:
    """Something happened to an issuer's keys. Holds no token and no key; a kid is cut and escaped, as its sender
    chose it; a URL is without its query.
    """

    kind: EventKind
    issuer: str
    detail: str = ""
    url: str | None = None
    key_id: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stats:
    """The counters of one issuer's keys since its Verifier was made, and how things stand now."""

    fetches: int = 0
    """Attempts begun (of a file: times it was read)."""
    failures: int = 0
    """Attempts that brought nothing usable."""
    not_modified: int = 0
    """Answers that were the set already held (304, or the same bytes again)."""
    discarded: int = 0
    """Answers that came after a newer one."""
    set_changes: int = 0
    """Times that a set with other keys replaced the one held; the first set counts."""
    stale_uses: int = 0
    """Look-ups answered with a set past its lifetime (not counted to the last one: counting takes no lock)."""
    waits: int = 0
    """Look-ups that had to wait for an attempt."""
    waits_refused: int = 0
    """Look-ups that would have waited, but were answered at once, as ``max_waiters`` others were waiting."""
    unavailable: int = 0
    """Look-ups that ended without keys."""
    unknown_keys: int = 0
    """Look-ups for a kid that the set does not hold."""
    cooldown_refusals: int = 0
    """Those of them that neither fetched nor waited, as the cooldown's fetches are spent or the endpoint is down."""
    negative_hits: int = 0
    """Those of them whose kid the endpoint was asked for within the cooldown, and did not know."""
    negative_size: int = 0
    """Kids now remembered as unknown, each for a cooldown."""
    keys: int = 0
    """Keys in the set now held."""
    rejected_keys: int = 0
    """Keys that were left out of it."""
    age: float | None = None
    """Seconds since the set now held was asked for; ``None`` without one, and for a set in memory."""
    consecutive_failures: int = 0
    """Failed attempts since the last good one."""
    fetching: bool = False
    """Whether an attempt is in flight."""


class Counters:
    """Counts what is named as in :class:`Stats`. Not thread-safe."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()

    def add(self, name: str) -> None:
        """One more."""
        self._counts[name] += 1

    def snapshot(self, **now: Any) -> Stats:  # noqa: ANN401 - Stats says what each of them is
        """The counts, beside how things stand now."""
        return Stats(**{**self._counts, **now})


class Listener(Protocol):
    """What ``on_event`` may be: called with each event, in the thread in which it happens. It must not block."""

    def __call__(self, event: KeyEvent, /) -> object:
        """Take an event. What it returns is ignored, what it raises is logged."""
        ...


def notify(listener: Listener | None, *events: KeyEvent) -> None:
    """Pass events to the operator's callback. What it raises is logged and goes no further."""
    if listener is None:
        return
    for event in events:
        try:
            listener(event)
        except Exception:
            import logging

            logging.getLogger("watchword").exception("on_event raised for %s", event.kind.value)


def printable(text: str, limit: int = 64) -> str:
    """Text that somebody else chose, made fit for a log line."""
    cut = text[:limit]
    escaped = cut if cut.isascii() and cut.isprintable() else ascii(cut)[1:-1]
    return escaped + ("…" if len(text) > limit else "")


__all__ = ["EventKind", "KeyEvent", "Listener", "Stats"]
