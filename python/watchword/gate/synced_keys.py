"""SyncedKeys: the fetched keys of a gate's issuers in one file, for gates that fetch none themselves."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from watchword._kernel import KeySet
from watchword.durable import write_durably
from watchword.errors import KeySetError, KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks.archive.key_list import keys_of_document
from watchword.jwks.clock import monotonic as _monotonic

if TYPE_CHECKING:
    from watchword.jwks.events import Listener
    from watchword.jwks.fetch import Fetcher
    from watchword.jwks.source import KeySource
    from watchword.waiting import Pending

#: An entry is written again after this share of its remaining time: a reader sees at least the rest of it.
_RENEWED_AFTER = 0.25


class Entry(NamedTuple):
    """What the file says of one issuer."""

    jwks: dict[str, Any]
    valid_until: float
    """Unix seconds: from then on the keys must not be used."""


class SyncResult(NamedTuple):
    """The keys of one issuer now."""

    keys: KeySet | None
    """``None``: the issuer is left out of the file."""
    failure: str | None
    """Why the last attempt to fetch them failed; ``None``: it did not."""
    valid_until: float | None
    """Until when the keys may be used, in Unix seconds."""


@dataclass
class _Synced:
    """One issuer: the source of its keys, and when they are to be fetched again."""

    source: KeySource
    due: float = -math.inf
    previous: Entry | None = None
    """What the file said when it was opened, until the first fetch succeeds."""
    failure: str | None = None
    """Why the last attempt failed."""
    _document: tuple[KeySet, dict[str, Any]] | None = None

    def jwks(self, keys: KeySet) -> dict[str, Any]:
        """Return a set as a JWK Set: made once, as it is asked for every second."""
        if self._document is None or self._document[0] is not keys:
            self._document = keys, {"keys": list(keys_of_document(keys))}
        return self._document[1]


class SyncedKeys:
    """The keys of those issuers that are fetched, kept in a file that is replaced at once.

    ``issuers`` are those of a :class:`~watchword.gate.GateConfig`; the caches of their keys apply, with all of their
    limits. ``path`` is the file: a JSON object ``{"issuers": {"https://as.example": {"jwks": {"keys": […]},
    "valid_until": 1763900000.0}}}``. ``valid_until``, in Unix seconds, is until when the keys may be used if no fetch
    succeeds any more, by the ``max_stale`` of the issuer's cache: then the issuer is left out, and whoever reads the
    file does not use its keys after that time even if nobody writes it. ``mode`` are the file's permissions. The keys
    that the file has already are kept within their time until they are fetched. ``interval`` is after how many seconds
    keys are fetched again, at the latest. ``fetcher`` stays open. ``clock`` returns Unix seconds, ``monotonic`` the
    seconds by which keys age; it is for tests.

    Raises ``ValueError`` if no issuer's keys are fetched, or if the file is another one; ``OSError`` if it cannot be
    read.
    """

    def __init__(
        self,
        issuers: Iterable[Issuer],
        path: str | os.PathLike[str],
        *,
        fetcher: Fetcher,
        interval: float,
        mode: int = 0o644,
        on_event: Listener | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = _monotonic,
    ) -> None:
        self._path = Path(path)
        self._mode = mode
        self._interval = interval
        self._clock = clock
        self._monotonic = monotonic
        remote = [issuer for issuer in issuers if issuer.is_remote]
        if not remote:
            raise ValueError("no issuer's keys are fetched: a gate reads jwks, jwks_file and pem by itself")
        found = _stamp(self._path)
        previous = self._read()
        self._written = {name: entry for name, one in previous.items() if (entry := _entry(one)) is not None}
        # A gate refuses a file with an entry that is none: it is written again at once.
        self._stamp = found if len(self._written) == len(previous) else None
        self._synced: dict[str, _Synced] = {}
        for issuer in remote:
            source = issuer.open(fetcher, monotonic, on_event)
            self._synced[issuer.issuer] = _Synced(source, previous=self._usable(issuer))

    def update(self) -> dict[str, SyncResult]:
        """Fetch the keys that are due, waiting within the caches' limits. Returns the keys of each issuer now."""
        now = self._monotonic()
        # All begin before the first is waited for.
        pending = {name: self._begin(synced, now) for name, synced in self._synced.items()}
        return {name: self._finish(self._synced[name], one) for name, one in pending.items()}

    def write(self, results: dict[str, SyncResult]) -> bool:
        """Write the file, if it does not say the same yet. Returns whether it was written.

        Raises ``OSError`` if that fails; the file is then as before.
        """
        entries = {
            name: Entry(self._synced[name].jwks(result.keys), result.valid_until)
            for name, result in results.items()
            if result.keys is not None and result.valid_until is not None
        }
        if self._is_unchanged() and self._is_current(entries):
            return False
        content = json.dumps({"issuers": {name: entry._asdict() for name, entry in entries.items()}}, allow_nan=False)
        with _locked(self._path.parent):
            write_durably(os.fspath(self._path), content.encode() + b"\n", mode=self._mode)
        self._written, self._stamp = entries, _stamp(self._path)
        return True

    def close(self) -> None:
        """End what runs in the background. The file stays."""
        for synced in self._synced.values():
            synced.source.close()

    def __repr__(self) -> str:
        """Return the number of issuers."""
        return f"SyncedKeys(issuers={len(self._synced)})"

    def _begin(self, synced: _Synced, now: float) -> Pending[KeySet]:
        age = synced.source.stats().age
        if (age is None or age >= self._interval) and now >= synced.due:
            synced.due = now + self._interval
            return synced.source.refresh()
        # Fetches if that is due by the cache's own rules, such as after a failure.
        return synced.source.request()

    def _finish(self, synced: _Synced, pending: Pending[KeySet]) -> SyncResult:
        keys: KeySet | None = None
        try:
            keys = pending.result()
        except KeysUnavailableError as error:
            synced.failure = error.detail
            # Those of before are used within their limits, if there are any.
            with contextlib.suppress(KeysUnavailableError):
                keys = synced.source.request().result()
        stats = synced.source.stats()
        if keys is not None and stats.consecutive_failures == 0:
            synced.failure = None
        failure, expires_in = synced.failure, stats.expires_in
        if keys is not None and expires_in:
            synced.previous = None
            return SyncResult(keys, failure, float(math.floor(self._clock() + expires_in)))
        previous = synced.previous
        if previous is not None and self._clock() < previous.valid_until:
            return SyncResult(_key_set(previous.jwks), failure, previous.valid_until)
        return SyncResult(None, failure, None)

    def _is_current(self, entries: dict[str, Entry]) -> bool:
        """Return whether the file says the same, and not for too short or too long a time."""
        written, now = self._written, self._clock()
        return list(written) == list(entries) and all(
            written[name].jwks == entry.jwks
            and -1 <= entry.valid_until - written[name].valid_until <= _RENEWED_AFTER * (entry.valid_until - now)
            for name, entry in entries.items()
        )

    def _is_unchanged(self) -> bool:
        """Return whether the file is there, and as it was read or written here."""
        found = _stamp(self._path)
        return found is not None and found == self._stamp and found.mode == self._mode

    def _read(self) -> dict[str, Any]:
        """Return what the file says of each issuer; empty if there is none."""
        if self._path.exists() and not self._path.is_file():
            # A pipe would be waited for.
            raise ValueError(f"{os.fspath(self._path)!r} is not a regular file: give another name")
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return dict(json.loads(content)["issuers"].items()) if content.strip() else {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            message = f"{os.fspath(self._path)!r} is another file: give a new name, or that of a file of keys"
            raise ValueError(message) from None

    def _usable(self, issuer: Issuer) -> Entry | None:
        """Return what the file says of an issuer, if its keys may still be used."""
        entry, now, settings = self._written.get(issuer.issuer), self._clock(), issuer.cache_settings
        if entry is None or now >= entry.valid_until:
            return None
        # Never longer than keys that are fetched now.
        return entry._replace(valid_until=min(entry.valid_until, now + settings.max_ttl + settings.max_stale))


def _entry(value: Any) -> Entry | None:  # noqa: ANN401 - whatever a file has
    """Return an entry of a file; ``None`` if it is not one, or if none of its keys can be used."""
    try:
        entry = Entry(value["jwks"], float(value["valid_until"]))
        return entry if len(_key_set(entry.jwks)) else None
    except (KeySetError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _key_set(jwks: dict[str, Any]) -> KeySet:
    return KeySet.from_json(json.dumps(jwks), prepare="never")


class _Stamp(NamedTuple):
    """By what it is noticed that a file was replaced, changed or removed by somebody else."""

    device: int
    number: int
    size: int
    changed_at: int
    mode: int


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Within this context no other process writes such a file into the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


__all__ = ["SyncResult", "SyncedKeys"]
