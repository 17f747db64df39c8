"""A token bucket: how many lines a second may be written."""

from __future__ import annotations


class RateLimit:
    """``per_second`` on average, and ``burst`` at once. Not thread-safe."""

    __slots__ = ("_burst", "_left", "_per_second", "_refilled_at")

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._refilled_at: float | None = None

    def take(self, now: float) -> bool:
        """Take one at ``now``, in seconds of any clock. Return whether there was one left."""
        if self._refilled_at is not None:
            # A clock that goes back refills nothing.
            passed = max(0.0, now - self._refilled_at)
            self._left = min(self._burst, self._left + passed * self._per_second)
        self._refilled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


__all__ = ["RateLimit"]
