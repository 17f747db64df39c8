"""A decision of the gate in authgent's form, for the integrations of frameworks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from watchword.providers.authgent.errors import AuthgentError
from watchword.providers.authgent.middleware.gate import Answer
from watchword.providers.authgent.models import AgentIdentity

if TYPE_CHECKING:
    from watchword import VerifiedToken
    from watchword.gate import Decision
    from watchword.providers.authgent.middleware.gate import AgentGate, Found

_Headers = TypeVar("_Headers")


class TranslatedDecision:
    """What the integrations use of a :class:`watchword.gate.Decision`, with authgent's rules and answers.

    ``found`` is what authgent's gate found of the sender; ``member`` names the member of the answer that has the
    message, which differs between authgent's frameworks.
    """

    def __init__(self, gate: AgentGate, decision: Decision, found: Found, *, member: str) -> None:
        rejected = gate.rejection(found)
        self.gate = gate
        self.decision = decision
        self.found = found
        self.allowed = decision.allowed and rejected is None
        #: The sender's identity; ``None`` on a path that is open.
        self.identity = found if isinstance(found, AgentIdentity) else None
        self.token: VerifiedToken | None = decision.token if self.allowed else None
        # authgent's own rules reject some tokens that the gate allows.
        self.code = str(found.code) if isinstance(found, AuthgentError) and decision.allowed else decision.code
        answer = rejected or Answer(decision.status, "", {})
        self.status = answer.status
        self.headers = (("Content-Type", "application/json"), *answer.headers.items())
        self.body = json.dumps({member: answer.detail}).encode()

    def forwarded_headers(self, headers: _Headers) -> _Headers:
        """Return all of them: the application reads no identity from headers."""
        return headers


__all__ = ["TranslatedDecision"]
