"""AuthPI: the package ``authpi_idp``, under its names; ID tokens are verified.

    from watchword.providers.authpi import IdpClientSync

    idp = IdpClientSync("https://idp.authpi.com/iss_xxx", "cli_xxx", "https://app.example.com/callback")
    login = idp.create_authorization_url(["openid", "email"])  # redirect to login.url, keep the rest in the session
    agent = idp.exchange_callback(request.url, login)
    agent.has_access_in("org_xxx", "write", "projects")

:class:`IdpClient` is the same for event loops, :class:`IdTokenVerifier` verifies ID tokens without a client.
``docs/providers/authpi.md`` lists what is checked, and the differences from the package. Install with
``watchword[authpi]``, which includes pydantic.
"""

from __future__ import annotations

try:
    import pydantic as _pydantic  # noqa: F401 - only whether it is installed
except ImportError as error:
    raise ImportError("watchword.providers.authpi needs pydantic: pip install 'watchword[authpi]'") from error

from watchword.providers.authpi.agent import AgentType, AuthenticatedAgent, PrincipalType
from watchword.providers.authpi.client import IdpClient, IdpClientSync
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
from watchword.providers.authpi.types import (
    AuthorizationUrl,
    LogoutOptions,
    OAuthCallbackInput,
    Organization,
    ParsedScope,
    TokenSet,
    UserInfo,
)
from watchword.providers.profiles.authpi import FOREIGN_CLAIMS

__all__ = [
    "FOREIGN_CLAIMS",
    "AccountLinkingRequiredError",
    "AgentType",
    "AuthenticatedAgent",
    "AuthorizationUrl",
    "ConfigurationError",
    "ConsentRequiredError",
    "IdTokenVerifier",
    "IdpClient",
    "IdpClientSync",
    "InsufficientScopeError",
    "InteractionRequiredError",
    "LoginRequiredError",
    "LogoutOptions",
    "OAuthCallbackInput",
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
