"""AuthPI: the verifying side of the package ``authpi_idp``, under its names.

    from watchword.providers.authpi import IdTokenVerifier, has_access, parse_scope

    idp = IdTokenVerifier("https://idp.authpi.com/iss_xxx", "cli_xxx")
    agent = idp.create_agent(session["tokens"])
    agent.has_access_in("org_xxx", "write", "projects")

``docs/providers/authpi.md`` lists what is checked, and the differences from the package. Install with
``watchword[authpi]``, which includes pydantic.
"""

from __future__ import annotations

try:
    import pydantic as _pydantic  # noqa: F401 - only whether it is installed
except ImportError as error:
    raise ImportError("watchword.providers.authpi needs pydantic: pip install 'watchword[authpi]'") from error

from watchword.providers.authpi.agent import AgentType, AuthenticatedAgent, PrincipalType
from watchword.providers.authpi.errors import (
    AccountLinkingRequiredError,
    ConfigurationError,
    ConsentRequiredError,
    InsufficientScopeError,
    InteractionRequiredError,
    LoginRequiredError,
    OAuthError,
    RefreshError,
    SessionExpiredError,
    SubjectMismatchError,
    TokenExpiredError,
    TokenParseError,
    UserBlockedError,
)
from watchword.providers.authpi.id_token import IdTokenVerifier
from watchword.providers.authpi.scopes import has_access, parse_scope
from watchword.providers.authpi.types import Organization, ParsedScope, TokenSet, UserInfo
from watchword.providers.profiles.authpi import FOREIGN_CLAIMS

__all__ = [
    "FOREIGN_CLAIMS",
    "AccountLinkingRequiredError",
    "AgentType",
    "AuthenticatedAgent",
    "ConfigurationError",
    "ConsentRequiredError",
    "IdTokenVerifier",
    "InsufficientScopeError",
    "InteractionRequiredError",
    "LoginRequiredError",
    "OAuthError",
    "Organization",
    "ParsedScope",
    "PrincipalType",
    "RefreshError",
    "SessionExpiredError",
    "SubjectMismatchError",
    "TokenExpiredError",
    "TokenParseError",
    "TokenSet",
    "UserBlockedError",
    "UserInfo",
    "has_access",
    "parse_scope",
]
