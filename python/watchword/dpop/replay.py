"""The replay cache: which proofs were used (RFC 9449 section 11.1)."""

from __future__ import annotations

from typing import NoReturn, Protocol, runtime_checkable

from watchword._kernel import DpopProof, ReplayCache
from watchword.errors import ReplayUnavailableError, TooManyProofsError
from watchword.waiting import Call, Pending


@runtime_checkable
class ReplayStore(Protocol):
    """A replay cache. One for several processes must check and insert atomically, as Redis' ``SET NX`` does.

    A store may also have ``retain_for(seconds)``. Every verifier that uses the store calls it with the time for which
    it accepts a proof after it was made; ids must be kept for the longest of these. Without it, all verifiers of a
    store must have the same ``max_age`` and ``leeway``.
    """

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """Use an id of 32 bytes, and keep it until ``expires_at``; both times are in Unix seconds.

        The first 16 bytes of an id identify the key of the proof, so that a store can distinguish senders. Returns
        whether this is the first use. Raises :class:`~watchword.dpop.ReplayUnavailableError` if that is unknown: the
        proof is then rejected.
        """
        ...


@runtime_checkable
class AsyncReplayStore(Protocol):
    """A replay cache for event loops."""

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """As :meth:`ReplayStore.consume`, waiting without blocking the event loop."""
        ...


class MemoryReplayStore:
    """The replay cache of one process, for any number of threads and event loops.

    It is exact, and bounded by ``capacity`` (about 150 bytes an id). Ids are removed when they expire, never before: if
    the store is full, new proofs are rejected with :class:`~watchword.dpop.ReplayUnavailableError`. No key takes more
    than ``share_per_key`` of the capacity: its further proofs are rejected with
    :class:`~watchword.dpop.TooManyProofsError`, and no other key's.

    Time never goes back: a proof that has expired by the latest ``now`` that the store was given is rejected with
    :class:`~watchword.dpop.ReplayUnavailableError`, since its id may have been used and removed.
    """

    def __init__(self, capacity: int = 1_000_000, *, share_per_key: float = 1 / 8) -> None:
        """Make room for ``capacity`` ids, and for the fraction ``share_per_key`` of them, at least one, of one key.

        Raises ``ValueError`` if ``capacity`` is not positive, or ``share_per_key`` is not above 0 and at most 1.
        """
        if not 0 < share_per_key <= 1:
            raise ValueError(
                f"share_per_key is {share_per_key!r}: it must be a fraction of the capacity, above 0 and at most 1"
            )
        self._cache = ReplayCache(capacity, max(1, int(capacity * share_per_key)))

    def retain_for(self, seconds: float) -> None:
        """Keep ids for at least ``seconds`` after their proofs were made: for as long as a verifier accepts them."""
        self._cache.retain_for(seconds)

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """Use an id; see :meth:`ReplayStore.consume`."""
        answer = self._cache.consume(replay_id, expires_at, now)
        if answer == "first":
            return True
        if answer == "again":
            return False
        if answer == "share_full":
            raise TooManyProofsError(
                f"this key used {self._cache.share} proofs that have not expired, its share of the replay cache"
            )
        if answer == "full":
            raise ReplayUnavailableError(f"the replay cache is full: it has {self._cache.capacity} proofs")
        raise ReplayUnavailableError(
            "the proof had expired by the latest time that the replay cache was given, so that its id may have been "
            "removed: this clock is behind"
        )

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """As :meth:`consume`: there is nothing to wait for."""
        return self.consume(replay_id, expires_at, now)

    @property
    def capacity(self) -> int:
        """The number of ids that fit."""
        return self._cache.capacity

    @property
    def capacity_per_key(self) -> int:
        """The number of ids of one key that fit."""
        return self._cache.share

    def __len__(self) -> int:
        """Return the number of ids, including some that have expired."""
        return len(self._cache)

    def __repr__(self) -> str:
        """Return the number of ids and the capacity."""
        return f"MemoryReplayStore(len={len(self)}, capacity={self.capacity})"


def first_use(store: ReplayStore | AsyncReplayStore, proof: DpopProof, now: float) -> Pending[bool]:
    """Use the id of a proof, and return whether it is the first use, for threads and event loops alike.

    Raises ``TypeError`` when a thread waits for a store that is for event loops only.
    """
    consume, consume_async = getattr(store, "consume", _needs_event_loop), getattr(store, "consume_async", None)
    use = (proof.replay_id, proof.expires_at, now)
    return Call(lambda: consume(*use), None if consume_async is None else lambda: consume_async(*use))


def _needs_event_loop(*_: object) -> NoReturn:
    raise TypeError("this replay store is for event loops only: use the method whose name ends in _async")


def retain_for(store: object, seconds: float) -> None:
    """Call ``store.retain_for``, if the store has it."""
    announce = getattr(store, "retain_for", None)
    if announce is not None:
        announce(seconds)
