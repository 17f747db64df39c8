"""The rules by which a key is accepted as of a time, as tables."""

from __future__ import annotations

import math

import archives
import pytest
from archives import ISSUER, states, thumbprint, timeline_of

from watchword import KeySet
from watchword.jwks import CacheSettings
from watchword.jwks.archive import ArchiveWriter, IssuerHistory, KeyArchive, KeyRules, KeyState, timeline

RULES = {"lead": 10, "tolerance": 30, "max_gap": 100}

ROTATION = [(1000, "a"), (1050, "a b"), (1100, "a b"), (1150, "b"), (1200, "b")]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (-math.inf, {}),
        (0, {}),
        (989.9, {}),
        (990, {"a": "early"}),
        (999.9, {"a": "early"}),
        (1000, {"a": "listed", "b": "uncertain"}),
        (1049.9, {"a": "listed", "b": "uncertain"}),
        (1050, {"a": "listed", "b": "listed"}),
        (1099.9, {"a": "listed", "b": "listed"}),
        (1100, {"a": "uncertain", "b": "listed"}),
        (1149.9, {"a": "uncertain", "b": "listed"}),
        (1150, {"a": "withdrawn", "b": "listed"}),
        (1179.9, {"a": "withdrawn", "b": "listed"}),
        (1180, {"b": "listed"}),
        (1200, {"b": "uncertain"}),
        (1299.9, {"b": "uncertain"}),
        (1300, {}),
        (1e12, {}),
        (math.inf, {}),
    ],
)
def test_a_rotation(path: str, time: float, expected: dict[str, str]) -> None:
    assert states(timeline_of(path, ROTATION, **RULES), time, "ab") == expected


