"""The state machine of a key cache, a function of clocks alone: no threads, no network, no locks.

A set passes through three times, all counted from when it was *asked for* (RFC 9111 section 4.2.3 counts so too: an
answer may be as old as its question):

    fresh   until ``fresh_until``                 used at once
    stale   until ``fresh_until + max_stale``     used while refresh fails
    dead    from then on                          never used

At most one *attempt* to get a newer set is in flight. Attempts for unknown kids come from a token bucket. The source
(``remote.py``) calls it under a lock and follows the decisions.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from watchword._kernel import KeySet
from watchword.jwks.settings import CacheSettings

# A fetch that outlives its time-out (a client that does not keep to it, a resolver that hangs) is given up and may be
# replaced. Its thread can't be ended from outside, so no more than so many of them are left behind at any time.
MAX_GIVEN_UP = 2

# The number of fetches for unknown kids that may follow each other; each cooldown adds one. With one, a key
# that is published right after a fetch (some issuers make the key of an algorithm when it is first used) would stay
# unknown for a cooldown.
UNKNOWN_BURST = 2

# What the source stores with a set.
Origin = TypeVar("Origin")


@dataclass(frozen=True)
class Held(Generic[Origin]):
    """A set, and what is known about its age. Replaced whole, never changed, so it can be read without the lock."""

    keys: KeySet
    origin: Origin
    sequence: int
    asked_at: float
    due_at: float
    fresh_until: float
    dead_at: float


@dataclass(eq=False)
class Attempt:
    """One try to get a newer set. A later one has a higher ``sequence``."""

    sequence: int
    started_at: float
    deadline: float


@dataclass(frozen=True)
class Decision(Generic[Origin]):
    """``held``: the set that may be used at once, if any. ``start``: begin an attempt. ``wait``: the seconds to wait at
    most for the attempt in flight (0: do not wait). ``limited``: at most ``max_waiters`` callers may wait at a time.
    """

    held: Held[Origin] | None
    start: bool = False
    wait: float = 0.0
    limited: bool = False


@dataclass
class Freshness(Generic[Origin]):
    """The state of one issuer's keys."""

    settings: CacheSettings
    # Not the generator that all of a program shares: what it draws, and when, is the program's own affair.
    uniform: Callable[[float, float], float] = random.SystemRandom().uniform
    held: Held[Origin] | None = None
    attempt: Attempt | None = None
    failures: int = 0
    """Failed attempts in a row."""
    _retry_at: float = -math.inf
    _sequence: int = 0
    _given_up: set[int] = field(default_factory=set)
    _unknown_left: int = UNKNOWN_BURST
    _unknown_refill_at: float = math.inf

    # Decisions.

    def decide(self, now: float) -> Decision[Origin]:
        """Decide for a caller who needs keys."""
        held = self.usable(now)
        if held is None:
            # No usable set. During the back-off nobody waits: that would be one time-out after another. The first
            # attempt is waited for by all, as a cold start has many callers; after a failure by a few, so that an
            # endpoint that hangs doesn't block every thread of the process.
            start = self._may_start(now)
            return Decision(None, start, self._longest_wait(now, start=start), limited=self.failures > 0)
        start = now >= held.due_at and self._may_start(now)
        # Past its lifetime, and nobody has asked since (a suspended machine, a fork): the endpoint gets a short grace,
        # unless it is known to be failing.
        untried = start and self.failures == 0 and now >= held.fresh_until
        return Decision(held, start, self.settings.grace if untried else 0.0)

    def decide_unknown(self, now: float, seen: KeySet) -> Decision[Origin]:
        """Decide for a caller whose kid is not in the set ``seen``. ``held`` is a newer set, if there is one.

        ``start`` takes from the bucket: begin the attempt with ``for_unknown=True``.
        """
        held = self.usable(now)
        if held is None or held.keys is not seen:
            return Decision(held)
        self._refill(now)
        start = self._unknown_left > 0 and self._may_start(now)
        wait = self._longest_wait(now, start=start)
        if self.failures:
            # Otherwise invented kids could block threads for as long as the endpoint hangs.
            wait = min(wait, self.settings.grace)
        return Decision(None, start, wait, limited=True)

    def decide_forced(self, now: float) -> Decision[Origin]:
        """Decide for an operator who asks for a refresh: no cooldown, no back-off, but never a second attempt."""
        start = self.attempt is None and len(self._given_up) < MAX_GIVEN_UP
        return Decision(None, start, self._longest_wait(now, start=start))

    def usable(self, now: float) -> Held[Origin] | None:
        """The set, unless it is dead."""
        return self.held if self.held is not None and now < self.held.dead_at else None

    def settled_until(self, now: float) -> float:
        """Return until when ``decide`` returns the held set and nothing to do, if nothing happens before.

        A moment in the past if it does not say so; never beyond the moment at which a fresh set gets stale.
        """
        held = self.usable(now)
        if held is None:
            return -math.inf
        until = held.fresh_until if now < held.fresh_until else held.dead_at
        if self.attempt is not None:
            return min(until, self.attempt.deadline)
        if len(self._given_up) >= MAX_GIVEN_UP:
            return until
        return min(until, max(held.due_at, self._retry_at))

    def next_look(self) -> float | None:
        """Return when ``decide`` (or ``give_up_overdue``) may next have something to do, if it is not called before."""
        if self.attempt is not None:
            return self.attempt.deadline
        if (self.held is None and not self.failures) or len(self._given_up) >= MAX_GIVEN_UP:
            return None
        return max(self._retry_at, self.held.due_at if self.held is not None else -math.inf)

    # Attempts.

    @property
    def sequence(self) -> int:
        """That of the last attempt begun (0: none)."""
        return self._sequence

    def begin(self, now: float, *, for_unknown: bool = False) -> Attempt:
        """Begin the attempt that a decision asked for; one ``for_unknown`` kids takes from their bucket."""
        if self.attempt is not None:
            raise RuntimeError("an attempt is in flight")
        if for_unknown:
            if self._unknown_left == UNKNOWN_BURST:
                self._unknown_refill_at = now + self.settings.cooldown
            self._unknown_left -= 1
        self._sequence += 1
        self.attempt = Attempt(self._sequence, now, now + self.settings.timeout)
        return self.attempt

    def succeed(self, attempt: Attempt, keys: KeySet, lifetime: float, origin: Origin) -> bool:
        """Take the set of a successful attempt. Return ``False`` if a later one succeeded before: it is dropped."""
        self._end(attempt)
        if self.held is not None and self.held.sequence > attempt.sequence:
            return False
        fresh_until = attempt.started_at + lifetime
        ahead = self.settings.refresh_ahead * self.uniform(0.9, 1.0)
        self.held = Held(
            keys=keys,
            origin=origin,
            sequence=attempt.sequence,
            asked_at=attempt.started_at,
            due_at=attempt.started_at + lifetime * ahead,
            fresh_until=fresh_until,
            dead_at=fresh_until + self.settings.max_stale,
        )
        self.failures = 0
        self._retry_at = -math.inf
        return True

    def fail(self, attempt: Attempt, now: float) -> None:
        """Count a failed attempt. One that was given up has been counted already."""
        if self._end(attempt):
            self._back_off(now)

    def give_up_overdue(self, now: float) -> Attempt | None:
        """Give up the attempt in flight, and return it, if it is past its deadline: it counts as failed."""
        attempt = self.attempt
        if attempt is None or now < attempt.deadline:
            return None
        self.attempt = None
        self._given_up.add(attempt.sequence)
        self._back_off(now)
        return attempt

    def forget_attempts(self) -> None:
        """Forget them, after a fork: their threads are in the other process."""
        self.attempt = None
        self._given_up.clear()

    def _end(self, attempt: Attempt) -> bool:
        self._given_up.discard(attempt.sequence)
        if self.attempt is not attempt:
            return False
        self.attempt = None
        return True

    def _back_off(self, now: float) -> None:
        self.failures += 1
        longest = min(self.settings.backoff_cap, self.settings.backoff_base * 2.0 ** min(self.failures, 64))
        self._retry_at = now + self.uniform(0.0, longest)

    def _refill(self, now: float) -> None:
        """Refill the bucket by one for each cooldown since the first fetch from a full one, successful or not."""
        while self._unknown_left < UNKNOWN_BURST and now >= self._unknown_refill_at:
            self._unknown_left += 1
            self._unknown_refill_at += self.settings.cooldown

    def _may_start(self, now: float) -> bool:
        return self.attempt is None and now >= self._retry_at and len(self._given_up) < MAX_GIVEN_UP

    def _longest_wait(self, now: float, *, start: bool) -> float:
        if start:
            return self.settings.timeout
        return max(0.0, self.attempt.deadline - now) if self.attempt is not None else 0.0
