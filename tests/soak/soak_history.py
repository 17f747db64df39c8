"""What happened while a request was in progress, and which answers are right in view of that.

The operator notes what it does; a client notes when it sent a request and when the answer came. Where something changed
meanwhile, the answers of before and of after are right; otherwise there is one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

NEVER = float("inf")


@dataclass
class Span:
    """A time between two changes: each is noted before it begins and after it is done, in monotonic seconds."""

    begins: float = NEVER
    begun: float = NEVER
    ends: float = NEVER
    ended: float = NEVER

    def all_through(self, sent: float, answered: float) -> bool:
        return self.begun < sent and answered < self.ends

    def not_at_all(self, sent: float, answered: float) -> bool:
        return answered < self.begins or self.ended < sent


class Outages:
    """The times at which something was unavailable. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[Span] = []

    @contextmanager
    def lasting(self) -> Iterator[Span]:
        """Note that an outage may begin, and at the end that it is over; the block notes the two times between."""
        span = Span(begins=time.monotonic())
        with self._lock:
            self._spans.append(span)
        yield span
        span.ended = time.monotonic()

    def touch(self, sent: float, answered: float) -> bool:
        """Return whether there may have been an outage at some time between the two."""
        return any(not span.not_at_all(sent, answered) for span in self._all())

    def cover(self, sent: float, answered: float) -> bool:
        """Return whether there was certainly an outage all the time between the two."""
        return any(span.all_through(sent, answered) for span in self._all())

    def _all(self) -> list[Span]:
        with self._lock:
            return list(self._spans)


@dataclass
class Key:
    """A key of the issuer: while it is published, and while the gate is certain to have it."""

    key_id: str
    published: Span
    known: Span


class History:
    """Keys, outages, and generations of routes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: list[Key] = []
        #: Of the endpoint of the keys.
        self.outages = Outages()
        #: The first and last moment at which the gate may have had the routes of each generation.
        self._generations: list[Span] = []
        #: Whether the partner's tokens are accepted in each generation.
        self._partner: list[bool] = []

    # The operator's side

    @contextmanager
    def publishing(self) -> Iterator[list[Key]]:
        """Note new keys, which are appended to the list, as they are published."""
        begins = time.monotonic()
        keys: list[Key] = []
        yield keys
        with self._lock:
            for key in keys:
                key.published.begins, key.published.begun = begins, time.monotonic()
                self._keys.append(key)

    @contextmanager
    def withdrawing(self, key: Key) -> Iterator[None]:
        key.published.ends = key.known.ends = time.monotonic()
        yield
        key.published.ended = time.monotonic()

    @contextmanager
    def refreshing(self) -> Iterator[None]:
        """Note that the gate fetches the keys, successfully: afterwards it has those that were published all along."""
        sent = time.monotonic()
        yield
        answered = time.monotonic()
        for key in self.all_keys():
            if key.published.begun < sent and key.known.begun == NEVER:
                key.known.begins, key.known.begun = sent, answered
            if key.published.ended < sent:
                key.known.ended = min(key.known.ended, answered)

    @contextmanager
    def reloading(self, *, toggle_partner: bool = False) -> Iterator[tuple[int, bool]]:
        """Yield the number of the generation that replaces the latest, and whether it accepts the partner's tokens."""
        with self._lock:
            now = time.monotonic()
            partner = bool(self._partner) and self._partner[-1] != toggle_partner
            self._partner.append(partner)
            if self._generations:
                self._generations[-1].ends = now
            self._generations.append(Span(begins=now))
            number = len(self._generations) - 1
        yield number, partner
        with self._lock:
            now = time.monotonic()
            self._generations[number].begun = now
            if number:
                self._generations[number - 1].ended = now

    # The clients' side

    def all_keys(self) -> list[Key]:
        with self._lock:
            return list(self._keys)

    def generations_between(self, sent: float, answered: float) -> set[int]:
        with self._lock:
            found = enumerate(self._generations)
            return {number for number, span in found if not span.not_at_all(sent, answered)}

    def accepts_partner(self, generation: int) -> bool:
        with self._lock:
            return self._partner[generation]

    def key_answers(self, key: Key, sent: float, answered: float) -> set[str]:
        """Return the codes that are right for a valid token by this key."""
        if key.known.all_through(sent, answered):
            return {"allowed"}
        if key.known.ended < sent:
            return {"unknown_key", "keys_unavailable"} if self.outages.touch(sent, answered) else {"unknown_key"}
        # The gate fetches the keys for it, unless a fetch from before is in flight, or one has just failed.
        return {"allowed", "unknown_key", "keys_unavailable"}
