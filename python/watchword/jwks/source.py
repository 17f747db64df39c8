"""The interface between a Verifier and its key sources."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from watchword._kernel import KeySet
from watchword.jwks.events import Stats
from watchword.waiting import Pending


class KeySource(Protocol):
    """The source of one issuer's keys. None of the methods blocks: what takes time returns a :class:`Pending`."""

    def current(self) -> KeySet | None:
        """Return the set if it can be used at once, otherwise ``None``. Called for every token, so it must be fast."""
        ...

    def request(self) -> Pending[KeySet]:
        """Return the set, fetched if needed. Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        ...

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Return another set than ``seen``, which does not have these kids (``None``: of a token without one).

        ``None`` if there is no other set now. Does not raise when waited for.
        """
        ...

    def refresh(self) -> Pending[KeySet]:
        """Fetch the set again and return it. Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        ...

    def stats(self) -> Stats:
        """Return the counters."""
        ...

    def close(self) -> None:
        """End everything that runs in the background. The source is not used any more."""
        ...


__all__ = ["KeySource"]
