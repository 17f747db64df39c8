"""Key sets, from the sources of a gate's issuers to the server that verifies with them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from watchword.errors import KeysUnavailableError
from watchword.threads import start_daemon

if TYPE_CHECKING:
    from watchword._kernel import KeySet
    from watchword.issuer_table import IssuerEntry
    from watchword.waiting import Pending

#: Between two looks at the sources, in seconds. A look costs microseconds an issuer.
_INTERVAL = 0.25

#: Between two requests for keys that are unavailable, in seconds: the source has a back-off of its own.
_RETRY = 1.0

#: How many issuers are waited for at a time.
_MAX_WAITING = 64

#: The kids that one look-up asks for, at most.
_MAX_KIDS = 64


class KeyFeed:
    """Hands the key set of each issuer over when it changes, and ``None`` when it has expired.

    ``hand_over`` is called with an issuer's name and its keys. It may be called from any number of threads.
    """

    def __init__(self, hand_over: Callable[[str, KeySet | None], None]) -> None:
        self._hand_over = hand_over
        # Reentrant, as a source may report an event, in the thread that holds it.
        self._lock = threading.RLock()
        self._entries: dict[str, IssuerEntry] = {}
        self._handed: dict[str, KeySet | None] = {}
        self._waiting: set[str] = set()
        self._not_before: dict[str, float] = {}

    @contextlib.contextmanager
    def replacing(self, entries: Iterable[IssuerEntry]) -> Iterator[list[KeySet | None]]:
        """Return a context manager with the keys of other issuers, in their order, which are used from its end on.

        Nothing is handed over within it. If an exception ends it, the issuers stay.
        """
        with self._lock:
            new = {entry.issuer.issuer: entry for entry in entries}
            keys = {name: self._known(name, entry) for name, entry in new.items()}
            yield list(keys.values())
            self._entries, self._handed = new, keys
            self._not_before = {}

    def _known(self, name: str, entry: IssuerEntry) -> KeySet | None:
        keys = entry.source.current()
        old = self._entries.get(name)
        if keys is None and old is not None and old.source is entry.source:
            keys = self._handed[name]
        return keys

    def keys(self) -> dict[str, KeySet | None]:
        """Return the keys of each issuer by its name, as they were last handed over."""
        with self._lock:
            return dict(self._handed)

    def look(self) -> float:
        """Hand over what has changed, and request what is missing. Returns the seconds until the next look."""
        for name, entry in list(self._entries.items()):
            keys = entry.source.current()
            if keys is not None:
                self._hand(name, entry, keys)
            elif time.monotonic() >= self._not_before.get(name, 0.0) and name not in self._waiting:
                self._request(name, entry)
        return _INTERVAL

    def look_up(self, name: str, key_ids: Iterable[str | None], *, are_missing: bool) -> None:
        """Obtain the keys of an issuer, if ``are_missing``, or newer ones that may have these kids; hand them over.

        It waits for a fetch within the limits of the source.
        """
        entry = self._entries.get(name)
        if entry is None:
            return  # removed by a reload
        try:
            keys = entry.source.request().result() if are_missing else self._newer(name, entry, key_ids)
        except KeysUnavailableError:
            return
        except ValueError:
            if self._entries.get(name) is entry:
                raise
            return  # its source was closed
        if keys is not None:
            self._hand(name, entry, keys)

    def _newer(self, name: str, entry: IssuerEntry, key_ids: Iterable[str | None]) -> KeySet | None:
        wanted = tuple(dict.fromkeys(key_ids))[:_MAX_KIDS]
        current = entry.source.current()
        known = self._handed.get(name) if current is None else current
        if known is None:
            return entry.source.request().result()
        # They may have come since the server looked for them.
        unknown = [key_id for key_id in wanted if key_id is None or key_id not in known]
        return entry.source.request_newer(known, unknown).result() if unknown else known

    def _request(self, name: str, entry: IssuerEntry) -> None:
        try:
            pending = entry.source.request()
        except ValueError:
            return  # closed by a reload
        if not pending.may_wait:
            self._finish(name, entry, pending)
            return
        if entry.source.stats().expires_in == 0:
            # However long the fetch takes, they are not used meanwhile.
            self._hand(name, entry, None)
        if len(self._waiting) < _MAX_WAITING:
            with self._lock:
                self._waiting.add(name)
            try:
                start_daemon("watchword-keys", self._wait, name, entry, pending)
            except BaseException:
                self._waiting.discard(name)
                raise

    def _wait(self, name: str, entry: IssuerEntry, pending: Pending[KeySet]) -> None:
        try:
            self._finish(name, entry, pending)
        finally:
            with self._lock:
                self._waiting.discard(name)

    def _finish(self, name: str, entry: IssuerEntry, pending: Pending[KeySet]) -> None:
        try:
            keys: KeySet | None = pending.result()
        except KeysUnavailableError:
            keys = None
            self._not_before[name] = time.monotonic() + _RETRY
        except ValueError:
            return  # closed by a reload
        self._hand(name, entry, keys)

    def _hand(self, name: str, entry: IssuerEntry, keys: KeySet | None) -> None:
        with self._lock:
            known = self._entries.get(name)
            if known is None or known.source is not entry.source:
                return
            # A thread that waited may have been overtaken.
            current = entry.source.current()
            newest = keys if current is None else current
            if self._handed[name] is not newest:
                self._hand_over(name, newest)
                self._handed[name] = newest


__all__ = ["KeyFeed"]
