"""Log an outage: each kind of event once, until keys are fetched again.

``on_event`` gets every event. The logger ``watchword`` gets, at WARNING, what an operator without ``on_event`` should
know: keys could not be fetched, a set past its lifetime is in use, it has expired, the outage is over.
"""

from __future__ import annotations

from watchword.jwks.events import EventKind, KeyEvent, printable

_SENTENCES = {
    EventKind.FETCH_FAILED: "could not be fetched",
    EventKind.STALE_SET_USED: "are past their lifetime and still in use",
    EventKind.SET_EXPIRED: "have expired; tokens are rejected as keys_unavailable until a fetch succeeds",
    EventKind.RECOVERED: "are available again",
    EventKind.FILE_FAILED: "could not be read from their file",
}


class Outage:
    """What has been reported of an issuer's outage. Not thread-safe."""

    def __init__(self) -> None:
        self._reported: set[EventKind] = set()

    def is_first(self, kind: EventKind) -> bool:
        """Return whether this kind of event is the first of the outage, which it begins if there is none."""
        if kind in self._reported:
            return False
        self._reported.add(kind)
        return True

    def has_reported(self, kind: EventKind) -> bool:
        """Return whether this kind of event has been reported in the outage."""
        return kind in self._reported

    def end(self) -> bool:
        """End the outage. Return whether there was one."""
        ended = bool(self._reported)
        self._reported.clear()
        return ended


def log(*events: KeyEvent) -> None:
    """Log events of an outage. Needs no lock, and never raises."""
    for event in events:
        try:
            import logging

            place = f" ({event.url})" if event.url else ""
            logging.getLogger("watchword").warning(
                "the keys of %s %s: %s%s",
                printable(event.issuer, 200),
                _SENTENCES[event.kind],
                printable(event.detail, 500),
                place,
            )
        except Exception:  # noqa: S110 - a failing handler must not affect the keys
            pass
