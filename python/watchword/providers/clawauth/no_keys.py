"""The keys of a service that was given none: tokens are judged as far as that goes without a key."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from watchword._kernel import KeySet
from watchword.errors import KeysUnavailableError
from watchword.jwks.events import Stats
from watchword.waiting import Pending


class NoKeys:
    """A :class:`~watchword.jwks.KeySource` that has nothing, and says what to do about it."""

    def current(self) -> None:
        """There is none."""

    def request(self) -> Pending[KeySet]:
        """Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        return Pending(_refuse)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """There is none."""
        del seen, key_ids
        return Pending(lambda: None)

    def refresh(self) -> Pending[KeySet]:
        """Raises :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        return Pending(_refuse)

    def stats(self) -> Stats:
        """Nothing ever counts."""
        return Stats()

    def close(self) -> None:
        """Nothing to do."""


def _refuse() -> NoReturn:
    raise KeysUnavailableError(
        "ClawAuth publishes no place for its keys: give ClawAuth one of jwks=, jwks_uri=, jwks_file= and pem="
    )
