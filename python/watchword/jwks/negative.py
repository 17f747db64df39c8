"""The kids that the endpoint was asked about and did not know, so that asking again costs nothing for a while."""

from __future__ import annotations

import hashlib
import os


class UnknownKeyIds:
    """At most ``size`` kids, each for ``ttl`` seconds. Not thread-safe.

    Of fixed size, whatever their senders choose: a kid is kept as a hash, keyed anew in each process so that nobody
    can look for collisions.
    """

    def __init__(self, size: int, ttl: float) -> None:
        self._size = size
        self._ttl = ttl
        self._salt = os.urandom(16)
        self._until: dict[bytes, float] = {}  # in the order of insertion, which is the order of expiry

    def __len__(self) -> int:
        return len(self._until)

    def add(self, key_id: str | None, now: float) -> None:
        """Remembers a kid (``None``: that of tokens without one), forgetting the oldest where there is no room."""
        if self._size == 0 or self._ttl == 0:
            return
        digest = self._digest(key_id)
        self._until.pop(digest, None)
        while len(self._until) >= self._size:
            del self._until[next(iter(self._until))]
        self._until[digest] = now + self._ttl

    def holds(self, key_id: str | None, now: float) -> bool:
        """Whether the kid is known to be unknown."""
        digest = self._digest(key_id)
        until = self._until.get(digest)
        if until is None:
            return False
        if now >= until:
            del self._until[digest]
            return False
        return True

    def clear(self) -> None:
        """Forgets all: the set has changed."""
        self._until.clear()

    def _digest(self, key_id: str | None) -> bytes:
        # A first byte tells "no kid" from the empty kid. A lone surrogate can't come from a strict header.
        data = b"\0" if key_id is None else b"\1" + key_id.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=self._salt).digest()
