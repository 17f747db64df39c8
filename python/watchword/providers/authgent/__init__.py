"""authgent: the package ``authgent`` under its names, verification and client. Change the imports, and keep the code.

    token = await AgentAuthClient("http://localhost:8000").get_token(client_id=..., client_secret=...)
    identity = await verify_token(token=raw, issuer="http://localhost:8000")
    verify_delegation_chain(identity.delegation_chain, max_depth=3, require_human_root=True)

``docs/providers/authgent.md`` lists what is checked, and the differences from the package.
"""

from __future__ import annotations

from watchword.providers.authgent.client import AgentAuthClient
from watchword.providers.authgent.client_sync import AgentAuthClientSync
from watchword.providers.authgent.delegation import DelegationChain, verify_delegation_chain
from watchword.providers.authgent.dpop import DPoPClient, verify_dpop_proof
from watchword.providers.authgent.errors import (
    AuthgentError,
    DelegationError,
    DPoPError,
    InsufficientScopeError,
    InvalidTokenError,
    ServerError,
)
from watchword.providers.authgent.jwks import JWKSFetcher
from watchword.providers.authgent.models import AgentIdentity, TokenClaims
from watchword.providers.authgent.results import AgentResult, ClientResult, TokenResult
from watchword.providers.authgent.session import DEFAULT_SESSION, Session
from watchword.providers.authgent.verify import verify_token, verify_token_sync

__all__ = [
    "DEFAULT_SESSION",
    "AgentAuthClient",
    "AgentAuthClientSync",
    "AgentIdentity",
    "AgentResult",
    "AuthgentError",
    "ClientResult",
    "DPoPClient",
    "DPoPError",
    "DelegationChain",
    "DelegationError",
    "InsufficientScopeError",
    "InvalidTokenError",
    "JWKSFetcher",
    "ServerError",
    "Session",
    "TokenClaims",
    "TokenResult",
    "verify_delegation_chain",
    "verify_dpop_proof",
    "verify_token",
    "verify_token_sync",
]
