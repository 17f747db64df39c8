"""The key source of a service that was given no keys: tokens are checked as far as possible without one."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from watchword import KeySet
from watchword.errors import KeysUnavailableError
from watchword.jwks import Stats
from watchword.waiting import Pending


class UnavailableKeys:
    """A :class:`~watchword.jwks.KeySource` without keys, whose error names the missing arguments."""

    def current(self) -> None:
        """Return ``None``."""

    def request(self) -> Pending[KeySet]:
        """Raise :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        return Pending(_reject)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Return ``None``."""
        del seen, key_ids
        return Pending(lambda: None)

    def refresh(self) -> Pending[KeySet]:
        """Raise :class:`~watchword.errors.KeysUnavailableError` when waited for."""
        return Pending(_reject)

    def stats(self) -> Stats:
        """Return zeros."""
        return Stats()

    def close(self) -> None:
        """Do nothing."""


def _reject() -> NoReturn:
    raise KeysUnavailableError(
        "ClawAuth does not publish its keys: give ClawAuth() one of jwks=, jwks_uri=, jwks_file= and pem="
    )
