"""Nonces that a server requires in proofs (RFC 9449 sections 8 and 9), without a list of those it issued."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

_KEY_BYTES = 32
_CONTEXT = b"watchword dpop nonce v1\0"


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
        import hashlib  # noqa: F401
        import hmac  # noqa: F401

        from watchword import base64url  # noqa: F401

        several = (keys,) if isinstance(keys, bytes) else tuple(keys) if keys is not None else (self.new_key(),)
        if not several or any(not isinstance(key, bytes) or len(key) < _KEY_BYTES for key in several):
            raise ValueError(
                f"keys must be one or more secrets of {_KEY_BYTES} bytes or more; Nonces.new_key() returns one"
            )
        if not 0 < lifetime < float("inf"):
            raise ValueError(f"lifetime is {lifetime!r}: it must be a positive number of seconds")
        self._keys = several
        self._lifetime = lifetime
        self._clock = clock
        self._current: tuple[int, tuple[str, ...]] | None = None

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
        window = int((self._clock() if now is None else now) // self._lifetime)
        current = self._current
        if current is None or current[0] != window:
            nonces = tuple(_nonce(key, number) for number in (window, window - 1) for key in self._keys)
            # One assignment, so that another thread sees the old pair or the new one.
            self._current = current = (window, nonces)
        return current[1]

    def __repr__(self) -> str:
        """Return the number of keys, and no key."""
        return f"Nonces(keys={len(self._keys)}, lifetime={self._lifetime})"


def _nonce(key: bytes, window: int) -> str:
    import hashlib

    from watchword import base64url

    # Not HMAC, which CPython leaves to OpenSSL: a lock that a thread held there stays locked in a forked child.
    key = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
    mac = hashlib.blake2b(_CONTEXT + str(window).encode(), key=key, digest_size=32).digest()
    return base64url.encode(mac)
