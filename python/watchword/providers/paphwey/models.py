"""Paphwey's models (pydantic): strict (no coercion) and frozen.

Those of requests are closed (no other members). Those of answers are open: members that the gateway adds are kept, as
attributes and in ``model_extra``. Their errors and reprs contain no token and none of an attestation's claims.
"""

from __future__ import annotations

try:
    from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
except ImportError as error:
    raise ImportError("watchword.providers.paphwey needs pydantic: pip install 'watchword[paphwey]'") from error

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "ActionContext",
    "Challenge",
    "CreateDelegationRequest",
    "Delegation",
    "PresentDelegationRequest",
    "VerifiedOutcome",
    "VerifyOutcomeRequest",
]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class _Answer(_Model):
    model_config = ConfigDict(extra="allow")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # The members that the gateway adds may be anything, secrets too.
        extra = self.model_extra or {}
        return ((name, value) for name, value in super().__repr_args__() if name not in extra)


class ActionContext(_Model):
    """An action: a scope, an amount (``amount_minor``, in the currency's smallest unit) and a merchant."""

    scope: str
    amount_minor: int | None = Field(default=None, ge=0)
    currency: str | None = None
    merchant: str | None = None


class CreateDelegationRequest(_Model):
    """What a principal is to grant to an agent. ``valid_until`` has a time zone."""

    principal_email: str = Field(repr=False)
    provider: str
    agent_id: str
    allowed_scopes: list[str]
    allowed_challenge_types: list[str]
    max_amount_minor: int | None = Field(default=None, ge=0)
    currency: str | None = None
    valid_until: AwareDatetime
    metadata: dict[str, Any] = Field(default_factory=dict)


class Delegation(_Answer):
    """A delegation: its id, which every later step needs, and its status, such as ``active``."""

    delegation_id: str
    status: str


class PresentDelegationRequest(_Model):
    """A challenge for one action, to be approved by the principal. ``ttl_seconds`` is how long it stays open."""

    challenge_type: str
    audience: str
    payload: dict[str, Any]
    callback_url: str | None = None
    ttl_seconds: int | None = Field(default=None, gt=0)

    @classmethod
    def of(cls, request: PresentDelegationRequest | None, members: dict[str, Any]) -> PresentDelegationRequest:
        """Return the request, or one made of its members.

        Raises ``TypeError`` if both are given, or if ``request`` is not a :class:`PresentDelegationRequest`.
        """
        if request is None:
            return cls(**members)
        if members or not isinstance(request, cls):
            raise TypeError("give one PresentDelegationRequest, or its members by name")
        return request


class Challenge(_Answer):
    """A challenge that waits for the principal's approval.

    ``approval_url`` is for the principal's own device, never for the agent. ``challenge_id`` is ``None`` if the gateway
    does not name it.
    """

    approval_url: str = Field(repr=False)
    challenge_id: str | None = None


class VerifyOutcomeRequest(_Model):
    """An attestation, and what is expected of it."""

    attestation_token: str = Field(repr=False)
    audience: str
    expected_delegation_id: str
    expected_action: dict[str, Any] | ActionContext | None = Field(default=None, union_mode="left_to_right")

    @classmethod
    def of(cls, request: VerifyOutcomeRequest | None, members: dict[str, Any]) -> VerifyOutcomeRequest:
        """Return the request, or one made of its members.

        Raises ``TypeError`` if both are given, or if ``request`` is not a :class:`VerifyOutcomeRequest`.
        """
        if request is None:
            action = members.get("expected_action")
            return cls(**members | ({"expected_action": dict(action)} if isinstance(action, Mapping) else {}))
        if members or not isinstance(request, cls):
            raise TypeError("give one VerifyOutcomeRequest, or its members by name")
        return request


class VerifiedOutcome(_Answer):
    """The contents of a verified attestation.

    ``claims`` are the token's claims; ``delegation`` is the delegation's snapshot (at least its ``delegation_id``);
    ``actor_chain`` the principal and the agent; ``receipt_id`` the id to reconcile by; ``cnf_jwk`` the confirmation
    key, for :class:`~watchword.providers.paphwey.verify.PinnedKey`. What the attestation lacks is empty or ``None``.

    ``valid`` is false only if the verifier has ``on_invalid="return"``: all else is then empty, and ``code`` is the
    reason.
    """

    valid: bool
    claims: dict[str, Any] = Field(default_factory=dict, repr=False)
    delegation: dict[str, Any] = Field(default_factory=dict, repr=False)
    actor_chain: dict[str, Any] = Field(default_factory=dict, repr=False)
    receipt_id: str | None = None
    cnf_jwk: dict[str, Any] | None = Field(default=None, repr=False)
    code: str | None = None
