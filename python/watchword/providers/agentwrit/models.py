"""The models of ``agentwrit.models``. What a broker sends beyond their fields is kept in ``extra``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from watchword import DelegationChain
from watchword.errors import ErrorCode


@dataclass(frozen=True)
class DelegationRecord:
    """One delegation of a chain.

    ``agent`` delegated (a SPIFFE ID) and had the scopes ``scope``; ``delegated_at`` is the time (RFC 3339);
    ``signature`` is the broker's, over the other members, in hexadecimal.
    """

    agent: str
    scope: list[str]
    delegated_at: str
    signature: str = field(default="", repr=False)


@dataclass(frozen=True)
class AgentClaims:
    """The claims of a token; times in Unix seconds.

    ``sub`` is a SPIFFE ID, and ``delegation_chain`` has the oldest record first. ``task_id`` and ``orch_id`` are those
    of the agent that was given the task, and empty in a token of an application or of the admin. ``extra`` has all
    other claims.
    """

    iss: str
    sub: str
    aud: list[str]
    exp: int
    nbf: int
    iat: int
    jti: str
    scope: list[str]
    task_id: str
    orch_id: str
    sid: str | None = None
    delegation_chain: list[DelegationRecord] | None = None
    chain_hash: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ValidateResult:
    """The verdict on a token: its ``claims`` if it is ``valid``, else ``error``, a sentence, and its ``code``.

    ``checked_by`` says whose verdict it is: ``"key"`` if the token was verified here, with the broker's key (whether
    it was revoked is then unknown); ``"broker"`` if the broker was asked, which knows what was revoked; ``None`` if the
    token was rejected without either, as nothing that could be a token.

    ``delegation`` is the delegation chain of a token that was verified here, for requirements of your own:
    ``result.delegation.check(allowed_actors=...)``. It is ``None`` if the broker was asked: its answer has the chain in
    ``claims``, unverified.
    """

    valid: bool
    claims: AgentClaims | None = None
    error: str | None = None
    code: ErrorCode | None = None
    delegation: DelegationChain | None = None
    checked_by: Literal["key", "broker"] | None = None


@dataclass(frozen=True)
class DelegatedToken:
    """The token of a delegation: for another agent, and with narrower scopes.

    ``expires_in`` is its lifetime in seconds, ``delegation_chain`` has the oldest record first.
    """

    access_token: str = field(repr=False)
    expires_in: int
    delegation_chain: list[DelegationRecord]
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RegisterResult:
    """A registered agent: its SPIFFE ID and its token, whose lifetime ``expires_in`` is in seconds."""

    agent_id: str
    access_token: str = field(repr=False)
    expires_in: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class HealthStatus:
    """The state of a broker: ``status`` is ``"ok"`` if it serves requests; ``uptime`` is in seconds."""

    status: str
    version: str
    uptime: int
    db_connected: bool
    audit_events_count: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ProblemDetail:
    """A broker's problem details (RFC 9457, which obsoletes RFC 7807).

    ``error_code``, ``request_id`` (the ``X-Request-ID`` of the response) and ``hint`` are extensions of the broker.
    """

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    instance: str = ""
    status: int | None = None
    error_code: str | None = None
    request_id: str | None = None
    hint: str | None = None


__all__ = [
    "AgentClaims",
    "DelegatedToken",
    "DelegationRecord",
    "HealthStatus",
    "ProblemDetail",
    "RegisterResult",
    "ValidateResult",
]
