"""``IdpClient`` and ``IdpClientSync`` of ``authpi_idp.client``: logins, sessions and machine tokens of AuthPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchword.client import AsyncHttpxClient, SyncHttpxClient
from watchword.providers.authpi.agent import AuthenticatedAgent
from watchword.providers.authpi.base import BaseClient
from watchword.providers.authpi.types import (
    AuthorizationUrl,
    OAuthCallbackInput,
    OnRefreshAsync,
    OnRefreshErrorAsync,
    OnRefreshErrorSync,
    OnRefreshSync,
    TokenSet,
    UserInfo,
)

if TYPE_CHECKING:
    import types


class IdpClient(BaseClient[AsyncHttpxClient]):
    """A client of AuthPI for event loops. ``http_client`` is an ``httpx2.AsyncClient`` or ``httpx.AsyncClient``.

    ``issuer_url`` is the ``iss`` of the ID tokens, ``client_id`` the client's id there; ``client_secret`` is ``None``
    for a public client, ``redirect_uri`` for one without logins. With ``auto_refresh``, :meth:`create_agent` renews
    tokens that end within ``refresh_buffer_seconds`` seconds. ``resources`` are the resource indicators (RFC 8707) of
    logins and renewals.

    Ours: ``http_client`` sends the requests, and stays its owner's to close; ``call_settings`` are the limits of calls
    (:class:`watchword.client.CallSettings`). The endpoints are paths below the issuer unless they are given
    (``authorization_endpoint``, ...: RFC 8414 section 2). ``authorization_response_iss_parameter_supported`` says that
    every callback names its issuer, so that one without is rejected (RFC 9207 section 2.4). ``allow_http_hosts`` are
    hosts, besides loopback, that may be reached over plain http. The ``verification`` options are arguments of
    :class:`IdTokenVerifier`: where its keys come from (``jwks_uri``, ...), and what ID tokens must be.

    Make one for the life of the process; it may be used from any number of threads and event loops. Nothing is sent
    before the first call. Raises :class:`ConfigurationError` if an argument is invalid.
    """

    _is_async = True

    # Here as well, so that the API reference has them.
    create_authorization_url = BaseClient.create_authorization_url
    create_logout_url = BaseClient.create_logout_url

    async def exchange_callback(
        self, callback: OAuthCallbackInput, auth: AuthorizationUrl | Mapping[str, Any]
    ) -> AuthenticatedAgent:
        """Return the agent that a callback logs in, after checking its ``state`` and ``iss``, and the ID token.

        ``callback`` is the URL, its query, or its parameters; ``auth`` is what :meth:`create_authorization_url`
        returned, or a mapping with its ``code_verifier``, ``state`` and ``nonce``. Raises :class:`OAuthError`
        (``invalid_state``, ``invalid_issuer`` (RFC 9207), ``invalid_nonce``, and the server's own errors, as their own
        class if they have one), and :class:`TokenParseError`. The code is sent once.
        """
        return await self._caller.run_async(self._calls.exchange_callback(callback, auth))

    async def exchange_code(
        self,
        code: str,
        code_verifier: str,
        *,
        resources: Sequence[str] | None = None,
        nonce: str | None = None,
        state: str | None = None,
        expected_state: str | None = None,
        iss: str | None = None,
    ) -> AuthenticatedAgent:
        """Return the agent for the code of a callback, after verifying its ID token.

        ``nonce`` is that of the login; without it, a code that was injected into the callback may log in somebody else
        where the server does not check ``code_verifier``. ``state`` and ``iss`` are the callback's, ``expected_state``
        the login's; ``iss`` is required if the client has ``authorization_response_iss_parameter_supported``. Prefer
        :meth:`exchange_callback`, which checks all of them. Raises what that raises.
        """
        return await self._caller.run_async(
            self._calls.exchange_code(
                code, code_verifier, resources=resources, nonce=nonce, state=state, expected_state=expected_state,
                iss=iss,
            )
        )  # fmt: skip

    async def create_agent(
        self,
        tokens: Mapping[str, Any] | TokenSet,
        *,
        on_refresh: OnRefreshAsync | None = None,
        on_refresh_error: OnRefreshErrorAsync | None = None,
        auto_refresh: bool | None = None,
        resources: Sequence[str] | None = None,
    ) -> AuthenticatedAgent:
        """Return the agent of stored tokens, after verifying their ID token.

        If the access token or the ID token ends within ``refresh_buffer_seconds``, they are renewed before
        (``auto_refresh`` replaces the client's). ``on_refresh`` is called with the new tokens as a ``dict``, which must
        replace the stored ones; ``on_refresh_error`` with the error if they could not be obtained or stored. Both may
        be coroutine functions. Concurrent calls with the same tokens share one renewal, for a few seconds afterwards
        too, and each calls its own ``on_refresh``. A renewal continues if its caller is cancelled, and calls it too.

        Raises :class:`TokenExpiredError` without a refresh token, :class:`RefreshError` (``status_code``),
        :class:`TokenParseError`, :class:`SubjectMismatchError`, and :class:`OAuthError` if the issuer's keys or claims
        are unavailable.
        """
        return await self._caller.run_async(
            self._sessions.create_agent(
                tokens,
                on_refresh=on_refresh,
                on_refresh_error=on_refresh_error,
                auto_refresh=auto_refresh,
                resources=resources,
            )
        )

    async def refresh(
        self,
        agent: AuthenticatedAgent,
        *,
        resources: Sequence[str] | None = None,
        on_refresh: OnRefreshAsync | None = None,
    ) -> AuthenticatedAgent:
        """Return the agent of renewed tokens, whenever the old ones end. See :meth:`create_agent`."""
        return await self._caller.run_async(self._sessions.refresh(agent, on_refresh=on_refresh, resources=resources))

    async def get_user_info(self, agent: AuthenticatedAgent) -> UserInfo:
        """Return the claims about an agent (OpenID Connect Core 1.0 section 5.3).

        Raises :class:`SubjectMismatchError` if they are somebody else's, ``OAuthError`` with the server's own error
        (``invalid_token``, ...) or ``userinfo_error``.
        """
        return await self._caller.run_async(self._calls.get_user_info(agent))

    async def client_credentials(self, scopes: Sequence[str] | None = None) -> AuthenticatedAgent:
        """Return the client itself as an agent, with an access token for ``scopes`` (RFC 6749 section 4.4).

        Raises :class:`ConfigurationError` without ``client_secret``, and :class:`OAuthError`.
        """
        return await self._caller.run_async(self._calls.client_credentials(scopes))

    async def revoke_token(self, token: str, token_type_hint: str | None = None, *, hint: str | None = None) -> None:
        """Revoke a token (RFC 7009). ``hint`` is another name of ``token_type_hint``. Raises :class:`OAuthError`."""
        await self._caller.run_async(self._calls.revoke_token(token, token_type_hint or hint))

    async def close(self) -> None:
        """Drop the issuer's keys and what fetches them. The client is of no use afterwards."""
        self._verifier.close()

    async def __aenter__(self) -> IdpClient:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()


class IdpClientSync(BaseClient[SyncHttpxClient]):
    """As :class:`IdpClient`, for threads. ``http_client`` is an ``httpx2.Client`` or ``httpx.Client``."""

    _is_async = False

    create_authorization_url = BaseClient.create_authorization_url
    create_logout_url = BaseClient.create_logout_url

    def exchange_callback(
        self, callback: OAuthCallbackInput, auth: AuthorizationUrl | Mapping[str, Any]
    ) -> AuthenticatedAgent:
        """As :meth:`IdpClient.exchange_callback`."""
        return self._caller.run(self._calls.exchange_callback(callback, auth))

    def exchange_code(
        self,
        code: str,
        code_verifier: str,
        *,
        resources: Sequence[str] | None = None,
        nonce: str | None = None,
        state: str | None = None,
        expected_state: str | None = None,
        iss: str | None = None,
    ) -> AuthenticatedAgent:
        """As :meth:`IdpClient.exchange_code`."""
        return self._caller.run(
            self._calls.exchange_code(
                code, code_verifier, resources=resources, nonce=nonce, state=state, expected_state=expected_state,
                iss=iss,
            )
        )  # fmt: skip

    def create_agent(
        self,
        tokens: Mapping[str, Any] | TokenSet,
        *,
        on_refresh: OnRefreshSync | None = None,
        on_refresh_error: OnRefreshErrorSync | None = None,
        auto_refresh: bool | None = None,
        resources: Sequence[str] | None = None,
    ) -> AuthenticatedAgent:
        """As :meth:`IdpClient.create_agent`. The callbacks are called in this thread, unless it was interrupted."""
        return self._caller.run(
            self._sessions.create_agent(
                tokens,
                on_refresh=on_refresh,
                on_refresh_error=on_refresh_error,
                auto_refresh=auto_refresh,
                resources=resources,
            )
        )

    def refresh(
        self,
        agent: AuthenticatedAgent,
        *,
        resources: Sequence[str] | None = None,
        on_refresh: OnRefreshSync | None = None,
    ) -> AuthenticatedAgent:
        """As :meth:`IdpClient.refresh`."""
        return self._caller.run(self._sessions.refresh(agent, on_refresh=on_refresh, resources=resources))

    def get_user_info(self, agent: AuthenticatedAgent) -> UserInfo:
        """As :meth:`IdpClient.get_user_info`."""
        return self._caller.run(self._calls.get_user_info(agent))

    def client_credentials(self, scopes: Sequence[str] | None = None) -> AuthenticatedAgent:
        """As :meth:`IdpClient.client_credentials`."""
        return self._caller.run(self._calls.client_credentials(scopes))

    def revoke_token(self, token: str, token_type_hint: str | None = None, *, hint: str | None = None) -> None:
        """As :meth:`IdpClient.revoke_token`."""
        self._caller.run(self._calls.revoke_token(token, token_type_hint or hint))

    def close(self) -> None:
        """As :meth:`IdpClient.close`."""
        self._verifier.close()

    def __enter__(self) -> IdpClientSync:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


__all__ = ["IdpClient", "IdpClientSync"]
