"""The DPoP nonces that servers gave last, one per origin (RFC 9449 section 8)."""

from __future__ import annotations

import threading
from collections import OrderedDict

from watchword.client.answer import Answer
from watchword.fork_safety import register_after_fork

#: A nonce is a short opaque text; a longer one is not sent back.
_MAX_LENGTH = 1024

_MAX_ORIGINS = 256


class OriginNonces:
    """Keeps the last nonce of each origin, of the most recently used 256. Thread-safe."""

    def __init__(self) -> None:
        self._nonces: OrderedDict[str, str] = OrderedDict()
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent process may have held the old one."""
        self._lock = threading.Lock()

    def get(self, origin: str) -> str | None:
        """Return the nonce for the next proof; ``None`` if the origin has given none."""
        with self._lock:
            return self._nonces.get(origin)

    def learn(self, origin: str, answer: Answer) -> bool:
        """Keep the nonce of an answer (``DPoP-Nonce``), if it has one. Return whether it is a new one."""
        nonce = answer.headers.get("dpop-nonce")
        # One value of the characters that RFC 9449 section 8.1 allows; repeated headers arrive joined by a comma.
        if nonce is None or not 0 < len(nonce) <= _MAX_LENGTH or not all(_is_nonce_char(one) for one in nonce):
            return False
        with self._lock:
            is_new = self._nonces.get(origin) != nonce
            self._nonces[origin] = nonce
            self._nonces.move_to_end(origin)
            if len(self._nonces) > _MAX_ORIGINS:
                self._nonces.popitem(last=False)
        return is_new

    def __repr__(self) -> str:
        """Return the number of origins."""
        return f"OriginNonces({len(self._nonces)} origins)"


def _is_nonce_char(one: str) -> bool:
    # NQCHAR of RFC 6749 appendix A.
    return "!" <= one <= "~" and one not in '"\\'


__all__ = ["OriginNonces"]
