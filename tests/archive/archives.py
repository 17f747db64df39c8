"""Keys with names, and archives of polls that saw them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import endpoint

from watchword import KeySet
from watchword.jwks.archive import ArchiveWriter, KeyArchive, KeyRules, KeyState, KeyTimeline

ISSUER = "https://as.example"


@cache
def key(name: str) -> endpoint.Key:
    """The key of a name: ``a1`` and ``a2`` are two keys with the kid ``a``."""
    return endpoint.Key(name[0])


def thumbprint(name: str) -> str:
    (one,) = KeySet.from_json(key(name).jwk)
    return one.thumbprint


def key_set(names: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    return {"keys": [key(name).jwk for name in names]}


def write(path: str, polls: Iterable[tuple[float, str | None]], compromised: Mapping[str, float | None] = {}) -> None:
    """Write an archive of polls: a time, and the names of the keys that were seen (``None``: no answer)."""
    end = 0.0
    with ArchiveWriter(path) as writer:
        for time, names in polls:
            if names is None:
                writer.record_unreachable(ISSUER, "no complete answer in time", time)
            else:
                writer.record_key_set(ISSUER, key_set(names.split()), time)
            end = time
        for name, since in compromised.items():
            writer.record_compromised(ISSUER, thumbprint(name), since=since, time=max(end, since or 0))


def timeline_of(
    path: str, polls: Iterable[tuple[float, str | None]], compromised: Mapping[str, float | None] = {}, **rules: float
) -> KeyTimeline:
    write(path, polls, compromised)
    return KeyArchive.open(path).timeline(ISSUER, KeyRules(**rules))


def states(timeline: KeyTimeline, time: float, names: Iterable[str]) -> dict[str, KeyState]:
    """The state of each key at a time, of those that are in a layer."""
    by_thumbprint = {thumbprint(name): name for name in names}
    found: dict[str, KeyState] = {}
    for state, keys in timeline.at(time).layers:
        for one in keys:
            name = by_thumbprint[one.thumbprint]
            assert name not in found, f"{name} is in two layers"
            found[name] = state
    return found
