"""Verify a batch of tokens of several issuers: all key sets are requested before any of them is waited for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from watchword import _kernel
from watchword._kernel import BatchResult, KeySet, Policy
from watchword.batch import MergedResults, ResultBuilder
from watchword.errors import KeysUnavailableError
from watchword.fetching import NO_KEYS, unverified_key_id, verify_fetching
from watchword.issuer_table import IssuerEntry, IssuerTable
from watchword.waiting import Steps, together


def verify_batch(
    current: Callable[[], IssuerTable],
    tokens: Sequence[str | bytes],
    at: float | list[float],
    threads: int | None,
) -> Steps[BatchResult | MergedResults]:
    """Verify ``tokens`` as of ``at`` in Unix seconds: one time, or a list with the time of each.

    ``current`` returns the issuers, which may change meanwhile. Raises ``ValueError`` if there is another number of
    times.
    """
    if isinstance(at, list) and len(at) != len(tokens):
        raise ValueError(f"now lists {len(at)} times for {len(tokens)} tokens: give one for each")
    batch = _Batch(current, tokens, at, threads)
    indices: Sequence[int] = range(len(tokens))
    while True:
        indices = yield from batch.verify(indices)
        if not indices:
            return batch.results.build()


class _Batch:
    def __init__(
        self,
        current: Callable[[], IssuerTable],
        tokens: Sequence[str | bytes],
        at: float | list[float],
        threads: int | None,
    ) -> None:
        self.results = ResultBuilder(len(tokens))
        self.current = current
        self.tokens = tokens
        self._at = at
        self._threads = threads

    def verify(self, indices: Sequence[int]) -> Steps[list[int]]:
        """Verify the tokens at ``indices``. Return those whose issuer was removed before its keys were available."""
        table = self.current()
        groups = self._group(table, indices)
        # Those that have to wait for keys first: the others are verified meanwhile.
        groups.sort(key=lambda group: group.keys is not None)
        yield from together(group.verify_fetching() for group in groups)
        now = self.current()
        return sorted(index for group in groups if group.entry not in now for index in group.without_key())

    def _group(self, table: IssuerTable, indices: Sequence[int]) -> list[_Group]:
        """Group the tokens by the issuer that they name. Those that name none are rejected here."""
        if table.only is not None:
            return [_Group(self, table, table.only, indices)]
        groups: dict[IssuerEntry | None, list[int]] = {}
        for index in indices:
            groups.setdefault(table.find(self.tokens[index]), []).append(index)
        if unknown := groups.pop(None, None):
            self.check(unknown, NO_KEYS, table.unknown_issuer_policy)
            self.reject_issuer(table, self.results.with_unknown_key(unknown))
        return [_Group(self, table, entry, some) for entry, some in groups.items() if entry is not None]

    def check(self, indices: Sequence[int], keys: KeySet, policy: Policy) -> None:
        """Verify the tokens at ``indices`` with ``keys`` and take the results."""
        whole = len(indices) == len(self.tokens)
        some = self.tokens if whole else [self.tokens[index] for index in indices]
        at = [self._at[index] for index in indices] if isinstance(self._at, list) and not whole else self._at
        self.results.put(indices, _kernel.verify_many(some, keys, policy, at, self._threads))

    def reject_issuer(self, table: IssuerTable, indices: Sequence[int]) -> None:
        """Reject tokens that name none of the issuers."""
        self.results.put_errors((index, table.error(self.tokens[index])) for index in indices)


class _Group:
    """The tokens of one issuer (:class:`~watchword.fetching.Tokens`)."""

    def __init__(self, batch: _Batch, table: IssuerTable, entry: IssuerEntry, indices: Sequence[int]) -> None:
        self.entry = entry
        self.keys = entry.source.current()
        self._batch = batch
        self._table = table
        self._indices = indices

    def verify_fetching(self) -> Steps[None]:
        try:
            yield from verify_fetching(self, self.entry.source, self.keys)
        except (KeysUnavailableError, ValueError) as error:
            # A source is closed when its issuer is removed: its tokens are verified again.
            if isinstance(error, ValueError) and self.entry in self._batch.current():
                raise

    def need_keys(self) -> bool:
        self._batch.check(self._indices, NO_KEYS, self.entry.policy)
        # The verdict on the others is final.
        self._indices = self._own_with_unknown_key()
        return bool(self._indices)

    def verify(self, keys: KeySet) -> Collection[str | None]:
        self._batch.check(self._indices, keys, self.entry.policy)
        self._indices = self._own_with_unknown_key()
        return {unverified_key_id(self._batch.tokens[index]) for index in self._indices}

    def keys_unavailable(self, error: KeysUnavailableError) -> None:
        tokens = self._batch.tokens
        self._batch.results.put_errors(
            (index, KeysUnavailableError(error.detail).about(tokens[index])) for index in self._indices
        )

    def without_key(self) -> list[int]:
        """Return the tokens that were rejected as their key was unknown or unavailable."""
        return self._batch.results.without_key(self._indices)

    def _own_with_unknown_key(self) -> list[int]:
        """Return the tokens whose key is unknown, and reject those of other issuers: nothing is fetched for them."""
        indices = self._batch.results.with_unknown_key(self._indices)
        if self._table.only is not self.entry:
            return indices  # grouped by the issuer that they name
        own = {index for index in indices if self._table.find(self._batch.tokens[index]) is self.entry}
        self._batch.reject_issuer(self._table, [index for index in indices if index not in own])
        return sorted(own)
