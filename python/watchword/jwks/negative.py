"""The negative cache: kids that were not in the set when it was fetched within the cooldown.

Fetches for unknown kids are limited by a bucket of two. A client that keeps sending a token of a removed key would
empty it alone; with its kid cached here, it causes one fetch for each cooldown, by which the bucket is refilled, so
that one is left for a new key.
"""

from __future__ import annotations

import hashlib
import os

#: The size of the negative cache; the oldest kid is evicted first.
MAX_KEY_IDS = 1024


class UnknownKeyIds:
    """At most :data:`MAX_KEY_IDS` kids, each for ``cooldown`` seconds from when the endpoint was asked.

    Not thread-safe. Of fixed size, whatever their senders choose: a kid is kept as a hash, keyed anew in each process
    so that collisions cannot be searched for.
    """

    def __init__(self, cooldown: float) -> None:
        self._cooldown = cooldown
        self._salt = os.urandom(16)
        self._until: dict[bytes, float] = {}  # in the order of insertion

    def count(self, now: float) -> int:
        """Return the number of kids."""
        return sum(now < until for until in self._until.values())

    def add(self, key_id: str | None, asked_at: float) -> None:
        """Add a kid (``None``: that of tokens without one) that was not in the set requested at ``asked_at``."""
        if self._cooldown == 0:
            return
        digest = self._digest(key_id)
        until = max(asked_at + self._cooldown, self._until.pop(digest, asked_at))
        while len(self._until) >= MAX_KEY_IDS:
            del self._until[next(iter(self._until))]
        self._until[digest] = until

    def contains(self, key_id: str | None, now: float) -> bool:
        """Return whether the kid was not in the set within the cooldown."""
        digest = self._digest(key_id)
        until = self._until.get(digest)
        if until is None:
            return False
        if now >= until:
            del self._until[digest]
            return False
        return True

    def clear(self) -> None:
        """Remove all kids, as the set has changed."""
        self._until.clear()

    def _digest(self, key_id: str | None) -> bytes:
        # The first byte distinguishes "no kid" from the empty kid. A lone surrogate can't come from a strict header.
        data = b"\0" if key_id is None else b"\1" + key_id.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=self._salt).digest()
