"""The results of a batch that took more than one call of the kernel: several issuers, or keys fetched meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import SupportsIndex, overload

from watchword._kernel import BatchResult, VerifiedToken
from watchword.errors import ErrorCode, VerificationError

_Verdict = VerifiedToken | VerificationError

# A result is taken from the kernel's when it is asked for.
_Found = tuple[BatchResult, int] | VerificationError


class MergedResults(Sequence[_Verdict]):
    """A sequence with the result of each token, in their order, as :class:`~watchword.BatchResult` is.

    Each is a :class:`~watchword.VerifiedToken` or a :class:`~watchword.VerificationError`.
    """

    def __init__(self, found: list[_Found], codes: list[ErrorCode | None]) -> None:
        self._found = found
        self._codes = codes

    @property
    def valid_count(self) -> int:
        """The number of valid tokens."""
        return self._codes.count(None)

    def codes(self) -> list[ErrorCode | None]:
        """Return the error code of each token, ``None`` for a valid one."""
        return self._codes.copy()

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self._found)

    @overload
    def __getitem__(self, index: SupportsIndex) -> _Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Verdict]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> _Verdict | list[_Verdict]:
        """Return one result, or a list of them."""
        if isinstance(index, slice):
            return [_verdict(found) for found in self._found[index]]
        return _verdict(self._found[index])

    def __iter__(self) -> Iterator[_Verdict]:
        """Return the results, in the order of the tokens."""
        return map(_verdict, self._found)

    def __repr__(self) -> str:
        """Return how many there are, and how many are valid."""
        return f"MergedResults(len={len(self)}, valid_count={self.valid_count})"


class ResultBuilder:
    """Collects the results of ``count`` tokens from several calls of the kernel."""

    def __init__(self, count: int) -> None:
        self._found: list[_Found | None] = [None] * count
        self._codes: list[ErrorCode | None] = [None] * count
        self._whole: BatchResult | None = None

    def put(self, indices: Sequence[int], results: BatchResult) -> None:
        """Take the results of the tokens at ``indices`` (in ascending order) in place of earlier ones."""
        if len(results) == len(self._found):
            self._whole, self._codes = results, results.codes()
            return
        self._spread()
        for place, (index, code) in enumerate(zip(indices, results.codes(), strict=True)):
            self._found[index] = (results, place)
            self._codes[index] = code

    def put_errors(self, errors: Iterable[tuple[int, VerificationError]]) -> None:
        """Take errors that are not the kernel's."""
        for index, error in errors:
            self._spread()
            self._found[index] = error
            self._codes[index] = error.code

    def with_unknown_key(self, indices: Sequence[int]) -> list[int]:
        """Return those of the tokens that were rejected as their key was unknown."""
        return [index for index in indices if self._codes[index] is ErrorCode.UNKNOWN_KEY]

    def without_key(self, indices: Sequence[int]) -> list[int]:
        """Return those of the tokens that were rejected as their key was unknown or unavailable."""
        codes = (ErrorCode.UNKNOWN_KEY, ErrorCode.KEYS_UNAVAILABLE)
        return [index for index in indices if self._codes[index] in codes]

    def build(self) -> BatchResult | MergedResults:
        """Return the results; the kernel's own if they are of one call. Raises ``RuntimeError`` if one is missing."""
        if self._whole is not None:
            return self._whole
        found = [one for one in self._found if one is not None]
        if len(found) < len(self._found):
            raise RuntimeError("a token has no result")
        return MergedResults(found, self._codes)

    def _spread(self) -> None:
        if self._whole is not None:
            self._found = [(self._whole, index) for index in range(len(self._whole))]
            self._whole = None


def _verdict(found: _Found) -> _Verdict:
    if isinstance(found, tuple):
        results, index = found
        return results[index]
    return found