#: What is seen, when, and the state of the keys then.
CASES = {
    "further back than the poll that lacked it": ([(0, "a"), (95, "a"), (100, "a b")], 92, "a listed, b early"),
    "before the lead": ([(0, "a"), (95, "a"), (100, "a b")], 89, "a listed"),
    "a gap between two polls that saw it": ([(0, "a"), (101, "a")], 50, "a uncertain"),
    "the longest time between two polls": ([(0, "a"), (100, "a")], 50, "a listed"),
    "a gap in which it disappeared": ([(0, "a b"), (500, "b")], 250, "a uncertain, b uncertain"),
    "a gap in which it appeared": ([(0, "a"), (500, "a b")], 250, "a uncertain, b uncertain"),
    "unreachable is no observation": ([(0, "a"), (50, None), (100, "a")], 60, "a listed"),
    "unreachable does not fill a gap": ([(0, "a"), (60, None), (120, "a")], 60, "a uncertain"),
    "unreachable does not prolong the end": ([(0, "a"), (50, None), (90, None)], 101, ""),
    "a key that comes back is accepted": ([(0, "a"), (50, "b"), (90, "b"), (100, "a b")], 60, "a withdrawn, b listed"),
    "early before withdrawn": ([(0, "a"), (50, "b"), (60, "b"), (65, "a b")], 57, "a early, b listed"),
    "uncertain before withdrawn": ([(0, "a"), (50, "b"), (70, "a b")], 60, "a uncertain, b listed"),
    "withdrawn ends with the records": ([(0, "a"), (100, "b")], 131, "b uncertain"),
    "an issuer without keys": ([(0, "a"), (10, ""), (90, "")], 60, ""),
    "the same kid, another key": ([(0, "a1"), (50, "a2"), (90, "a2")], 60, "a1 withdrawn, a2 listed"),
    "the same kid, both uncertain": ([(0, "a1"), (50, "a2"), (90, "a2")], 30, "a1 uncertain, a2 uncertain"),
    "two polls at one time": ([(0, "a"), (50, "a"), (50, "a b"), (90, "a b")], 50, "a listed, b listed"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_case(path: str, case: str) -> None:
    polls, time, expected = CASES[case]
    names = {name for _, seen in polls if seen for name in seen.split()}
    found = states(timeline_of(path, polls, **RULES), time, names)
    assert ", ".join(f"{name} {state}" for name, state in sorted(found.items())) == expected


#: The polls, which key is compromised since when, the time of use, the states.
COMPROMISES = {
    "before since": ({"a": 1075}, 1074.9, {"a": "listed", "b": "listed"}),
    "from since on": ({"a": 1075}, 1075, {"a": "compromised", "b": "listed"}),
    "after its withdrawal": ({"a": 1075}, 1250, {"a": "compromised", "b": "uncertain"}),
    "after the last record": ({"a": 1075}, 1e12, {"a": "compromised"}),
    "always": ({"a": None}, 1000, {"a": "compromised", "b": "uncertain"}),
    "always, before the first record": ({"a": None}, 5, {"a": "compromised"}),
    "since after its withdrawal": ({"a": 1170}, 1160, {"a": "withdrawn", "b": "listed"}),
    "in its tolerance": ({"a": 1170}, 1175, {"a": "compromised", "b": "listed"}),
}


@pytest.mark.parametrize("case", COMPROMISES)
def test_a_compromised_key(path: str, case: str) -> None:
    compromised, time, expected = COMPROMISES[case]
    assert states(timeline_of(path, ROTATION, compromised, **RULES), time, "ab") == expected


def test_of_two_compromises_the_earlier_counts(path: str) -> None:
    archives.write(path, ROTATION)
    with ArchiveWriter(path) as writer:
        for since in (1120, 1060, 1110):
            writer.record_compromised(ISSUER, thumbprint("a"), since=since, time=1300)
    line = KeyArchive.open(path).timeline(ISSUER)
    assert (states(line, 1059, "ab")["a"], states(line, 1060, "ab")["a"]) == (KeyState.LISTED, KeyState.COMPROMISED)


def test_compromise_is_of_the_key_whatever_its_kid(path: str) -> None:
    with ArchiveWriter(path) as writer:
        jwk = archives.key("a").jwk
        writer.record_key_set(ISSUER, {"keys": [jwk, {**jwk, "kid": "again"}]}, 0)
        writer.record_key_set(ISSUER, {"keys": [jwk, {**jwk, "kid": "again"}]}, 50)
        writer.record_compromised(ISSUER, thumbprint("a"), key_id="a", since=20, time=50)
    line = KeyArchive.open(path).timeline(ISSUER)
    assert [(state, len(keys)) for state, keys in line.at(10).layers] == [("listed", 2)]
    assert [(state, len(keys)) for state, keys in line.at(30).layers] == [("listed", 0), ("compromised", 2)]


def test_compromise_is_of_one_issuer(path: str) -> None:
    with ArchiveWriter(path) as writer:
        for issuer in (ISSUER, "https://other.example"):
            writer.record_key_set(issuer, archives.key_set("a"), 0)
        writer.record_compromised(ISSUER, thumbprint("a"), time=0)
    archive = KeyArchive.open(path)
    assert states(archive.timeline(ISSUER), 5, "a") == {"a": "compromised"}
    assert states(archive.timeline("https://other.example"), 5, "a") == {"a": "uncertain"}


def test_whether_a_record_covers_a_time(path: str) -> None:
    line = timeline_of(path, [(100, "a"), (150, ""), (200, "")], {"a": None}, **RULES)
    assert [(time, line.at(time).is_covered) for time in (89, 90, 120, 190, 299, 300)] == [
        (89, False),
        (90, True),
        (120, True),
        (190, True),
        (299, True),
        (300, False),
    ]


def test_without_records_no_time_is_covered() -> None:
    line = KeyArchive.from_lines([]).timeline("https://nobody.example")
    assert [(epoch.start, epoch.layers) for epoch in line.epochs] == [(-math.inf, ())]
    assert (line.lifetimes, line.gaps) == ((), ())


def test_keys_with_one_kid_in_one_state_are_in_two_sets(path: str) -> None:
    line = timeline_of(path, [(0, "a1 b"), (50, "a2 b"), (90, "a2 b")], **RULES)
    layers = line.at(25).layers
    assert [state for state, _ in layers] == ["listed", "uncertain", "uncertain"]
    assert all(not keys.rejected for _, keys in layers)


def test_keys_that_are_too_long_or_too_many_for_one_set_are_in_several(path: str) -> None:
    long = [{**archives.key("a").jwk, "kid": f"{number}" + "k" * 400_000} for number in range(4)]
    many = [{**archives.key("a").jwk, "kid": f"{number}"} for number in range(200)]
    with ArchiveWriter(path) as writer:
        for time, keys in enumerate((long[:2], long[2:], many, [{**key, "kid": "x" + key["kid"]} for key in many])):
            writer.record_key_set(ISSUER, {"keys": keys}, time)
    line = KeyArchive.open(path).timeline(ISSUER)
    layers = line.at(3).layers
    assert sum(len(keys) for state, keys in layers if state is KeyState.WITHDRAWN) == 204
    assert all(not keys.rejected for epoch in line.epochs for _, keys in epoch.layers)


def test_epochs_begin_only_where_something_changes(path: str) -> None:
    """A year of polls every five minutes, with twelve rotations, in a few dozen epochs."""
    history = IssuerHistory(ISSUER)
    archives.write(path, [(300.0 * month, f"{'abcdefghijklm'[month]}") for month in range(12)])
    seen = [record for record in KeyArchive.open(path).records if record.digest]
    for poll in range(105_120):
        record = seen[poll * 12 // 105_120]
        history.add(
            type(record)(
                seq=poll,
                prev=record.prev,
                time=300.0 * poll,
                issuer=ISSUER,
                event=record.event,
                source="x",
                digest=record.digest,
                keys=record.keys,
            )
        )
    line = timeline(history)
    assert len(line.epochs) <= 4 * 12 + 2
    assert len({id(keys) for epoch in line.epochs for _, keys in epoch.layers}) <= 3 * 12
    assert all(before.layers != after.layers for before, after in zip(line.epochs, line.epochs[1:], strict=False))


def test_a_flapping_endpoint_makes_no_epochs(path: str) -> None:
    """Two servers behind one URL, one of which has the new key."""
    line = timeline_of(path, [(10 * poll, "a b" if poll % 2 else "a") for poll in range(40)], **RULES)
    assert states(line, 200, "ab") == {"a": "listed", "b": "uncertain"}
    assert len(line.epochs) < 8


def test_key_sets_of_equal_content_are_one_object(path: str) -> None:
    line = timeline_of(path, [(0, "a"), (50, "a b"), (100, "a"), (200, "a"), (250, "a")], **RULES)
    sets = [keys for epoch in line.epochs for state, keys in epoch.layers if state is KeyState.LISTED]
    assert len(sets) > len({id(keys) for keys in sets})


def test_lifetimes(path: str) -> None:
    line = timeline_of(path, [*ROTATION, (1400, "b")], {"b": 1120, "a": None}, **RULES)
    a, b = line.lifetimes
    assert (a.key_id, a.first_seen, a.last_seen, a.absent_since, a.compromised_since) == (
        "a",
        1000,
        1100,
        1150,
        -math.inf,
    )
    assert (b.key_id, b.first_seen, b.last_seen, b.absent_since, b.compromised_since) == ("b", 1050, 1400, None, 1120)
    assert b.intervals == ((1000, 1050, "uncertain"), (1050, 1120, "listed"), (1120, math.inf, "compromised"))
    assert line.gaps == ((1200, 1400),)


def test_rejected_keys_are_recorded_and_not_in_a_layer(path: str) -> None:
    weak = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"}
    future = {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "future"}
    with ArchiveWriter(path) as writer:
        writer.record_key_set(ISSUER, {"keys": [archives.key("a").jwk, weak, future, 7]}, 0)
    archive = KeyArchive.open(path)
    (record,) = archive.records
    assert weak in record.keys
    assert future in record.keys
    assert 7 in record.keys
    assert states(archive.timeline(ISSUER), 0, "a") == {"a": "uncertain"}


def test_the_layers_verify(path: str) -> None:
    line = timeline_of(path, ROTATION, **RULES)
    ((_, keys),) = line.at(995).layers
    assert isinstance(keys, KeySet)
    assert keys.get("a").thumbprint == thumbprint("a")


def test_the_states_are_in_the_order_in_which_they_are_tried() -> None:
    assert list(KeyState) == ["given", "listed", "uncertain", "early", "withdrawn", "compromised"]


def test_the_tolerance_is_how_long_a_verifier_may_use_a_withdrawn_key() -> None:
    settings = CacheSettings()
    assert KeyRules().tolerance == settings.max_ttl + settings.max_stale == 7200
    assert (KeyRules().lead, KeyRules().max_gap) == (0, 86400)


@pytest.mark.parametrize(
    ("rules", "error"),
    [({"lead": -1}, ValueError), ({"tolerance": math.inf}, ValueError), ({"max_gap": math.nan}, ValueError),
     ({"lead": "1"}, TypeError), ({"lead": True}, TypeError)],
)  # fmt: skip
def test_invalid_rules(rules, error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(rules))):
        KeyRules(**rules)


def test_no_time_is_not_a_time(path: str) -> None:
    with pytest.raises(ValueError, match="NaN"):
        timeline_of(path, ROTATION).at(math.nan)
