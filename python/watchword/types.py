"""Names for the literal types in this package's signatures, for annotations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from watchword._kernel import AnyAudience, AnyTenant

__all__ = ["Backend", "PolicyArguments", "Prepare"]

Backend: TypeAlias = Literal["default", "reference"]
"""The implementation that verifies signatures: the kernel's own, or the ``jsonwebtoken`` crate.

Both give the same verdicts.
"""

Prepare: TypeAlias = Literal["auto", "never"]
"""Whether keys may get precomputed tables: ``auto`` (after some uses, or by ``KeySet.prepare``) or ``never``."""


class PolicyArguments(TypedDict, total=False):
    """The keyword arguments of :class:`watchword.Policy`, each of which may be omitted."""

    issuer: str | Iterable[str] | None
    audience: str | Iterable[str] | AnyAudience | None
    algorithms: Iterable[str] | None
    types: Iterable[str | None]
    leeway: float
    required: Iterable[str]
    bound_tokens: Literal["reject", "accept"]
    scope_claims: Iterable[str]
    tenants: Iterable[str] | AnyTenant | None
    trust_domain: str | None
    audience_claim: str
    max_token_bytes: int
    max_header_bytes: int
