"""From what was seen of an issuer's keys to the keys accepted as of each time: the rules of docs/key-archive.md."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from watchword._kernel import KeySet
from watchword.jwks.archive.history import IssuerHistory
from watchword.jwks.archive.key_list import RecordedKey
from watchword.jwks.archive.layers import KeySets
from watchword.jwks.archive.rules import KeyRules, KeyState

_ORDER = {state: place for place, state in enumerate(KeyState)}

#: From when (inclusive) until when (exclusive) a key is in a state.
KeyInterval = tuple[float, float, KeyState]


@dataclass(frozen=True)
class KeyEpoch:
    """A time from ``start`` (Unix seconds) to the next epoch's, within which nothing changes.

    ``layers`` are key sets with the state of their keys, in the order in which they are tried; a state may have
    several. If there is none but ``compromised``, no record covers that time.
    """

    start: float
    layers: tuple[tuple[KeyState, KeySet], ...]

    @property
    def is_covered(self) -> bool:
        """Whether a record says which keys the issuer had."""
        return any(state is not KeyState.COMPROMISED for state, _ in self.layers)


@dataclass(frozen=True, kw_only=True)
class KeyLifetime:
    """A key's appearance in the polls of an archive. Times are Unix seconds.

    ``first_seen`` and ``last_seen`` are those of polls that listed it; ``absent_since`` is that of the first poll
    after ``last_seen``, ``None`` if there is none. ``compromised_since`` is ``-inf`` for a key that never counts,
    ``None`` for one that is not compromised. ``intervals`` are its states as (from, until, state), in order, without
    those times in which it is not accepted.
    """

    key_id: str | None
    thumbprint: str
    algorithms: tuple[str, ...]
    first_seen: float
    last_seen: float
    absent_since: float | None
    compromised_since: float | None
    intervals: tuple[KeyInterval, ...]


@dataclass(frozen=True, kw_only=True)
class KeyTimeline:
    """The keys of one issuer over time, by an archive.

    ``epochs`` are sorted by their start, the first at ``-inf``. ``lifetimes`` are those of all keys, in the order in
    which they were first seen. ``gaps`` are the times, longer than ``rules.max_gap``, between two polls.
    """

    issuer: str
    rules: KeyRules
    epochs: tuple[KeyEpoch, ...]
    lifetimes: tuple[KeyLifetime, ...] = field(repr=False)
    gaps: tuple[tuple[float, float], ...] = field(repr=False)

    def at(self, time: float) -> KeyEpoch:
        """Return the epoch of a time in Unix seconds. Raises ``ValueError`` if it is NaN."""
        if math.isnan(time):
            raise ValueError("time must be a number of Unix seconds, not NaN")
        return self.epochs[bisect.bisect_right(self.epochs, time, key=lambda epoch: epoch.start) - 1]


@dataclass(frozen=True, slots=True)
class _Run:
    """Polls in a row that saw the same keys, none more than ``max_gap`` after the one before."""

    first: float
    last: float
    keys: frozenset[RecordedKey]


def timeline(history: IssuerHistory, rules: KeyRules | None = None) -> KeyTimeline:
    """Return the keys that are accepted as of each time, by the records of one issuer.

    ``IssuerHistory(issuer, records)`` makes the history from records;
    :meth:`KeyArchive.timeline <watchword.jwks.archive.KeyArchive.timeline>` has it already.
    """
    rules = rules or KeyRules()
    keys = history.all_keys()
    runs = list(_runs(history, rules.max_gap))
    places = _places(runs)
    lives = tuple(_lifetime(key, places[key], runs, rules, history.compromised.get(key.thumbprint)) for key in keys)
    gaps = tuple(
        (before.last, after.first)
        for before, after in itertools.pairwise(runs)
        if after.first - before.last > rules.max_gap
    )
    covered = (runs[0].first - rules.lead, runs[-1].last + rules.max_gap) if runs else None
    epochs = _epochs(keys, lives, covered)
    return KeyTimeline(issuer=history.issuer, rules=rules, epochs=epochs, lifetimes=lives, gaps=gaps)


def _states(
    places: Sequence[int], runs: Sequence[_Run], rules: KeyRules, compromised_since: float | None
) -> Iterator[KeyInterval]:
    """Yield the states of the key that the runs at these places list: the rules.

    If two overlap, the one that :func:`_strongest` prefers counts.
    """
    end = runs[-1].last + rules.max_gap
    for before, place, after in zip([None, *places], places, [*places[1:], None], strict=False):
        run = runs[place]
        yield run.first, run.last, KeyState.LISTED
        if place == 0 or before != place - 1:
            yield run.first - rules.lead, run.first, KeyState.EARLY
        if place > 0 and before != place - 1:
            yield runs[place - 1].last, run.first, KeyState.UNCERTAIN
        if place == len(runs) - 1:
            yield run.last, end, KeyState.UNCERTAIN
            continue
        following = runs[place + 1].first
        if after == place + 1:
            is_near = following - run.last <= rules.max_gap
            yield run.last, following, KeyState.LISTED if is_near else KeyState.UNCERTAIN
        else:
            yield run.last, following, KeyState.UNCERTAIN
            yield following, min(following + rules.tolerance, end), KeyState.WITHDRAWN
    if compromised_since is not None:
        yield compromised_since, math.inf, KeyState.COMPROMISED


def _runs(history: IssuerHistory, max_gap: float) -> Iterator[_Run]:
    first = last = 0.0
    current: tuple[RecordedKey, ...] | None = None
    as_sets = {id(keys): frozenset(keys) for keys in history.key_sets}
    for time, keys in history.polls():
        if current is None:
            first, current = time, keys
        elif keys is not current or time - last > max_gap:
            yield _Run(first, last, as_sets[id(current)])
            first, current = time, keys
        last = time
    if current is not None:
        yield _Run(first, last, as_sets[id(current)])


def _places(runs: Iterable[_Run]) -> dict[RecordedKey, list[int]]:
    """Return the places of the runs that list each key."""
    found: dict[RecordedKey, list[int]] = {}
    for place, run in enumerate(runs):
        for key in run.keys:
            found.setdefault(key, []).append(place)
    return found


def _lifetime(
    key: RecordedKey, places: Sequence[int], runs: Sequence[_Run], rules: KeyRules, compromised_since: float | None
) -> KeyLifetime:
    last = places[-1]
    return KeyLifetime(
        key_id=key.key_id,
        thumbprint=key.thumbprint,
        algorithms=key.algorithms,
        first_seen=runs[places[0]].first,
        last_seen=runs[last].last,
        absent_since=runs[last + 1].first if last + 1 < len(runs) else None,
        compromised_since=compromised_since,
        intervals=tuple(_strongest(_states(places, runs, rules, compromised_since))),
    )


def _strongest(intervals: Iterable[KeyInterval]) -> Iterator[KeyInterval]:
    """Yield intervals that do not overlap, merged: compromise first, and then the state that is tried first."""
    changes: list[tuple[float, int, int]] = []
    for start, end, state in intervals:
        if start < end:
            rank = -1 if state is KeyState.COMPROMISED else _ORDER[state]
            changes += [(start, rank, 1), (end, rank, -1)]
    changes.sort()
    states = {-1: KeyState.COMPROMISED, **{place: state for state, place in _ORDER.items()}}
    counts = dict.fromkeys(states, 0)
    since, now = -math.inf, None
    for time, group in itertools.groupby(changes, key=lambda change: change[0]):
        for _, rank, step in group:
            counts[rank] += step
        best = min((rank for rank, count in counts.items() if count), default=None)
        if best != now:
            if now is not None:
                yield since, time, states[now]
            since, now = time, best


def _epochs(
    keys: Sequence[RecordedKey], lives: Sequence[KeyLifetime], covered: tuple[float, float] | None
) -> tuple[KeyEpoch, ...]:
    changes: list[tuple[float, int, KeyState | None]] = []
    for place, life in enumerate(lives):
        changes += [(end, place, None) for _, end, _ in life.intervals if end < math.inf]
        changes += [(start, place, state) for start, _, state in life.intervals]
    begins, ends = covered or (math.inf, math.inf)
    # ``None`` first, so that what ends and begins at the same time has begun; -1 is no key, but a time to look at.
    changes += [(time, -1, None) for time in (-math.inf, begins, ends) if time < math.inf]
    changes.sort(key=lambda change: (change[0], change[1], change[2] is not None))
    sets, current = KeySets(), dict[int, KeyState]()
    epochs: list[KeyEpoch] = []
    for time, group in itertools.groupby(changes, key=lambda change: change[0]):
        for _, place, state in group:
            if state is None:
                current.pop(place, None)
            else:
                current[place] = state
        layers = _layers(keys, current, sets, is_covered=begins <= time < ends)
        if not epochs or layers != epochs[-1].layers:
            epochs.append(KeyEpoch(float(time), layers))
    return tuple(epochs)


def _layers(
    keys: Sequence[RecordedKey], current: dict[int, KeyState], sets: KeySets, *, is_covered: bool
) -> tuple[tuple[KeyState, KeySet], ...]:
    found: dict[KeyState, list[RecordedKey]] = {}
    for place in sorted(current):
        found.setdefault(current[place], []).append(keys[place])
    if is_covered and not found.keys() - {KeyState.COMPROMISED}:
        found[KeyState.LISTED] = []  # a record says that the issuer had no other key
    return tuple((state, one) for state in KeyState if state in found for one in sets.of(found[state]))


__all__ = ["KeyEpoch", "KeyLifetime", "KeyTimeline", "timeline"]
