"""Clients for tests, which return what was enqueued and send nothing."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar, overload

from watchword.providers.paphwey.errors import PaphweyError
from watchword.providers.paphwey.models import (
    Challenge,
    CreateDelegationRequest,
    Delegation,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.offline import ExpectedAction

if TYPE_CHECKING:
    import types

T = TypeVar("T")

__all__ = ["AsyncFakePaphweyClient", "FakePaphweyClient", "make_challenge", "make_delegation"]


def make_delegation(*, delegation_id: str | None = None, status: str = "active") -> Delegation:
    """Return a delegation; each ``delegation_id`` is new by default."""
    return Delegation(delegation_id=delegation_id or f"dlg_{uuid.uuid4().hex}", status=status)


def make_challenge(*, approval_url: str | None = None, challenge_id: str | None = None) -> Challenge:
    """Return a challenge; each ``challenge_id`` is new by default, and part of the ``approval_url``."""
    challenge_id = challenge_id or f"chl_{uuid.uuid4().hex}"
    url = approval_url or f"https://paphwey.test/approve/{challenge_id}"
    return Challenge(approval_url=url, challenge_id=challenge_id)


class _Fake:
    """What both fakes share: the queues, and what was asked."""

    def __init__(self) -> None:
        self.requests: list[VerifyOutcomeRequest] = []
        self.created: list[CreateDelegationRequest] = []
        self.presented: list[tuple[str, PresentDelegationRequest]] = []
        self._outcomes: deque[VerifiedOutcome | PaphweyError] = deque()
        self._delegations: deque[Delegation | PaphweyError] = deque()
        self._challenges: deque[Challenge | PaphweyError] = deque()
        self._cached: dict[tuple[str, str | None], Delegation | Challenge] = {}
        self._lock = threading.Lock()

    def enqueue_outcome(self, outcome: VerifiedOutcome | PaphweyError) -> None:
        """Append an outcome, or an error to raise, to the queue. Raises ``TypeError`` for anything else."""
        if not isinstance(outcome, (VerifiedOutcome, PaphweyError)):
            raise TypeError(f"outcome must be a VerifiedOutcome or a PaphweyError, not {type(outcome).__name__}")
        with self._lock:
            self._outcomes.append(outcome)

    def enqueue_delegation(self, delegation: Delegation | PaphweyError) -> None:
        """Append a delegation, or an error to raise, to the queue. Raises ``TypeError`` for anything else."""
        if not isinstance(delegation, (Delegation, PaphweyError)):
            raise TypeError(f"delegation must be a Delegation or a PaphweyError, not {type(delegation).__name__}")
        with self._lock:
            self._delegations.append(delegation)

    def enqueue_challenge(self, challenge: Challenge | PaphweyError) -> None:
        """Append a challenge, or an error to raise, to the queue. Raises ``TypeError`` for anything else."""
        if not isinstance(challenge, (Challenge, PaphweyError)):
            raise TypeError(f"challenge must be a Challenge or a PaphweyError, not {type(challenge).__name__}")
        with self._lock:
            self._challenges.append(challenge)

    def _create(self, request: CreateDelegationRequest, key: str | None) -> Delegation:
        if not isinstance(request, CreateDelegationRequest):
            raise TypeError(f"request must be a CreateDelegationRequest, not {type(request).__name__}")
        with self._lock:
            self.created.append(request)
            found = self._cached.get(("create", key))
            if isinstance(found, Delegation):
                return found
            made = _next(self._delegations) or make_delegation()
            if key is not None:
                self._cached["create", key] = made
            return made

    def _present(
        self, delegation_id: str, request: PresentDelegationRequest | None, members: dict[str, Any], key: str | None
    ) -> Challenge:
        asked = PresentDelegationRequest.of(request, members)
        with self._lock:
            self.presented.append((delegation_id, asked))
            found = self._cached.get((delegation_id, key))
            if isinstance(found, Challenge):
                return found
            made = _next(self._challenges) or make_challenge()
            if key is not None:
                self._cached[delegation_id, key] = made
            return made

    def _verify(self, request: VerifyOutcomeRequest | None, members: dict[str, Any]) -> VerifiedOutcome:
        asked = VerifyOutcomeRequest.of(request, members)
        with self._lock:
            self.requests.append(asked)
            outcome = _next(self._outcomes)
        if outcome is None:
            # No default: a test that forgets the outcome must not pass.
            raise LookupError("no outcome is left: call enqueue_outcome once for every verify_outcome")
        return outcome


def _next(queue: deque[T | PaphweyError]) -> T | None:
    """Return or raise the first of a queue; ``None`` if it is empty."""
    if not queue:
        return None
    first = queue.popleft()
    if isinstance(first, PaphweyError):
        raise first
    return first


class FakePaphweyClient(_Fake):
    """A client that returns what was enqueued, or raises it, in that order. It sends and checks nothing.

    Without an enqueued delegation or challenge, a new one is returned; the same one for the same ``idempotency_key``.
    Outcomes must be enqueued. ``requests`` lists the requests of ``verify_outcome``, ``created`` those of
    ``create_delegation``, ``presented`` those of ``present_delegation`` with the delegations' ids.
    """

    def create_delegation(self, request: CreateDelegationRequest, *, idempotency_key: str | None = None) -> Delegation:
        """Return or raise the next enqueued delegation, or return a new one."""
        return self._create(request, idempotency_key)

    def present_delegation(
        self,
        delegation_id: str,
        request: PresentDelegationRequest | None = None,
        *,
        idempotency_key: str | None = None,
        **members: Any,  # noqa: ANN401 - those of the request
    ) -> Challenge:
        """Return or raise the next enqueued challenge, or return a new one, for either form of the call."""
        return self._present(delegation_id, request, members, idempotency_key)

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
        return self._verify(request, members)

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> FakePaphweyClient:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Do nothing."""


class AsyncFakePaphweyClient(_Fake):
    """As :class:`FakePaphweyClient`, in the place of an ``AsyncPaphweyClient``: the calls are coroutines."""

    async def create_delegation(
        self, request: CreateDelegationRequest, *, idempotency_key: str | None = None
    ) -> Delegation:
        """As :meth:`FakePaphweyClient.create_delegation`."""
        return self._create(request, idempotency_key)

    async def present_delegation(
        self,
        delegation_id: str,
        request: PresentDelegationRequest | None = None,
        *,
        idempotency_key: str | None = None,
        **members: Any,  # noqa: ANN401 - those of the request
    ) -> Challenge:
        """As :meth:`FakePaphweyClient.present_delegation`."""
        return self._present(delegation_id, request, members, idempotency_key)

    async def verify_outcome(self, request: VerifyOutcomeRequest | None = None, /, **members: Any) -> VerifiedOutcome:  # noqa: ANN401
        """As :meth:`FakePaphweyClient.verify_outcome`."""
        return self._verify(request, members)

    async def aclose(self) -> None:
        """Do nothing."""

    async def __aenter__(self) -> AsyncFakePaphweyClient:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Do nothing."""
