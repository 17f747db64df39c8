"""The timeline against another statement of its rules, which looks at all polls for each time."""

from __future__ import annotations

import itertools
import math

import archives
from archives import ISSUER, states, thumbprint
from hypothesis import given
from hypothesis import strategies as st

from watchword.jwks.archive import ArchiveEvent, ArchiveRecord, IssuerHistory, KeyRules, KeyState, timeline
from watchword.jwks.archive.key_list import digest_of, keys_of_document

NAMES = ("a1", "a2", "b", "c")
Polls = list[tuple[int, frozenset[str]]]


def expected(polls: Polls, name: str, time: float, rules: KeyRules, since: float | None) -> KeyState | None:
    """The rules of docs/key-archive.md, each as a sentence about one key and one time."""
    if since is not None and time >= since:
        return KeyState.COMPROMISED
    if not polls or time >= polls[-1][0] + rules.max_gap:
        return None
    had = [name in seen for _, seen in polls]
    times = [at for at, _ in polls]
    before = max((place for place, at in enumerate(times) if at <= time), default=None)
    found = set()
    if before is not None and before + 1 < len(polls):
        if had[before] and had[before + 1]:
            near = times[before + 1] - times[before] <= rules.max_gap
            found.add(KeyState.LISTED if near else KeyState.UNCERTAIN)
        elif had[before] or had[before + 1]:
            found.add(KeyState.UNCERTAIN)
    elif before is not None and had[before]:
        found.add(KeyState.UNCERTAIN)
    for place, at in enumerate(times):
        was = place > 0 and had[place - 1]
        if had[place] and not was and at - rules.lead <= time < at:
            found.add(KeyState.EARLY)
        if was and not had[place] and at <= time < at + rules.tolerance:
            found.add(KeyState.WITHDRAWN)
    return next((state for state in KeyState if state in found), None)


def history_of(polls: Polls, compromised: dict[str, float | None]) -> IssuerHistory:
    history = IssuerHistory(ISSUER)
    common = {"seq": 0, "prev": "", "issuer": ISSUER, "source": "x"}
    for time, seen in polls:
        keys = keys_of_document(archives.key_set(sorted(seen)))
        history.add(ArchiveRecord(**common, time=time, event=ArchiveEvent.SEEN, digest=digest_of(keys), keys=keys))
    for name, since in compromised.items():
        marked = {"event": ArchiveEvent.COMPROMISED, "thumbprint": thumbprint(name), "since": since}
        history.add(ArchiveRecord(**common, time=10_000, **marked))
    return history


# Of two keys with one kid a set uses the first only, so that they are never seen together.
SEEN = st.frozensets(st.sampled_from(NAMES)).map(lambda seen: seen - {"a2"} if "a1" in seen else seen)
POLLS = st.lists(st.tuples(st.integers(0, 40), SEEN), max_size=8).map(
    lambda polls: sorted(polls, key=lambda one: one[0])
)
RULES = st.builds(KeyRules, lead=st.integers(0, 15), tolerance=st.integers(0, 15), max_gap=st.integers(0, 15))
COMPROMISED = st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(0, 50), max_size=2)


@given(POLLS, RULES, COMPROMISED)
def test_the_state_of_each_key_at_each_time(
    polls: Polls, rules: KeyRules, compromised: dict[str, float | None]
) -> None:
    line = timeline(history_of(polls, compromised), rules)
    ever = {name for _, seen in polls for name in seen}
    for half in range(-40, 130):
        time = half / 2
        found = states(line, time, NAMES)
        for name in NAMES:
            since = compromised.get(name, math.inf)
            wanted = expected(polls, name, time, rules, -math.inf if since is None else since)
            assert found.get(name) == (wanted if name in ever else None), (name, time)
        covered = bool(polls) and polls[0][0] - rules.lead <= time < polls[-1][0] + rules.max_gap
        assert line.at(time).is_covered is covered


@given(POLLS, RULES, COMPROMISED)
def test_the_form_of_a_timeline(polls: Polls, rules: KeyRules, compromised: dict[str, float | None]) -> None:
    line = timeline(history_of(polls, compromised), rules)
    assert line.epochs[0].start == -math.inf
    for before, after in itertools.pairwise(line.epochs):
        assert before.start < after.start
        assert before.layers != after.layers
    order = list(KeyState)
    for epoch in line.epochs:
        ranks = [order.index(state) for state, _ in epoch.layers]
        assert ranks == sorted(ranks)
    for life in line.lifetimes:
        for (_, end, state), (start, _, following) in itertools.pairwise(life.intervals):
            assert end < start or (end == start and state != following)
