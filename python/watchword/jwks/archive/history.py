"""What an archive says of one issuer: its polls, its keys, and the compromised ones."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator

from watchword.errors import KeySetError
from watchword.jwks.archive.key_list import RecordedKey, digest_of, usable_keys
from watchword.jwks.archive.record import ArchiveEvent, ArchiveRecord


class IssuerHistory:
    """The records of one issuer as plain data: 16 bytes a poll, and each key set once. Times are Unix seconds.

    Raises ``ValueError``, which says what is wrong, if a record contradicts those before it.
    """

    def __init__(self, issuer: str, records: Iterable[ArchiveRecord] = ()) -> None:
        self.issuer = issuer
        self.compromised: dict[str, float] = {}
        """The thumbprints of compromised keys, each with the time from when on it is (``-inf``: always)."""
        self.unreachable = array("d")
        """The times of polls without an answer."""
        self.last_digest: str | None = None
        """The digest of the last key set that was seen."""
        self.key_sets: list[tuple[RecordedKey, ...]] = []
        """The usable keys of each key set that was seen, in the order in which they were first."""
        self._times = array("d")
        self._sets = array("q")
        self._index: dict[str, int] = {}
        for record in records:
            self.add(record)

    def add(self, record: ArchiveRecord) -> None:
        """Add the next record. Raises ``ValueError`` if it contradicts those before it, or is another issuer's."""
        if record.issuer != self.issuer:
            raise ValueError("the record is another issuer's")
        match record.event:
            case ArchiveEvent.SEEN:
                self._seen(record)
            case ArchiveEvent.ABSENT:
                self._check_absent(record)
            case ArchiveEvent.UNREACHABLE:
                self.unreachable.append(record.time)
            case ArchiveEvent.COMPROMISED:
                if record.since is not None and record.since > record.time:
                    raise ValueError("the key is compromised since a time after that of the record itself")
                since = -math.inf if record.since is None else record.since
                thumbprint = record.thumbprint or ""
                self.compromised[thumbprint] = min(since, self.compromised.get(thumbprint, math.inf))

    def polls(self) -> Iterator[tuple[float, tuple[RecordedKey, ...]]]:
        """Yield each time at which a key set was seen, with its usable keys."""
        for time, index in zip(self._times, self._sets, strict=True):
            yield time, self.key_sets[index]

    @property
    def poll_count(self) -> int:
        """How often a key set was seen."""
        return len(self._times)

    @property
    def last_keys(self) -> tuple[RecordedKey, ...]:
        """The usable keys of the last key set that was seen."""
        return self.key_sets[self._sets[-1]] if self._sets else ()

    def all_keys(self) -> tuple[RecordedKey, ...]:
        """Return all usable keys that were ever seen, in the order in which they were first."""
        return tuple(dict.fromkeys(key for keys in self.key_sets for key in keys))

    def _seen(self, record: ArchiveRecord) -> None:
        digest = record.digest or ""
        if record.keys is not None:
            if digest_of(record.keys) != digest:
                raise ValueError("'digest' is not that of 'keys': one of them was changed")
            if digest not in self._index:
                try:
                    usable = usable_keys(record.keys)
                except KeySetError as error:
                    raise ValueError(f"'keys' is not a key set: {error}") from None
                self._index[digest] = len(self.key_sets)
                self.key_sets.append(usable)
        elif digest != self.last_digest:
            raise ValueError("a key set was seen that is not the one seen before, and the record does not contain it")
        self.last_digest = digest
        self._times.append(record.time)
        self._sets.append(self._index[digest])

    def _check_absent(self, record: ArchiveRecord) -> None:
        if self.last_digest is None:
            raise ValueError("a key is absent of an issuer whose keys were not seen before")
        if any((key.thumbprint, key.key_id) == (record.thumbprint, record.key_id) for key in self.last_keys):
            raise ValueError("a key is absent that the last key set lists")


__all__ = ["IssuerHistory"]
