"""Where it is remembered which proofs were used (RFC 9449 section 11.1)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from watchword._kernel import ReplayCache
from watchword.errors import ReplayUnavailableError


@runtime_checkable
class ReplayStore(Protocol):
    """A memory of proofs. One for several processes must decide in one step, as Redis' ``SET NX`` does."""

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """Uses an id of 32 bytes, and remembers it until ``expires_at``; both moments are in Unix seconds.

        Returns whether this is the first use. Raises :class:`~watchword.dpop.ReplayUnavailableError` where it cannot be
        told: the proof is then refused.
        """
        ...


@runtime_checkable
class AsyncReplayStore(Protocol):
    """The same for event loops."""

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """As :meth:`ReplayStore.consume`, waiting without blocking the event loop."""
        ...


class MemoryReplayStore:
    """The memory of one process, for any number of threads and event loops.

    It is exact, and bounded by ``capacity`` (about 100 bytes an id). Ids are forgotten when they expire, never before:
    where there is no room, new proofs are refused with :class:`~watchword.dpop.ReplayUnavailableError`.
    """

    def __init__(self, capacity: int = 1_000_000) -> None:
        """Room for ``capacity`` ids. Raises ``ValueError`` where it is not positive."""
        self._cache = ReplayCache(capacity)

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """Uses an id; see :meth:`ReplayStore.consume`."""
        first = self._cache.consume(replay_id, expires_at, now)
        if first is None:
            raise ReplayUnavailableError(f"the memory of used proofs is full: it holds {self._cache.capacity}")
        return first

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """The same: there is nothing to wait for."""
        return self.consume(replay_id, expires_at, now)

    @property
    def capacity(self) -> int:
        """How many ids there is room for."""
        return self._cache.capacity

    def __len__(self) -> int:
        """How many ids are remembered, counting some that have expired."""
        return len(self._cache)

    def __repr__(self) -> str:
        """How full it is."""
        return f"MemoryReplayStore(len={len(self)}, capacity={self.capacity})"
