"""Verifying a batch of several issuers' tokens: every key set that is needed is asked for before any is waited for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from watchword import _kernel
from watchword._kernel import BatchResult, KeySet, Policy
from watchword.batch import MergedResults
from watchword.errors import KeysUnavailableError
from watchword.issuer_table import IssuerEntry, IssuerTable
from watchword.slow_path import NO_KEYS, unverified_key_id
from watchword.waiting import Pending, Steps

_T = TypeVar("_T")

Tokens = Sequence[str | bytes]


def verify_batch(
    current: Callable[[], IssuerTable], tokens: Tokens, at: float, threads: int | None
) -> Steps[BatchResult | MergedResults]:
    """The verdicts as of the moment ``at``. ``current`` tells the issuers, which may change meanwhile."""
    batch = _Batch(current, tokens, at, threads)
    places: Sequence[int] = range(len(tokens))
    while True:
        places = yield from batch.verify(places)
        if not places:
            return batch.results.simplest()


class _Batch:
    def __init__(self, current: Callable[[], IssuerTable], tokens: Tokens, at: float, threads: int | None) -> None:
        self.results = MergedResults(len(tokens))
        self._current = current
        self._tokens = tokens
        self._at = at
        self._threads = threads

    def verify(self, places: Sequence[int]) -> Steps[list[int]]:
        """Verifies the tokens at ``places``; returns those whose issuer was removed before its keys were there."""
        table = self._current()
        groups = self._group(table, places)
        ready: list[tuple[IssuerEntry, Sequence[int], KeySet]] = []
        waiting: list[tuple[IssuerEntry, Sequence[int], Pending[KeySet]]] = []
        for entry, some in groups:
            keys = entry.source.current()
            if keys is not None:
                ready.append((entry, some, keys))
            elif wanting := self._of(table, entry, self._check(some, NO_KEYS, entry.policy)):
                waiting.append((entry, wanting, self._ask(entry, entry.source.request)))
        # All requests are under way before the first is waited for.
        for entry, some, requested in waiting:
            try:
                ready.append((entry, some, (yield requested)))
            except (KeysUnavailableError, ValueError) as error:
                detail = self._unavailable(entry, error).detail
                errors = ((place, KeysUnavailableError(detail)._about(self._tokens[place])) for place in some)
                self.results.put_errors(errors)
        asked: list[tuple[IssuerEntry, Sequence[int], Pending[KeySet | None]]] = []
        for entry, some, keys in ready:
            if unknown := self._of(table, entry, self._check(some, keys, entry.policy)):
                key_ids = {unverified_key_id(self._tokens[place]) for place in unknown}
                ask = functools.partial(entry.source.request_newer, keys, key_ids)
                asked.append((entry, unknown, self._ask(entry, ask)))
        for entry, some, wanted in asked:
            try:
                newer = yield wanted
            except (KeysUnavailableError, ValueError) as error:
                self._unavailable(entry, error)
                newer = None
            if newer is not None:
                self._check(some, newer, entry.policy)
        now = self._current()
        return sorted(place for entry, some in groups if entry not in now for place in self.results.without_key(some))

    def _group(self, table: IssuerTable, places: Sequence[int]) -> list[tuple[IssuerEntry, Sequence[int]]]:
        """The places of the tokens by the issuer that they name; those that name none get their verdict here."""
        if table.only is not None:
            return [(table.only, places)]
        groups: dict[IssuerEntry | None, list[int]] = {}
        for place in places:
            groups.setdefault(table.find(self._tokens[place]), []).append(place)
        if nobodys := groups.pop(None, None):
            self._refuse(table, self._check(nobodys, NO_KEYS, table.unknown_issuer_policy))
        return [(entry, some) for entry, some in groups.items() if entry is not None]

    def _of(self, table: IssuerTable, entry: IssuerEntry, places: Sequence[int]) -> list[int]:
        """Those of the places whose tokens are for ``entry``: for the others nothing is fetched."""
        if table.only is not entry:
            return list(places)  # they are grouped by what they name
        own = {place for place in places if table.find(self._tokens[place]) is entry}
        self._refuse(table, [place for place in places if place not in own])
        return sorted(own)

    def _refuse(self, table: IssuerTable, places: Sequence[int]) -> None:
        self.results.put_errors((place, table.error(self._tokens[place])) for place in places)

    def _check(self, places: Sequence[int], keys: KeySet, policy: Policy) -> list[int]:
        """Puts in the verdicts by these keys. Returns the places of tokens whose key is not in the set."""
        whole = len(places) == len(self._tokens)
        some = self._tokens if whole else [self._tokens[place] for place in places]
        self.results.put(places, _kernel.verify_many(some, keys, policy, self._at, self._threads))
        return self.results.with_unknown_keys(places)

    def _ask(self, entry: IssuerEntry, call: Callable[[], Pending[_T]]) -> Pending[_T]:
        try:
            return call()
        except ValueError as error:
            return Pending(functools.partial(_raise, self._unavailable(entry, error)))

    def _unavailable(self, entry: IssuerEntry, error: KeysUnavailableError | ValueError) -> KeysUnavailableError:
        """The verdict on tokens whose keys can't be obtained; a source is closed when its issuer is removed."""
        if isinstance(error, KeysUnavailableError):
            return error
        if entry in self._current():
            raise error
        return KeysUnavailableError("the issuer was removed")


def _raise(error: KeysUnavailableError) -> NoReturn:
    raise error
