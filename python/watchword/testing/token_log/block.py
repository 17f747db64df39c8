"""The rows of one block: tokens, the uses of each, and the requests that they come with."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchword.testing.token_log.cases import (
    BEFORE_THE_ARCHIVE,
    BOUND_TOKEN_WITHOUT_PROOF,
    REPLAYED,
    TIME_MISSING,
    TOKEN_MISSING,
    UNBOUND_TOKEN_WITH_PROOF,
    USED_AFTER_EXPIRY,
    VALID,
    VALID_WITH_PROOF,
    WITH_PROOFS,
    Case,
)
from watchword.testing.token_log.key_plan import AUDIENCE, KeyPlan
from watchword.testing.token_log.proofs import Holder, proof
from watchword.testing.token_log.tokens import LATEST_USE, REPEATED_FOR, Token, defective_token, valid_token

_METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE")
_RESOURCES = ("orders", "catalog", "payments")
#: Seconds before the expiry of a token in which it is not used, except for replays.
_SPARE = 30


class Row(NamedTuple):
    """One row of the log. ``used_at`` is in microseconds since 1970.

    ``time`` is the same for sorting, also if the row has none; ``case`` is the truth about it.
    """

    token: str | None
    used_at: int | None
    request_id: str
    method: str
    path: str
    proof: str | None
    time: int
    case: Case

    @property
    def uri(self) -> str:
        """The URI of the request."""
        return AUDIENCE + self.path


class _Kind(enum.Enum):
    """Which token a row has. Rows of one kind in a block share their tokens."""

    NONE = enum.auto()
    UNBOUND = enum.auto()
    EARLY = enum.auto()
    BOUND = enum.auto()
    UNBOUND_WITH_PROOF = enum.auto()
    DEFECTIVE = enum.auto()


_KINDS = {
    TOKEN_MISSING: _Kind.NONE,
    VALID: _Kind.UNBOUND,
    USED_AFTER_EXPIRY: _Kind.UNBOUND,
    TIME_MISSING: _Kind.UNBOUND,
    BEFORE_THE_ARCHIVE: _Kind.EARLY,
    **dict.fromkeys(WITH_PROOFS, _Kind.BOUND),
    UNBOUND_TOKEN_WITH_PROOF: _Kind.UNBOUND_WITH_PROOF,
}


class Block:
    """Makes the rows of one block from its slots: the case and the time (Unix seconds) of each.

    A token is used ``uses`` times, if the block has as many rows for it.
    """

    def __init__(self, keys: KeyPlan, holders: Sequence[Holder], rng: random.Random, uses: int) -> None:
        self._keys, self._holders, self._rng, self._uses = keys, holders, rng, uses

    def rows(self, slots: Sequence[tuple[Case, float]]) -> list[Row]:
        """Return the rows in the order of their times."""
        groups: dict[object, list[tuple[Case, float]]] = {}
        for case, at in slots:
            kind = _KINDS.get(case, _Kind.DEFECTIVE)
            groups.setdefault(case if kind is _Kind.DEFECTIVE or case is REPLAYED else kind, []).append((case, at))
        replayed = groups.pop(REPLAYED, [])
        rows: list[Row] = []
        for group in groups.values():
            for first in range(0, len(group), self._uses):
                rows += self._uses_of_one_token(group[first : first + self._uses])
        first_uses = [row for row in rows if row.case is VALID_WITH_PROOF]
        rows += [self._replay(self._rng.choice(first_uses)) for _ in replayed]
        return sorted(rows, key=lambda row: row.time)

    def _uses_of_one_token(self, slots: Sequence[tuple[Case, float]]) -> Iterator[Row]:
        case, at = slots[0]
        kind = _KINDS.get(case, _Kind.DEFECTIVE)
        if kind is _Kind.NONE:
            return (self._row(each, each_at, None, None) for each, each_at in slots)
        holder = self._rng.randrange(len(self._holders)) if self._holders else None
        if kind is _Kind.DEFECTIVE:
            text = defective_token(case, self._keys, self._rng, at)
            return (self._row(case, at + self._rng.uniform(0, REPEATED_FOR), text, None) for case, _ in slots)
        jkt = self._holders[holder].jkt if kind is _Kind.BOUND and holder is not None else None
        token = valid_token(self._keys, self._rng, at, jkt)
        proven_by = holder if kind in (_Kind.BOUND, _Kind.UNBOUND_WITH_PROOF) else None
        return (self._row(case, self._use(case, token), token.text, proven_by) for case, _ in slots)

    def _use(self, case: Case, token: Token) -> float:
        if case is USED_AFTER_EXPIRY:
            return token.expires_at + self._rng.uniform(61, LATEST_USE)
        return self._rng.uniform(token.issued_at, token.expires_at - _SPARE)

    def _row(self, case: Case, at: float, token: str | None, holder: int | None) -> Row:
        rng = self._rng
        method, path = rng.choice(_METHODS), f"/{rng.choice(_RESOURCES)}/{rng.randrange(1_000_000)}"
        text = None
        if holder is not None and token is not None and case is not BOUND_TOKEN_WITHOUT_PROOF:
            # The next but one has a key for the same algorithm.
            other = self._holders[(holder + 2) % len(self._holders)]
            text = proof(case, self._holders[holder], other, rng, (method, AUDIENCE + path), token, at)
        time = int(at * 1_000_000)
        used_at = None if case is TIME_MISSING else time
        return Row(token, used_at, f"{rng.getrandbits(128):032x}", method, path, text, time, case)

    def _replay(self, first: Row) -> Row:
        time = first.time + self._rng.randrange(1_000_000, 20_000_000)
        request_id = f"{self._rng.getrandbits(128):032x}"
        return first._replace(used_at=time, time=time, request_id=request_id, case=REPLAYED)
