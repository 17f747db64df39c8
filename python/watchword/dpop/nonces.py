"""Nonces that a server requires in proofs (RFC 9449 sections 8 and 9), without a list of those it issued."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from watchword._kernel import NonceKeys

_KEY_BYTES = 32


class Nonces:
    """Issues and verifies nonces: each is a keyed BLAKE2b (RFC 7693) over the number of the current time window.

    A nonce is valid in the window of ``lifetime`` seconds in which it was issued and in the next one, so for at least
    ``lifetime`` seconds and at most twice as long. Processes only need to share ``keys``: secrets of at least 32 bytes,
    of which the first issues new nonces and each verifies its own, so that keys can be rotated. By default a random key
    is made, for this process only. ``clock`` returns Unix seconds.

    Raises ``ValueError`` if a key is too short or ``lifetime`` is not positive.
    """

    def __init__(
        self,
        keys: bytes | Sequence[bytes] | None = None,
        *,
        lifetime: float = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Not needed to import watchword; imported here and not by the first request, during which a process may fork.
        import hmac  # noqa: F401

        several = (keys,) if isinstance(keys, bytes) else tuple(keys) if keys is not None else (self.new_key(),)
        if not several or any(not isinstance(key, bytes) or len(key) < _KEY_BYTES for key in several):
            raise ValueError(
                f"keys must be one or more secrets of {_KEY_BYTES} bytes or more; Nonces.new_key() returns one"
            )
        self._keys = NonceKeys(several, lifetime)
        self._count = len(several)
        self._lifetime = lifetime
        self._clock = clock

    @property
    def kernel_keys(self) -> NonceKeys:
        """The keys, for a server that checks requests without Python. They cannot be read from it."""
        return self._keys

    @staticmethod
    def new_key() -> bytes:
        """Return a random key of 32 bytes."""
        import secrets  # not needed to import watchword

        return secrets.token_bytes(_KEY_BYTES)

    def issue(self, *, now: float | None = None) -> str:
        """Return the nonce to send (``DPoP-Nonce``) as of ``now`` in Unix seconds (``None``: the clock's)."""
        return self.valid(now=now)[0]

    def accepts(self, nonce: str, *, now: float | None = None) -> bool:
        """Return whether a nonce is valid as of ``now`` in Unix seconds (``None``: the clock's)."""
        import hmac

        given = nonce.encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(given, valid.encode()) for valid in self.valid(now=now))

    def valid(self, *, now: float | None = None) -> tuple[str, ...]:
        """Return all nonces that are valid as of ``now`` in Unix seconds (``None``: the clock's), the newest first."""
        return self._keys.valid(self._clock() if now is None else now)

    def __repr__(self) -> str:
        """Return the number of keys, and no key."""
        return f"Nonces(keys={self._count}, lifetime={self._lifetime})"
