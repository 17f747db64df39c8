"""Key sets of the keys that are in the same state at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from watchword._kernel import KeySet
from watchword.jwks.archive.key_list import RecordedKey
from watchword.limits import MAX_KEYS


class KeySets:
    """Makes key sets, each content once: epochs with the same keys share the object, and with it its tables."""

    def __init__(self) -> None:
        self._made: dict[tuple[RecordedKey, ...], tuple[KeySet, ...]] = {}

    def of(self, keys: Sequence[RecordedKey]) -> tuple[KeySet, ...]:
        """Return key sets that together have these keys; one, unless two keys have the same ``kid`` and algorithm."""
        wanted = tuple(keys)
        if wanted not in self._made:
            self._made[wanted] = tuple(_key_set(group) for group in _groups(wanted))
        return self._made[wanted]


def _groups(keys: Sequence[RecordedKey]) -> list[list[RecordedKey]]:
    """Return the keys in groups, none of which a key set would reject a key of."""
    groups: list[list[RecordedKey]] = []
    names: list[set[tuple[str, str]]] = []
    for key in keys:
        # Any number of keys may have no kid.
        own = {(key.key_id, algorithm) for algorithm in key.algorithms if key.key_id is not None}
        for place, group in enumerate(groups):
            if len(group) < MAX_KEYS and names[place].isdisjoint(own):
                group.append(key)
                names[place] |= own
                break
        else:
            groups.append([key])
            names.append(own)
    return groups or [[]]


def _key_set(keys: Sequence[RecordedKey]) -> KeySet:
    return KeySet.from_json(f'{{"keys":[{",".join(key.jwk for key in keys)}]}}')


__all__ = ["KeySets"]
