"""The results of a batch that took more than one call of the kernel: several issuers, or keys that came later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import SupportsIndex, overload

from watchword._kernel import BatchResult, VerifiedToken
from watchword.errors import ErrorCode, VerificationError

_Verdict = VerifiedToken | VerificationError


class MergedResults(Sequence[_Verdict]):
    """What a :class:`~watchword.BatchResult` is, put together from several: a sequence in the order of the tokens."""

    def __init__(self, count: int) -> None:
        """Room for so many results, all of which are to be put in."""
        self._found: list[tuple[BatchResult, int] | VerificationError | None] = [None] * count
        self._codes: list[ErrorCode | None] = [None] * count
        self._whole: BatchResult | None = None

    def put(self, places: Sequence[int], results: BatchResult) -> None:
        """Puts in the results for the tokens at ``places`` (in ascending order), over those that are there."""
        if len(results) == len(self._found):
            self._whole, self._codes = results, results.codes()
            return
        self._spread()
        for index, (place, code) in enumerate(zip(places, results.codes(), strict=True)):
            self._found[place] = (results, index)
            self._codes[place] = code

    def put_errors(self, errors: Iterable[tuple[int, VerificationError]]) -> None:
        """Puts in verdicts that are not the kernel's."""
        for place, error in errors:
            self._spread()
            self._found[place] = error
            self._codes[place] = error.code

    def with_unknown_keys(self, places: Sequence[int]) -> list[int]:
        """Those of the places whose tokens name a key that is not known."""
        return [place for place in places if self._codes[place] is ErrorCode.UNKNOWN_KEY]

    def without_key(self, places: Sequence[int]) -> list[int]:
        """Those of the places whose tokens were refused because the key was unknown or unavailable."""
        codes = (ErrorCode.UNKNOWN_KEY, ErrorCode.KEYS_UNAVAILABLE)
        return [place for place in places if self._codes[place] in codes]

    def simplest(self) -> BatchResult | MergedResults:
        """The kernel's own result, where that is all there is."""
        return self if self._whole is None else self._whole

    def _spread(self) -> None:
        """No longer the results of one call: from here on each has a place of its own."""
        if self._whole is not None:
            self._found = [(self._whole, index) for index in range(len(self._whole))]
            self._whole = None

    @property
    def valid_count(self) -> int:
        """How many of the tokens are valid."""
        return self._codes.count(None)

    def codes(self) -> list[ErrorCode | None]:
        """The verdict on each token, ``None`` for a valid one."""
        return self._codes.copy()

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self._found)

    @overload
    def __getitem__(self, index: SupportsIndex) -> _Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Verdict]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> _Verdict | list[_Verdict]:
        """One result, or a list of them."""
        if isinstance(index, slice):
            return [_verdict(found) for found in self._found[index]]
        return _verdict(self._found[index])

    def __iter__(self) -> Iterator[_Verdict]:
        """The results, in the order of the tokens."""
        return map(_verdict, self._found)

    def __repr__(self) -> str:
        """How many there are, and how many are valid."""
        return f"MergedResults(len={len(self)}, valid_count={self.valid_count})"


def _verdict(found: tuple[BatchResult, int] | VerificationError | None) -> _Verdict:
    if isinstance(found, tuple):
        results, index = found
        return results[index]
    if found is None:
        raise RuntimeError("a result has not been put in")
    return found
