"""Key sets of the keys that are in the same state at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from watchword._kernel import KeySet
from watchword.jwks.archive.key_list import RecordedKey
from watchword.limits import MAX_KEY_SET_BYTES, MAX_KEYS

#: What a JWK Set has around its keys, in bytes.
_AROUND = len('{"keys":[]}')


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


class _Group:
    """Keys that a key set takes together: not too many, not too long, none with the name of another."""

    def __init__(self) -> None:
        self.keys: list[RecordedKey] = []
        self._names: set[tuple[str, str]] = set()
        self._bytes = 0

    def takes(self, key: RecordedKey) -> bool:
        """Add the key, and return whether it fits."""
        # Any number of keys may have no kid.
        names = {(key.key_id, algorithm) for algorithm in key.algorithms if key.key_id is not None}
        size = self._bytes + len(key.jwk.encode()) + 1
        is_full = len(self.keys) == MAX_KEYS or size > MAX_KEY_SET_BYTES - _AROUND
        if self.keys and (is_full or not self._names.isdisjoint(names)):
            return False
        self.keys.append(key)
        self._names |= names
        self._bytes = size
        return True


def _groups(keys: Sequence[RecordedKey]) -> list[list[RecordedKey]]:
    """Return the keys in groups, none of which a key set would reject a key of; one group if there are no keys."""
    groups = [_Group()]
    for key in keys:
        if not any(group.takes(key) for group in groups):
            groups.append(_Group())
            groups[-1].takes(key)
    return [group.keys for group in groups]


def _key_set(keys: Sequence[RecordedKey]) -> KeySet:
    # A key alone may be as long as a key set.
    return KeySet.from_json(keys[0].jwk if len(keys) == 1 else f'{{"keys":[{",".join(key.jwk for key in keys)}]}}')


__all__ = ["KeySets"]
