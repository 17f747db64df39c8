"""For tests only: outcomes that were not verified, and clients that return them.

A fake cannot notice that signatures are no longer checked. :class:`watchword.testing.LocalIssuer` mints attestations
that the real verifier verifies.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from watchword.providers.paphwey.fakes import (
    AsyncFakePaphweyClient,
    FakePaphweyClient,
    make_challenge,
    make_delegation,
)
from watchword.providers.paphwey.models import VerifiedOutcome

__all__ = ["AsyncFakePaphweyClient", "FakePaphweyClient", "make_challenge", "make_delegation", "make_outcome"]


def make_outcome(
    *,
    delegation_id: str = "dlg_test",
    audience: str = "merchant.example",
    claims: Mapping[str, Any] | None = None,
    actor_chain: Mapping[str, Any] | None = None,
    delegation: Mapping[str, Any] | None = None,
    receipt_id: str | None = None,
    cnf_jwk: Mapping[str, Any] | None = None,
    valid: bool = True,
    code: str | None = None,
) -> VerifiedOutcome:
    """Return the outcome of a valid attestation. Every argument has a default; each ``receipt_id`` is new."""
    receipt_id = receipt_id or f"rcpt_{uuid.uuid4().hex}"
    return VerifiedOutcome(
        valid=valid,
        claims={"aud": audience, "delegation_id": delegation_id, "receipt_id": receipt_id, **(claims or {})},
        delegation={"delegation_id": delegation_id, **(delegation or {})},
        actor_chain=dict(actor_chain or {}),
        receipt_id=receipt_id,
        cnf_jwk=None if cnf_jwk is None else dict(cnf_jwk),
        code=code,
    )
