"""AgentWrit: the verifying side of the package ``agentwrit``, under its names.

    from watchword.providers.agentwrit import Broker, scope_is_subset, trust_broker, validate

    trust_broker(Broker("https://broker.example", public_key=pem))  # once, when the program starts
    result = validate("https://broker.example", token)
    result.valid and scope_is_subset(["read:data:customer-7291"], result.claims.scope)

``docs/providers/agentwrit.md`` lists what is checked, and the differences from the package.
"""

from __future__ import annotations

from watchword.providers.agentwrit.broker import Broker
from watchword.providers.agentwrit.errors import (
    AgentWritError,
    AuthenticationError,
    AuthorizationError,
    CryptoError,
    ProblemResponseError,
    RateLimitError,
    TransportError,
    error_for,
)
from watchword.providers.agentwrit.models import AgentClaims, DelegationRecord, ProblemDetail, ValidateResult
from watchword.providers.agentwrit.problem import read_problem
from watchword.providers.agentwrit.scope import scope_is_subset, trust_broker, validate
from watchword.providers.agentwrit.trusted_brokers import TRUSTED_BROKERS, TrustedBrokers
from watchword.providers.spiffe import SpiffeId

__all__ = [
    "TRUSTED_BROKERS",
    "AgentClaims",
    "AgentWritError",
    "AuthenticationError",
    "AuthorizationError",
    "Broker",
    "CryptoError",
    "DelegationRecord",
    "ProblemDetail",
    "ProblemResponseError",
    "RateLimitError",
    "SpiffeId",
    "TransportError",
    "TrustedBrokers",
    "ValidateResult",
    "error_for",
    "read_problem",
    "scope_is_subset",
    "trust_broker",
    "validate",
]
