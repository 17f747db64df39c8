"""Keys that were given as they are."""

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
        """The set."""
        return self._keys

    def request(self) -> Pending[KeySet]:
        """The set."""
        return Pending(self.current)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """There is none."""
        del seen, key_ids
        return Pending(lambda: None)

    def refresh(self) -> Pending[KeySet]:
        """The set."""
        return Pending(self.current)

    def stats(self) -> Stats:
        """The number of keys; nothing else ever counts."""
        return Stats(keys=len(self._keys), rejected_keys=len(self._keys.rejected))

    def close(self) -> None:
        """Nothing to do."""


__all__ = ["MemorySource"]
