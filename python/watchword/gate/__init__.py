"""The gate: from a request to a decision, for middleware and for whatever stands in front of an application.

    gate = Gate(
        verifier,
        [Route("/orders/{id}", methods=["GET"], scopes=["orders:read"]), Route("/health", public=True)],
        public_url="https://api.example",
    )
    decision = gate.check(method="GET", target="/orders/1?x=2", headers=[("Authorization", "Bearer …")])
    if decision.allowed:
        ...  # decision.token
    else:
        ...  # decision.status, decision.headers, decision.body

The integrations for frameworks only pass requests to it, and write its answers.
"""

from watchword._kernel import Decision
from watchword.gate.config import GateConfig
from watchword.gate.config_error import ConfigError, ConfigProblem
from watchword.gate.gate import Gate, GateStats, OnVerdict
from watchword.gate.guard import Guard
from watchword.gate.identity import Identity, IdentityHeaders
from watchword.gate.route import Route
from watchword.gate.trusted_proxy import TrustedProxy

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "Decision",
    "Gate",
    "GateConfig",
    "GateStats",
    "Guard",
    "Identity",
    "IdentityHeaders",
    "OnVerdict",
    "Route",
    "TrustedProxy",
]
