"""The issuers of a Verifier: an immutable table, replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from watchword import _kernel
from watchword._kernel import Policy
from watchword.arguments import as_audience
from watchword.configured_issuers import ConfiguredIssuers
from watchword.errors import WrongIssuerError
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys
from watchword.jwks.source import KeySource


@dataclass(frozen=True, slots=True, eq=False)
class IssuerEntry:
    """One issuer: its policy and its keys. With slots, as they are read for every token."""

    issuer: Issuer
    policy: Policy
    keys: IssuerKeys
    source: KeySource
    """The source of ``keys``."""

    @classmethod
    def of(cls, keys: IssuerKeys, policy: Policy) -> IssuerEntry:
        """Return the entry of an issuer."""
        return cls(keys.issuer, policy, keys, keys.source)


class IssuerTable:
    """Entries, and which of them a token is from.

    ``requirements`` are the keywords of Policy, with the limits, for what an issuer does not set itself. Raises
    ``ValueError`` if two issuers claim the same tokens.
    """

    __slots__ = (
        "_by_index",
        "_configured",
        "_find",
        "_max_header_bytes",
        "_max_token_bytes",
        "_requirements",
        "entries",
        "only",
        "unknown_issuer_policy",
    )

    def __init__(self, entries: Iterable[IssuerEntry], requirements: Mapping[str, Any]) -> None:
        several = tuple(entries)
        self.entries = {entry.issuer.issuer: entry for entry in several}
        if len(self.entries) < len(several):
            raise ValueError("an issuer is given twice")
        #: The entry, if it is the only one: its tokens are verified without parsing them before.
        self.only = several[0] if len(several) == 1 else None
        self._by_index = several
        self._requirements = requirements
        # The largest limits of all issuers: the issuer that a token names then applies its own.
        self._max_token_bytes = self._largest("max_token_bytes")
        self._max_header_bytes = self._largest("max_header_bytes")
        self._configured = ConfiguredIssuers(
            [entry.issuer for entry in several], self._max_token_bytes, self._max_header_bytes
        )
        # Called for every token if there are several.
        self._find = self._configured.table.find
        limits = {"max_token_bytes": self._max_token_bytes, "max_header_bytes": self._max_header_bytes}
        #: For the checks without a key of a token that names none of them: other errors are reported first.
        self.unknown_issuer_policy = self.only.policy if self.only is not None else Policy(**{**requirements, **limits})

    @property
    def issuers(self) -> _kernel.IssuerTable:
        """The issuers by the names that their tokens may have, in the order of ``entries``."""
        return self._configured.table

    def with_issuer(self, entry: IssuerEntry) -> IssuerTable:
        """Return the table with one more entry. Raises ``ValueError`` if another issuer claims the same tokens."""
        return IssuerTable((*self.entries.values(), entry), self._requirements)

    def without(self, removed: IssuerEntry) -> IssuerTable:
        """Return the table without an entry."""
        return IssuerTable((entry for entry in self.entries.values() if entry is not removed), self._requirements)

    def __contains__(self, entry: IssuerEntry) -> bool:
        """Return whether this entry itself is in the table."""
        return self.entries.get(entry.issuer.issuer) is entry

    def policy_of(self, entry: IssuerEntry, audience: str | Iterable[str] | None) -> Policy:
        """Return the policy of an entry, with another audience unless that is ``None``."""
        if audience is None:
            return entry.policy
        return entry.issuer.policy(self._requirements, {"audience": as_audience(audience)})

    def find(self, token: str | bytes) -> IssuerEntry | None:
        """Return the entry that an unverified token names; ``None`` if it names none of them."""
        index = self._find(token)
        return None if index is None else self._by_index[index]

    def error(self, token: str | bytes) -> WrongIssuerError:
        """Return the error for a token that names none of them."""
        names = _kernel.unverified_names(token, self._max_token_bytes, self._max_header_bytes)
        return self._configured.error(names.issuer).about(token)

    def _largest(self, limit: str) -> int:
        default: int = self._requirements[limit]
        own = (getattr(entry.issuer, limit) for entry in self.entries.values())
        return max((default if one is None else one for one in own), default=default)
