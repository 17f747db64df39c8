"""A log of access tokens used over a year, with known defects in known numbers."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator

from watchword import KeySet, Policy
from watchword.testing.token_log.block import Block, Row
from watchword.testing.token_log.cases import REPLAYED
from watchword.testing.token_log.key_plan import AUDIENCE, ISSUERS, KeyPlan
from watchword.testing.token_log.plan import Plan
from watchword.testing.token_log.proofs import Holder, holders


class TokenLog:
    """A log of ``rows`` requests in 2025 (UTC): each with an access token, and the time at which it was used.

    Three issuers, each with two algorithms and twelve keys (see :class:`KeyPlan`). ``uses_per_token`` is how often a
    token is used, all within its lifetime but for the known late uses. With ``proofs``, a fifth of the rows have a
    token that is bound to a key, and a DPoP proof.

    Everything follows from the arguments: the same ones make the same bytes. Raises ``ValueError`` if there are less
    than 1,000 rows, or ``uses_per_token`` is less than 1.
    """

    def __init__(self, rows: int, *, seed: int = 1, uses_per_token: int = 1, proofs: bool = False) -> None:
        if uses_per_token < 1:
            raise ValueError(f"uses_per_token must be at least 1; it is {uses_per_token}")
        self.rows = rows
        self.seed = seed
        self.uses_per_token = uses_per_token
        self.proofs = proofs
        self.keys = KeyPlan(seed)
        self._plan = Plan(rows, self.keys, proofs=proofs)

    @property
    def blocks(self) -> int:
        """The number of blocks in which the rows are made, independently of each other."""
        return self._plan.blocks

    @property
    def policy(self) -> Policy:
        """The policy of the whole year, for all issuers."""
        return Policy(issuer=ISSUERS, audience=AUDIENCE, algorithms=("EdDSA", "ES256", "RS256"))

    @property
    def codes(self) -> dict[str, int]:
        """The number of rows with each expected error code, by code."""
        return {code: count for code, count in self._plan.codes().items() if code is not None}

    @property
    def valid_count(self) -> int:
        """The number of rows without an error code, replays included."""
        return self._plan.codes()[None]

    @property
    def replay_count(self) -> int:
        """The number of rows that repeat the proof of a row before: none without ``proofs``."""
        return self._plan.counts.get(REPLAYED, 0)

    @property
    def defects(self) -> dict[str, int]:
        """The number of rows with each defect, by name: finer than :attr:`codes`."""
        return {case.name: count for case, count in self._plan.counts.items()}

    def block(self, number: int) -> list[Row]:
        """Return the rows of a block, from 0, in the order of their times; ``row.case`` is the truth about each."""
        rng = random.Random(f"{self.seed}/{number}")  # noqa: S311 - the contents of a test, not secrets
        return Block(self.keys, self._holders, rng, self.uses_per_token).rows(self._plan.block(number))

    def first_row(self, number: int) -> int:
        """Return the number of the first row of a block; rows are numbered from 1."""
        return self._plan.first_row(number) + 1

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows: in the order of their times, but for uses that overlap the next block."""
        for number in range(self.blocks):
            yield from self.block(number)

    def key_set(self, issuer: str, at: float) -> KeySet:
        """Return the keys that an issuer publishes at that time (Unix seconds)."""
        return self.keys.key_set(issuer, at)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return all keys of all issuers and times as a JWK Set: what somebody has who recorded nothing."""
        return {"keys": [planned.key.public_jwk() for planned in self.keys.keys]}

    @functools.cached_property
    def _holders(self) -> tuple[Holder, ...]:
        return holders(self.seed) if self.proofs else ()
