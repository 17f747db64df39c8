"""The models of ``agentwrit.models`` that verification uses."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    of the agent that was given the task, and empty in a token of an application or of the admin.
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


@dataclass(frozen=True)
class ValidateResult:
    """The verdict on a token: its ``claims`` if it is ``valid``, else ``error``, a sentence, and its ``code``.

    ``delegation`` is the delegation chain of a valid token, for requirements of your own:
    ``result.delegation.check(allowed_actors=...)``.
    """

    valid: bool
    claims: AgentClaims | None = None
    error: str | None = None
    code: ErrorCode | None = None
    delegation: DelegationChain | None = None


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


__all__ = ["AgentClaims", "DelegationRecord", "ProblemDetail", "ValidateResult"]
