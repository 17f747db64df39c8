"""AgentWrit: the package ``agentwrit``, under its names.

    from watchword.providers.agentwrit import AgentWritApp, Broker, scope_is_subset, trust_broker, validate

    app = AgentWritApp("https://broker.example", client_id, client_secret)
    with app.create_agent("my-service", "task-1", ["read:data:customer-7291"]) as agent:
        token = agent.access_token

    trust_broker(Broker("https://broker.example", public_key=pem))  # else validate asks the broker
    result = validate("https://broker.example", token)
    result.valid and scope_is_subset(["read:data:customer-7291"], result.claims.scope)

``docs/providers/agentwrit.md`` lists what is checked, and the differences from the package.
"""

from __future__ import annotations

from watchword.providers.agentwrit.agent import Agent, AsyncAgent
from watchword.providers.agentwrit.app import AgentWritApp, AsyncAgentWritApp
from watchword.providers.agentwrit.broker import Broker
from watchword.providers.agentwrit.errors import (
    AgentWritError,
    AuthenticationError,
    AuthorizationError,
    CryptoError,
    InvalidResponseError,
    ProblemResponseError,
    RateLimitError,
    TransportError,
    error_for,
)
from watchword.providers.agentwrit.models import (
    AgentClaims,
    DelegatedToken,
    DelegationRecord,
    HealthStatus,
    ProblemDetail,
    RegisterResult,
    ValidateResult,
)
from watchword.providers.agentwrit.problem import read_problem
from watchword.providers.agentwrit.scope import scope_is_subset, trust_broker, validate, validate_async
from watchword.providers.agentwrit.trusted_brokers import TRUSTED_BROKERS, TrustedBrokers
from watchword.providers.spiffe import SpiffeId

__all__ = [
    "TRUSTED_BROKERS",
    "Agent",
    "AgentClaims",
    "AgentWritApp",
    "AgentWritError",
    "AsyncAgent",
    "AsyncAgentWritApp",
    "AuthenticationError",
    "AuthorizationError",
    "Broker",
    "CryptoError",
    "DelegatedToken",
    "DelegationRecord",
    "HealthStatus",
    "InvalidResponseError",
    "ProblemDetail",
    "ProblemResponseError",
    "RateLimitError",
    "RegisterResult",
    "SpiffeId",
    "TransportError",
    "TrustedBrokers",
    "ValidateResult",
    "error_for",
    "read_problem",
    "scope_is_subset",
    "trust_broker",
    "validate",
    "validate_async",
]
