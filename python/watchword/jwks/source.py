"""The seam between a Verifier and wherever keys come from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from watchword._kernel import KeySet
from watchword.jwks.events import Stats
from watchword.waiting import Pending


class KeySource(Protocol):
    """Where one issuer's keys come from. None of the methods blocks; what takes time is a :class:`Pending`."""

    def current(self) -> KeySet | None:
        """The set, where it can be used without a thought: called for every token."""
        ...

    def request(self) -> Pending[KeySet]:
        """The set, got first where need be. Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        ...

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Another set than ``seen``, in which these kids (``None``: of a token without one) were not found.

        ``None`` where there is none to be had now; never raises when waited for.
        """
        ...

    def refresh(self) -> Pending[KeySet]:
        """The set as it is at its origin. Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        ...

    def stats(self) -> Stats:
        """The counters."""
        ...

    def close(self) -> None:
        """Ends everything that runs in the background; the source is of no use any more."""
        ...


__all__ = ["KeySource"]
