"""The client of authgent-server: the agent's side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from watchword.client import AsyncHttpxClient, CallSettings
from watchword.providers.authgent.calls import agents, grants, tokens
from watchword.providers.authgent.calls.connection import connect
from watchword.providers.authgent.calls.server import Prover, Server
from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.results import AgentResult, ClientResult, TokenResult


class AgentAuthClient:
    """Calls authgent-server, in an event loop. :class:`AgentAuthClientSync` is the same for threads.

    ``server_url`` is https, or http to loopback or to one of ``allow_http_hosts``. ``timeout`` is in seconds, for one
    attempt of one request; ``call_settings`` replaces it with all limits. ``http_client`` is an ``httpx2.AsyncClient``
    or ``httpx.AsyncClient`` of yours, which you close; without it, each request has its own connection, and nothing has
    to be closed. ``dpop``, of the calls that have it, is a :class:`~watchword.providers.authgent.DPoPClient` or a
    :class:`watchword.holder.DpopProver`.

    Every call raises :class:`~watchword.providers.authgent.ServerError` if the server rejects it or is unavailable,
    :class:`~watchword.providers.authgent.DPoPError` if a token is not bound although a proof was sent, and
    ``TypeError`` or ``ValueError`` if an argument is invalid. A request that is sent once is repeated only if the
    server did not act on it: after a 429, or because it asked for a DPoP nonce. A client may be used from any number of
    tasks, threads and event loops.
    """

    def __init__(
        self,
        server_url: str,
        timeout: float = 30.0,
        http_client: AsyncHttpxClient | None = None,
        *,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
    ) -> None:
        self._caller = connect(
            server_url,
            timeout,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            async_client=http_client,
        )
        self._server = Server(self._caller.base_url)

    async def aclose(self) -> None:
        """Do nothing: no connection is kept, and ``http_client`` is closed by its owner."""

    async def __aenter__(self) -> AgentAuthClient:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()

    async def register_agent(
        self,
        name: str,
        scopes: Iterable[str] | None = None,
        owner: str | None = None,
        capabilities: Iterable[str] | None = None,
    ) -> AgentResult:
        """Register an agent, and return it with its credentials. It is sent once."""
        return await self._caller.run_async(agents.register_agent(self._server, name, scopes, owner, capabilities))

    async def register_client(
        self,
        client_name: str,
        grant_types: Iterable[str],
        scopes: Iterable[str] | None = None,
        redirect_uris: Iterable[str] | None = None,
    ) -> ClientResult:
        """Register an OAuth client for ``grant_types``, and return it with its credentials (RFC 7591).

        Clients that consume identity chains need one with ``urn:ietf:params:oauth:grant-type:jwt-bearer``: the server
        allows that grant to no agent of :meth:`register_agent`. It is sent once.
        """
        return await self._caller.run_async(
            agents.register_client(self._server, client_name, grant_types, scopes, redirect_uris)
        )

    async def get_token(
        self,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        resource: str | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """Return a token by client credentials (RFC 6749 section 4.4).

        ``scope`` lists scopes, separated by spaces. ``resource`` becomes the token's ``aud``, by default the
        server itself. The token is bound to the key of ``dpop`` if it is given.
        """
        return await self._caller.run_async(
            grants.get_token(self._server, client_id, client_secret, scope, resource, dpop)
        )

    async def exchange_token(
        self,
        subject_token: str,
        audience: str,
        scopes: Iterable[str] | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        dpop: Prover | None = None,
        allow_unbound: bool = False,
    ) -> TokenResult:
        """Return a delegated token for ``audience``, whose actor is the client ``client_id`` (RFC 8693).

        The token is bound to the key of ``dpop`` if it is given. The server exchanges a bound token for one that is not
        if there is no proof, so that raises ``ValueError`` unless ``allow_unbound``. It is sent once.
        """
        return await self._caller.run_async(
            grants.exchange_token(
                self._server,
                subject_token,
                audience,
                scopes,
                client_id,
                client_secret,
                dpop,
                allow_unbound=allow_unbound,
            )
        )

    async def start_identity_chain(
        self,
        subject_token: str,
        target_authorization_server: str,
        client_id: str,
        client_secret: str,
        scopes: Iterable[str] | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """Return a grant for another authorization server, as ``access_token``: a JWT that is valid for a minute.

        Another domain's client hands it to :meth:`consume_identity_chain` there (draft-ietf-oauth-identity-chaining
        section 2.3). ``dpop`` is for servers that require a proof with each request; grants are not bound. It is sent
        once.
        """
        return await self._caller.run_async(
            grants.start_identity_chain(
                self._server, subject_token, target_authorization_server, client_id, client_secret, scopes, dpop
            )
        )

    async def consume_identity_chain(
        self,
        assertion: str,
        client_id: str,
        client_secret: str,
        resource: str | None = None,
        scopes: Iterable[str] | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """Return a token of this server for the grant of another (RFC 7523), which is valid once. It is sent once.

        The client needs the grant type ``urn:ietf:params:oauth:grant-type:jwt-bearer`` (:meth:`register_client`).
        """
        return await self._caller.run_async(
            grants.consume_identity_chain(self._server, assertion, client_id, client_secret, resource, scopes, dpop)
        )

    async def issue_transaction_token(
        self,
        subject_token: str,
        trust_domain: str,
        scope: str,
        client_id: str,
        client_secret: str,
        request_details: Mapping[str, Any] | None = None,
        request_context: Mapping[str, Any] | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """Return a transaction token for ``trust_domain``, as ``access_token`` (draft-ietf-oauth-transaction-tokens).

        ``request_details`` becomes its claim ``tctx``, ``request_context`` is part of ``rctx``. ``dpop`` is for servers
        that require a proof with each request; transaction tokens are not bound. It is sent once.
        """
        return await self._caller.run_async(
            grants.issue_transaction_token(
                self._server,
                subject_token,
                trust_domain,
                scope,
                client_id,
                client_secret,
                request_details,
                request_context,
                dpop,
            )
        )

    async def refresh_token(
        self, refresh_token_value: str, client_id: str, client_secret: str | None = None, *, dpop: Prover | None = None
    ) -> TokenResult:
        """Return a new token and a new refresh token; the old one is used up (RFC 6749 section 6).

        It is sent once: the server takes a second use for a theft, and ends the whole session. Callers with the same
        refresh token share one request, which runs to its end if they are cancelled, and whose result is kept for ten
        seconds. Without ``dpop`` the new token is not bound to a key, even if the last one was.
        """
        return await self._caller.run_async(
            grants.refresh_token(self._server, refresh_token_value, client_id, client_secret, dpop)
        )

    async def introspect_token(
        self, token: str, client_id: str | None = None, client_secret: str | None = None
    ) -> dict[str, Any]:
        """Return what the server knows of a token (RFC 7662): ``active``, and its claims if it is."""
        return await self._caller.run_async(tokens.introspect_token(self._server, token, client_id, client_secret))

    async def revoke_token(self, token: str, client_id: str | None = None, client_secret: str | None = None) -> None:
        """Revoke a token (RFC 7009), with the credentials of the client that it was issued to.

        The server reports success for another client's token, too, which stays active. So do tokens that were exchanged
        for the revoked one. Raises ``TypeError`` without credentials.
        """
        await self._caller.run_async(tokens.revoke_token(self._server, token, client_id, client_secret))

    async def check_exchange(
        self, subject_token: str, audience: str, client_id: str, scope: str = ""
    ) -> dict[str, Any]:
        """Return whether an exchange would succeed: ``allowed``, and ``reasons`` if not.

        Also ``effective_scopes``, ``delegation_depth`` and ``max_delegation_depth``.
        """
        return await self._caller.run_async(
            tokens.check_exchange(self._server, subject_token, audience, client_id, scope)
        )

    async def request_stepup(
        self,
        agent_id: str,
        action: str,
        scope: str,
        resource: str | None = None,
        delegation_chain: Mapping[str, Any] | DelegationChain | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Request ``scope`` for ``action`` from a human, and return the request, with its ``id`` and ``status``.

        :meth:`check_stepup` returns the decision. It is sent once.
        """
        return await self._caller.run_async(
            agents.request_stepup(self._server, agent_id, action, scope, resource, delegation_chain, metadata)
        )

    async def request_stepup_for_token(
        self, token: str, action: str, scope: str, resource: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`request_stepup`, for the agent that a token names: its ``client_id``, else ``sub``.

        The token is not verified. Raises :class:`~watchword.providers.authgent.InvalidTokenError` if it names none.
        """
        return await self._caller.run_async(
            agents.request_stepup_for_token(self._server, token, action, scope, resource)
        )

    async def check_stepup(self, request_id: str) -> dict[str, Any]:
        """Return a step-up request; its ``status`` is ``pending``, ``approved``, ``denied`` or ``expired``."""
        return await self._caller.run_async(agents.check_stepup(self._server, request_id))

    def __repr__(self) -> str:
        """Return the server's URL."""
        return f"{type(self).__name__}({self._caller.base_url!r})"


__all__ = ["AgentAuthClient", "AgentResult", "ClientResult", "TokenResult"]
