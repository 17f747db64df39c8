"""What a key source reports to its operator: events and counters."""

from __future__ import annotations

import collections
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from watchword._kernel import KeySet


class EventKind(enum.StrEnum):
    """The kinds of :class:`KeyEvent`. The values are stable."""

    FETCH_STARTED = "fetch_started"
    FETCH_SUCCEEDED = "fetch_succeeded"
    FETCH_FAILED = "fetch_failed"
    """The answer was not a key set, or did not arrive in time. The cached set stays in use, within its bounds. The
    first failure of an outage is logged too."""
    ANSWER_DISCARDED = "answer_discarded"
    """A slow answer arrived after that of a later attempt."""
    FILE_FAILED = "file_failed"
    """A key file can't be read, or is not a key set. The cached set stays in use. Once for each reason, and logged."""
    SET_CHANGED = "set_changed"
    """``added`` and ``removed`` list the keys (kid, or thumbprint if there is no kid)."""
    KEYS_REJECTED = "keys_rejected"
    """A new set has keys that are not used; ``detail`` lists them and the reasons."""
    STALE_SET_USED = "stale_set_used"
    """A set past its lifetime is used. Once for each set, and logged; ``Stats.stale_uses`` counts on."""
    SET_EXPIRED = "set_expired"
    """The set is past ``max_stale`` and could not be renewed: it is no longer used. Once for each set, and logged."""
    RECOVERED = "recovered"
    """Keys were fetched (or read) again after any of these. Logged."""
    UNKNOWN_KEY = "unknown_key"
    """A token names a key that the set does not have; ``detail`` says whether a fetch was started. One for each such
    token, so that their senders control the number."""


@dataclass(frozen=True, kw_only=True)
class KeyEvent:
    """An event of an issuer's key cache.

    It contains no token; a kid is truncated and escaped, as its sender chose it; a URL is without its query. ``keys``
    is the set that the issuer published, of the kinds ``fetch_succeeded`` and ``set_changed``; it is not in the repr.
    """

    kind: EventKind
    issuer: str
    detail: str = ""
    url: str | None = None
    key_id: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    keys: KeySet | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Stats:
    """The counters of one issuer's keys since its Verifier was made, and the state of its key cache now."""

    fetches: int = 0
    """Attempts started (of a file: times it was read)."""
    failures: int = 0
    """Failed attempts."""
    not_modified: int = 0
    """Answers with the cached set (304, or the same bytes again)."""
    discarded: int = 0
    """Answers that arrived after that of a later attempt."""
    set_changes: int = 0
    """Times that a set with other keys replaced the cached one, the first set included."""
    stale_uses: int = 0
    """Look-ups answered with a set past its lifetime (approximate: counting takes no lock)."""
    waits: int = 0
    """Look-ups that had to wait for an attempt."""
    waits_rejected: int = 0
    """Look-ups that did not wait as ``max_waiters`` others were waiting."""
    unavailable: int = 0
    """Look-ups that ended without keys."""
    unknown_keys: int = 0
    """Look-ups for a kid that the set does not have."""
    cooldown_rejections: int = 0
    """Those of them that neither fetched nor waited: within the cooldown, or during the back-off."""
    negative_hits: int = 0
    """Those of them whose kid was in the negative cache."""
    negative_size: int = 0
    """Kids now in the negative cache, each for a cooldown."""
    keys: int = 0
    """Keys in the cached set."""
    rejected_keys: int = 0
    """Rejected keys of the cached set."""
    age: float | None = None
    """Seconds since the cached set was requested; ``None`` without one, and for a set in memory."""
    expires_in: float | None = None
    """Seconds until the cached set has expired, the end of ``max_stale``, from when on it is not used; 0 after that.
    ``None`` without one, and for a file and a set in memory, which never expire."""
    refresh_in: float | None = None
    """Seconds until the cached set is refreshed in the background; 0 if that is due, or fails at present. ``None``
    without one, and for a file and a set in memory."""
    consecutive_failures: int = 0
    """Failed attempts since the last successful one."""
    fetching: bool = False
    """Whether an attempt is in flight."""


class Counters:
    """Counters with the names of :class:`Stats`. Not thread-safe."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()

    def add(self, name: str) -> None:
        """Increment a counter."""
        self._counts[name] += 1

    def snapshot(self, **now: Any) -> Stats:  # noqa: ANN401 - the fields of Stats
        """Return the counters with the values of ``now``."""
        return Stats(**{**self._counts, **now})


class Listener(Protocol):
    """What ``on_event`` may be: called with each event, in the thread in which it happens. It must not block."""

    def __call__(self, event: KeyEvent, /) -> object:
        """Take an event. What it returns is ignored, what it raises is logged."""
        ...


def notify(listener: Listener | None, *events: KeyEvent) -> None:
    """Pass events to the operator's callback. What it raises is logged."""
    if listener is None:
        return
    for event in events:
        try:
            listener(event)
        except Exception:
            import logging

            logging.getLogger("watchword").exception("on_event raised for %s", event.kind.value)


def printable(text: str, limit: int = 64) -> str:
    """Return text that somebody else chose, truncated and escaped for a log line."""
    cut = text[:limit]
    escaped = cut if cut.isascii() and cut.isprintable() else ascii(cut)[1:-1]
    return escaped + ("…" if len(text) > limit else "")


__all__ = ["EventKind", "KeyEvent", "Listener", "Stats"]
