"""For tests only: outcomes that were not verified, and a client that returns them.

A fake cannot notice that signatures are no longer checked. :class:`watchword.testing.LocalIssuer` mints attestations
that the real verifier verifies.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any, overload

from watchword.providers.paphwey.errors import PaphweyError
from watchword.providers.paphwey.models import VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.paphwey.offline import ExpectedAction

__all__ = ["FakePaphweyClient", "make_outcome"]


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


class FakePaphweyClient:
    """A client that returns outcomes, or raises errors, in the order in which they were enqueued.

    ``requests`` lists the requests that it was given, which are not checked.
    """

    def __init__(self) -> None:
        self.requests: list[VerifyOutcomeRequest] = []
        self._queue: deque[VerifiedOutcome | PaphweyError] = deque()
        self._lock = threading.Lock()

    def enqueue_outcome(self, outcome: VerifiedOutcome | PaphweyError) -> None:
        """Append an outcome, or an error to raise, to the queue. Raises ``TypeError`` for anything else."""
        if not isinstance(outcome, (VerifiedOutcome, PaphweyError)):
            raise TypeError(f"outcome must be a VerifiedOutcome or a PaphweyError, not {type(outcome).__name__}")
        with self._lock:
            self._queue.append(outcome)

    @overload
    def verify_outcome(self, request: VerifyOutcomeRequest, /) -> VerifiedOutcome: ...

    @overload
    def verify_outcome(
        self,
        /,
        *,
        attestation_token: str,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
    ) -> VerifiedOutcome: ...

    def verify_outcome(self, request: VerifyOutcomeRequest | None = None, /, **members: Any) -> VerifiedOutcome:
        """Return or raise the next of the queue, for either form of the call. Raises ``LookupError`` if it is empty."""
        asked = VerifyOutcomeRequest.of(request, members)
        with self._lock:
            self.requests.append(asked)
            if not self._queue:
                raise LookupError("no outcome is left: call enqueue_outcome once for every verify_outcome")
            outcome = self._queue.popleft()
        if isinstance(outcome, PaphweyError):
            raise outcome
        return outcome
