"""What the two clients share: their settings, and the calls that need no request."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack

from watchword.client import AsyncHttpxClient, Caller, CallSettings, SyncHttpxClient, default_user_agent
from watchword.providers.authpi import authorization, client_settings, refusals
from watchword.providers.authpi.calls import Calls
from watchword.providers.authpi.id_token import IdTokenVerifier
from watchword.providers.authpi.sessions import Sessions
from watchword.providers.authpi.types import AuthorizationUrl, LogoutOptions

if TYPE_CHECKING:
    from watchword import KeySet, TokenCache
    from watchword.jwks import Fetcher

_HttpClient = TypeVar("_HttpClient", SyncHttpxClient, AsyncHttpxClient)


class VerificationOptions(TypedDict, total=False):
    """The arguments of :class:`IdTokenVerifier` that a client passes on."""

    jwks: Mapping[str, Any] | str | bytes | KeySet | None
    jwks_uri: str | None
    jwks_file: str | os.PathLike[str] | None
    pem: str | bytes | None
    algorithms: Iterable[str] | None
    trusted_audiences: Iterable[str]
    subject_prefixes: Iterable[str] | None
    foreign_claims: Iterable[str]
    leeway: float
    allow_loopback_http: bool
    fetcher: Fetcher | None
    token_cache: TokenCache | None
    clock: Callable[[], float]


class BaseClient(Generic[_HttpClient]):
    """What both clients share: their settings, and what needs no request."""

    _is_async: bool

    def __init__(
        self,
        issuer_url: str,
        client_id: str,
        redirect_uri: str | None = None,
        client_secret: str | None = None,
        auto_refresh: bool = True,  # noqa: FBT001, FBT002 - as in the package
        refresh_buffer_seconds: float = 60,
        resources: Sequence[str] | None = None,
        *,
        http_client: _HttpClient | None = None,
        call_settings: CallSettings | None = None,
        authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        userinfo_endpoint: str | None = None,
        revocation_endpoint: str | None = None,
        end_session_endpoint: str | None = None,
        authorization_response_iss_parameter_supported: bool = False,
        allow_http_hosts: Collection[str] = (),
        **verification: Unpack[VerificationOptions],
    ) -> None:
        hosts = allow_http_hosts
        issuer = client_settings.as_issuer(issuer_url, hosts)
        as_endpoint = client_settings.as_endpoint
        self._settings = client_settings.ClientSettings(
            issuer=issuer,
            client_id=client_settings.required("client_id", client_id),
            client_secret=client_settings.as_secret(client_secret),
            redirect_uri=client_settings.as_redirect_uri(redirect_uri),
            auto_refresh=bool(auto_refresh),
            refresh_buffer_seconds=client_settings.as_seconds(refresh_buffer_seconds),
            resources=client_settings.as_resources(resources),
            requires_iss=authorization_response_iss_parameter_supported,
            authorization=as_endpoint(issuer, "/authorize", "authorization_endpoint", authorization_endpoint, hosts),
            token=as_endpoint(issuer, "/token", "token_endpoint", token_endpoint, hosts),
            userinfo=as_endpoint(issuer, "/userinfo", "userinfo_endpoint", userinfo_endpoint, hosts),
            revocation=as_endpoint(issuer, "/revoke", "revocation_endpoint", revocation_endpoint, hosts),
            end_session=as_endpoint(issuer, "/logout", "end_session_endpoint", end_session_endpoint, hosts),
        )
        # Keys may come over plain http from where everything else does.
        verification.setdefault("allow_loopback_http", issuer.startswith("http:"))
        self._verifier = IdTokenVerifier(issuer, client_id, allow_http_hosts=hosts, **verification)
        self._caller = Caller(
            issuer,
            user_agent=default_user_agent(),
            raise_as=refusals.no_answer,
            settings=call_settings,
            client=None if self._is_async else http_client,  # type: ignore[arg-type]  # of the class's own kind
            async_client=http_client if self._is_async else None,  # type: ignore[arg-type]
        )
        self._calls = Calls(self._settings, self._verifier, verification.get("clock", time.time))
        self._sessions = Sessions(self._calls, is_async=self._is_async)

    def create_authorization_url(
        self,
        scopes: Sequence[str],
        state: str | None = None,
        nonce: str | None = None,
        org: str | None = None,
        resources: Sequence[str] | None = None,
        *,
        extra_params: Mapping[str, str] | None = None,
    ) -> AuthorizationUrl:
        """Return the URL to redirect a browser to for a login, with PKCE (RFC 7636, S256).

        ``scopes`` include ``openid``; ``state`` and ``nonce`` are random unless they are given; ``org`` selects an
        organization; ``resources`` replace the client's. ``extra_params`` are further parameters, such as
        ``{"prompt": "none"}`` (OpenID Connect Core 1.0 section 3.1.2.1).

        Keep ``state``, ``nonce`` and ``code_verifier`` in the browser's session. Raises :class:`ConfigurationError`
        without ``redirect_uri``, ``OAuthError`` with ``invalid_request`` if the scopes are none of a login.
        """
        return authorization.authorization_url(self._settings, scopes, state, nonce, org, resources, extra_params)

    def create_logout_url(self, options: LogoutOptions | None = None) -> str:
        """Return the URL that ends the session at the issuer (OpenID Connect RP-Initiated Logout 1.0 section 2)."""
        return authorization.logout_url(self._settings, options)

    def __repr__(self) -> str:
        """Return the issuer and the client."""
        return f"{type(self).__name__}({self._settings.issuer!r}, {self._settings.client_id!r})"


__all__ = ["BaseClient", "VerificationOptions"]
