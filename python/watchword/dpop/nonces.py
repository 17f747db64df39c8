"""Nonces that a server demands in proofs (RFC 9449 sections 8 and 9), without remembering which it gave out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

_KEY_BYTES = 32
_CONTEXT = b"watchword dpop nonce v1\0"


class Nonces:
    """Makes nonces and knows them again: each is a keyed BLAKE2b (RFC 7693) over the number of the current stretch.

    A nonce is good in the stretch of ``lifetime`` seconds in which it was made and in the next one, so for at least
    ``lifetime`` and at most twice as long. All that processes must share for it is ``keys``: secrets of at least 32
    bytes, of which the first makes new nonces and every one knows its own, so that keys can be exchanged one after the
    other. Without any, a random one is made, for this process alone.

    Raises ``ValueError`` for short keys and for a ``lifetime`` that is not positive.
    """

    def __init__(
        self,
        keys: bytes | Sequence[bytes] | None = None,
        *,
        lifetime: float = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Not needed to import watchword; and not first imported by a request, which a fork may cut in half.
        import base64  # noqa: F401
        import hashlib  # noqa: F401
        import hmac  # noqa: F401

        several = (keys,) if isinstance(keys, bytes) else tuple(keys) if keys is not None else (self.new_key(),)
        if not several or any(not isinstance(key, bytes) or len(key) < _KEY_BYTES for key in several):
            raise ValueError(
                f"keys must be one or several secrets of {_KEY_BYTES} bytes or more; Nonces.new_key() makes one"
            )
        if not 0 < lifetime < float("inf"):
            raise ValueError("lifetime must be a positive number of seconds")
        self._keys = several
        self._lifetime = lifetime
        self._clock = clock
        self._current: tuple[int, tuple[str, ...]] | None = None

    @staticmethod
    def new_key() -> bytes:
        """A random key of 32 bytes."""
        import secrets  # not needed to import watchword

        return secrets.token_bytes(_KEY_BYTES)

    def issue(self, *, now: float | None = None) -> str:
        """The nonce to give out (``DPoP-Nonce``) at the moment ``now``, in Unix seconds; ``None`` takes the clock."""
        return self.good(now=now)[0]

    def accepts(self, nonce: str, *, now: float | None = None) -> bool:
        """Whether this is a nonce that is good at the moment ``now``."""
        import hmac

        given = nonce.encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(given, good.encode()) for good in self.good(now=now))

    def good(self, *, now: float | None = None) -> tuple[str, ...]:
        """All nonces that are good at the moment ``now``, the newest first."""
        stretch = int((self._clock() if now is None else now) // self._lifetime)
        current = self._current
        if current is None or current[0] != stretch:
            nonces = tuple(_nonce(key, number) for number in (stretch, stretch - 1) for key in self._keys)
            # One assignment, so that another thread sees the old pair or the new one.
            self._current = current = (stretch, nonces)
        return current[1]

    def __repr__(self) -> str:
        """How many keys there are, and no key."""
        return f"Nonces(keys={len(self._keys)}, lifetime={self._lifetime})"


def _nonce(key: bytes, stretch: int) -> str:
    import base64
    import hashlib

    # Not HMAC, which CPython leaves to OpenSSL: what a thread had locked there stays locked in a forked child.
    key = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
    mac = hashlib.blake2b(_CONTEXT + str(stretch).encode(), key=key, digest_size=32).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
