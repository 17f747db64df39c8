"""The tokens that were used most, counted exactly in bounded memory.

The first eight characters of a token's hash, 48 bits, fit into an integer. These integers go to temporary files, eight
bytes a row, by their remainder; each file is then counted alone. A second pass over the parts counts the complete
hashes of the most frequent ones, so that tokens whose hashes begin alike are told apart.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from heapq import nlargest
from types import TracebackType
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from watchword.audit.report.rows import TIME, records
from watchword.audit.report.totals import Span, verdicts_of

#: Tokens that the report lists.
LISTED = 20

#: Candidates for the list: more, because tokens whose hashes begin alike count together at first.
CANDIDATES = 100

#: Rows of one temporary file, about; counting them takes some 100 bytes each.
ROWS_A_FILE = 500_000
MAX_FILES = 256

_PREFIX = 8
_SPREAD = 0x1E3779B97F4A7C15  # odd, with bits all over

COLUMNS = ("time", "valid", "code", "issuer", "subject", "client_id", "token_hash")


@dataclass
class TokenUses:
    """The uses of one token."""

    token_hash: str
    issuer: str | None
    subject: str | None
    client_id: str | None
    span: Span = field(default_factory=Span)
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class MostUsed:
    """How many different tokens there are, and those used most: at least twice, the most used first."""

    distinct: int
    tokens: tuple[TokenUses, ...]


class TokenCounter:
    """Counts how often each token was used; a context manager, which owns the temporary files."""

    def __init__(self, rows: int) -> None:
        """Prepare for about this number of rows."""
        self._stack = ExitStack()
        number = min(MAX_FILES, max(1, -(-rows // ROWS_A_FILE)))
        # Not in the directory of the audit, which may be read-only; the stack closes them.
        self._files: list[IO[bytes]] = [
            self._stack.enter_context(tempfile.TemporaryFile(prefix="watchword-report-"))  # noqa: SIM115
            for _ in range(number)
        ]

    def __enter__(self) -> TokenCounter:
        """Return the counter."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Delete the temporary files."""
        self._stack.close()

    def add(self, hashes: pa.Array) -> None:
        """Count the tokens of a batch."""
        prefixes = _prefixes(hashes).drop_null()
        if len(self._files) == 1:
            self._files[0].write(_bytes(prefixes))
            return
        # A multiplication spreads the letters of base64url over the upper bits.
        spread = pc.bit_wise_and(pc.shift_right(pc.multiply(prefixes, _SPREAD), 40), 0xFFFF)
        number = len(self._files)
        places = pc.subtract(spread, pc.multiply(pc.divide(spread, number), number))
        for place, file in enumerate(self._files):
            file.write(_bytes(prefixes.filter(pc.equal(places, place))))

    def most_used(self, again: Callable[[], Iterable[pa.RecordBatch]]) -> MostUsed:
        """Return the tokens used most; ``again`` yields the batches once more, with ``COLUMNS``."""
        distinct = 0
        frequent: list[tuple[int, int]] = []
        for counted in map(_counted, self._files):
            distinct += counted.num_rows
            repeated = counted.filter(pc.greater(counted["count_all"], 1))
            if repeated.num_rows:
                top = repeated.take(pc.select_k_unstable(repeated, CANDIDATES, [("count_all", "descending")]))
                frequent += ((uses, prefix) for prefix, uses in records(top.select(["prefix", "count_all"])))
        candidates = [prefix for _, prefix in nlargest(CANDIDATES, frequent)]
        tokens = _complete(candidates, again()) if candidates else {}
        listed = sorted(tokens.values(), key=lambda token: (-token.span.uses, token.token_hash))[:LISTED]
        # Those whose hashes begin alike were counted as one so far.
        distinct += len(tokens) - len(candidates)
        return MostUsed(distinct, tuple(token for token in listed if token.span.uses > 1))


def _prefixes(hashes: pa.Array) -> pa.Array:
    """Return the beginning of each hash as an integer; null for no hash."""
    binary = hashes.cast(pa.string()).cast(pa.binary())
    whole = pc.if_else(pc.greater_equal(pc.binary_length(binary), _PREFIX), binary, None)
    return pc.binary_slice(whole, 0, _PREFIX).cast(pa.binary(_PREFIX)).view(pa.int64())


def _bytes(integers: pa.Array) -> bytes:
    size = 8
    data = integers.buffers()[1]
    return b"" if data is None else bytes(data[integers.offset * size : (integers.offset + len(integers)) * size])


def _counted(file: IO[bytes]) -> pa.Table:
    """Return the integers in a file and how often each is there."""
    file.seek(0)
    data = pa.py_buffer(file.read())
    prefixes = pa.Array.from_buffers(pa.int64(), data.size // 8, [None, data])
    return pa.table({"prefix": prefixes}).group_by("prefix", use_threads=False).aggregate([([], "count_all")])


def _complete(prefixes: list[int], batches: Iterable[pa.RecordBatch]) -> dict[str, TokenUses]:
    """Return the exact uses of all tokens whose hashes begin with one of ``prefixes``."""
    tokens: dict[str, TokenUses] = {}
    wanted = pa.array(sorted(prefixes), pa.int64())
    for batch in batches:
        chosen = batch.filter(pc.is_in(_prefixes(batch["token_hash"]), wanted))
        for token_hash, issuer, subject, client_id, verdict, first, last, uses in _uses(chosen):
            token = tokens.get(token_hash)
            if token is None:
                token = tokens[token_hash] = TokenUses(token_hash, issuer, subject, client_id)
            # A use that was rejected before the claims were read says nothing about them.
            token.issuer = token.issuer or issuer
            token.subject = token.subject or subject
            token.client_id = token.client_id or client_id
            token.span.add(uses, first, last)
            token.verdicts[verdict] += uses
    return tokens


def _uses(batch: pa.RecordBatch) -> Iterator[tuple[str, str | None, str | None, str | None, str, int, int, int]]:
    if batch.num_rows == 0:
        return
    claims = ["issuer", "subject", "client_id"]
    table = pa.table(
        {
            **{name: batch[name].cast(pa.string()) for name in ("token_hash", *claims)},
            "verdict": verdicts_of(batch),
            "time": batch["time"].cast(TIME).cast(pa.int64()),
        }
    )
    grouped = table.group_by(["token_hash", *claims, "verdict"], use_threads=False)
    yield from records(grouped.aggregate([("time", "min"), ("time", "max"), ([], "count_all")]))


__all__ = ["CANDIDATES", "COLUMNS", "LISTED", "MostUsed", "TokenCounter", "TokenUses"]
