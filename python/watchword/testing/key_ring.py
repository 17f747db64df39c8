"""The keys of an issuer over time: those that it publishes, and those that it has withdrawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from watchword.testing.signing_key import PrivateKey, SigningKey, is_rsa, new_private_key


class KeyRing:
    """Initially one key per algorithm, more with every rotation. Thread-safe."""

    def __init__(self, algorithms: Sequence[str], key_ids: Sequence[str] | None) -> None:
        if isinstance(algorithms, str) or isinstance(key_ids, str):
            raise TypeError("algorithms and key_ids must be sequences of strings, not a string")
        if not algorithms or len(set(algorithms)) != len(algorithms):
            raise ValueError("algorithms must name at least one algorithm, and none twice")
        if key_ids is not None and len(key_ids) != len(algorithms):
            raise ValueError("key_ids must give one key id for each algorithm, in the same order")
        self.algorithms = tuple(algorithms)
        self._lock = threading.Lock()
        self._published: list[SigningKey] = []
        self._withdrawn: list[SigningKey] = []
        self._generation = 0
        self.rotate(key_ids=key_ids)

    def rotate(self, *, key_ids: Sequence[str] | None = None) -> tuple[str, ...]:
        """Make a new key for each algorithm, which signs from now on; old ones stay published. Returns the new ids."""
        with self._lock:
            self._generation += 1
            rsa = _once_for_all_rsa_algorithms()
            ids = key_ids or [f"{algorithm.lower()}-{self._generation}" for algorithm in self.algorithms]
            taken = {key.key_id for key in self._published + self._withdrawn}
            if len(set(ids)) != len(ids) or taken.intersection(ids):
                raise ValueError("every key must have a different key id")
            for algorithm, key_id in zip(self.algorithms, ids, strict=True):
                self._published.append(SigningKey(algorithm, key_id, rsa if is_rsa(algorithm) else None))
            return tuple(ids)

    def remove(self, key_id: str) -> None:
        """Withdraw a key from the published set. It can still sign, for tests of the withdrawal."""
        with self._lock:
            key = next((key for key in self._published if key.key_id == key_id), None)
            if key is None:
                raise ValueError(f"no published key has the id {key_id!r}")
            self._published.remove(key)
            self._withdrawn.append(key)

    def published(self) -> tuple[SigningKey, ...]:
        """Return the published keys."""
        with self._lock:
            return tuple(self._published)

    def signing_key(self, algorithm: str | None, key_id: str | None) -> SigningKey:
        """Return the key of ``key_id`` (withdrawn or not), otherwise the newest published one for ``algorithm``.

        Raises ``ValueError`` if there is none.
        """
        with self._lock:
            if key_id is not None:
                known = [key for key in self._published + self._withdrawn if key.key_id == key_id]
                if not known:
                    raise ValueError(f"this issuer has no key with the id {key_id!r}")
                if algorithm is not None and algorithm != known[0].algorithm:
                    raise ValueError(f"the key {key_id!r} is for {known[0].algorithm}, not for {algorithm}")
                return known[0]
            algorithm = algorithm or self.algorithms[0]
            fitting = [key for key in self._published if key.algorithm == algorithm]
            if not fitting:
                raise ValueError(f"this issuer publishes no key for {algorithm}; it has {', '.join(self.algorithms)}")
            return fitting[-1]


def _once_for_all_rsa_algorithms() -> Callable[[], PrivateKey]:
    """Return a function that makes one RSA key: it is slow, so the RSA algorithms of one generation share it."""
    made: list[PrivateKey] = []

    def make() -> PrivateKey:
        if not made:
            made.append(new_private_key("RS256"))
        return made[0]

    return make
