"""For tests only: outcomes that nothing verified, and a client that returns them.

A fake cannot notice that a signature is no longer checked. :class:`watchword.testing.LocalIssuer` mints attestations
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
    """An outcome as a good attestation gives it. What is not given is made up; every ``receipt_id`` is another."""
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
    """Returns outcomes, or raises errors, in the order in which they were enqueued, whatever it is asked.

    ``requests`` has what it was asked, for a test to look at: nothing of it is checked.
    """

    def __init__(self) -> None:
        self.requests: list[VerifyOutcomeRequest] = []
        self._queue: deque[VerifiedOutcome | PaphweyError] = deque()
        self._lock = threading.Lock()

    def enqueue_outcome(self, outcome: VerifiedOutcome | PaphweyError) -> None:
        """Puts an outcome, or an error to raise, at the end of the queue. Raises ``TypeError`` for anything else."""
        if not isinstance(outcome, (VerifiedOutcome, PaphweyError)):
            raise TypeError("an outcome is what make_outcome makes, or a PaphweyError")
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
        """The next of the queue, by either form of the call. Raises ``LookupError`` where nothing is left."""
        asked = VerifyOutcomeRequest.of(request, members)
        with self._lock:
            self.requests.append(asked)
            if not self._queue:
                raise LookupError("no outcome is left: call enqueue_outcome once for every verify_outcome")
            outcome = self._queue.popleft()
        if isinstance(outcome, PaphweyError):
            raise outcome
        return outcome
