"""A key source of keys that are given."""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import KeySet
from watchword.jwks.events import Stats
from watchword.waiting import Pending


class MemorySource:
    """A :class:`~watchword.jwks.source.KeySource` of one set that never changes."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self) -> KeySet:
        """Return the set."""
        return self._keys

    def request(self) -> Pending[KeySet]:
        """Return the set."""
        return Pending(self.current)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Return ``None``: the set never changes."""
        del seen, key_ids
        return Pending(lambda: None)

    def refresh(self) -> Pending[KeySet]:
        """Return the set."""
        return Pending(self.current)

    def stats(self) -> Stats:
        """Return the number of keys; the other counters stay 0."""
        return Stats(keys=len(self._keys), rejected_keys=len(self._keys.rejected))

    def close(self) -> None:
        """Nothing to do."""


__all__ = ["MemorySource"]
