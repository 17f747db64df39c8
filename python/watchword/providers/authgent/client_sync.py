"""The client of authgent-server for threads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from watchword.client import CallSettings, SyncHttpxClient
from watchword.providers.authgent.calls import agents, grants, tokens
from watchword.providers.authgent.calls.connection import connect
from watchword.providers.authgent.calls.server import Prover, Server
from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.results import AgentResult, ClientResult, TokenResult


class AgentAuthClientSync:
    """As :class:`AgentAuthClient`, for programs without an event loop.

    ``http_client`` is an ``httpx2.Client`` or ``httpx.Client``. ``timeout`` is in seconds.
    """

    def __init__(
        self,
        server_url: str,
        timeout: float = 30.0,
        http_client: SyncHttpxClient | None = None,
        *,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
    ) -> None:
        self._caller = connect(
            server_url, timeout, call_settings=call_settings, allow_http_hosts=allow_http_hosts, client=http_client
        )
        self._server = Server(self._caller.base_url)

    def close(self) -> None:
        """Do nothing: no connection is kept, and ``http_client`` is closed by its owner."""

    def __enter__(self) -> AgentAuthClientSync:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def register_agent(
        self,
        name: str,
        scopes: Iterable[str] | None = None,
        owner: str | None = None,
        capabilities: Iterable[str] | None = None,
    ) -> AgentResult:
        """As :meth:`AgentAuthClient.register_agent`."""
        return self._caller.run(agents.register_agent(self._server, name, scopes, owner, capabilities))

    def register_client(
        self,
        client_name: str,
        grant_types: Iterable[str],
        scopes: Iterable[str] | None = None,
        redirect_uris: Iterable[str] | None = None,
    ) -> ClientResult:
        """As :meth:`AgentAuthClient.register_client`."""
        return self._caller.run(agents.register_client(self._server, client_name, grant_types, scopes, redirect_uris))

    def get_token(
        self,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        resource: str | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """As :meth:`AgentAuthClient.get_token`."""
        return self._caller.run(grants.get_token(self._server, client_id, client_secret, scope, resource, dpop))

    def exchange_token(
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
        """As :meth:`AgentAuthClient.exchange_token`."""
        return self._caller.run(
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

    def start_identity_chain(
        self,
        subject_token: str,
        target_authorization_server: str,
        client_id: str,
        client_secret: str,
        scopes: Iterable[str] | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """As :meth:`AgentAuthClient.start_identity_chain`."""
        return self._caller.run(
            grants.start_identity_chain(
                self._server, subject_token, target_authorization_server, client_id, client_secret, scopes, dpop
            )
        )

    def consume_identity_chain(
        self,
        assertion: str,
        client_id: str,
        client_secret: str,
        resource: str | None = None,
        scopes: Iterable[str] | None = None,
        *,
        dpop: Prover | None = None,
    ) -> TokenResult:
        """As :meth:`AgentAuthClient.consume_identity_chain`."""
        return self._caller.run(
            grants.consume_identity_chain(self._server, assertion, client_id, client_secret, resource, scopes, dpop)
        )

    def issue_transaction_token(
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
        """As :meth:`AgentAuthClient.issue_transaction_token`."""
        return self._caller.run(
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

    def refresh_token(
        self, refresh_token_value: str, client_id: str, client_secret: str | None = None, *, dpop: Prover | None = None
    ) -> TokenResult:
        """As :meth:`AgentAuthClient.refresh_token`."""
        return self._caller.run(grants.refresh_token(self._server, refresh_token_value, client_id, client_secret, dpop))

    def introspect_token(
        self, token: str, client_id: str | None = None, client_secret: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`AgentAuthClient.introspect_token`."""
        return self._caller.run(tokens.introspect_token(self._server, token, client_id, client_secret))

    def revoke_token(self, token: str, client_id: str | None = None, client_secret: str | None = None) -> None:
        """As :meth:`AgentAuthClient.revoke_token`."""
        self._caller.run(tokens.revoke_token(self._server, token, client_id, client_secret))

    def check_exchange(self, subject_token: str, audience: str, client_id: str, scope: str = "") -> dict[str, Any]:
        """As :meth:`AgentAuthClient.check_exchange`."""
        return self._caller.run(tokens.check_exchange(self._server, subject_token, audience, client_id, scope))

    def request_stepup(
        self,
        agent_id: str,
        action: str,
        scope: str,
        resource: str | None = None,
        delegation_chain: Mapping[str, Any] | DelegationChain | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """As :meth:`AgentAuthClient.request_stepup`."""
        return self._caller.run(
            agents.request_stepup(self._server, agent_id, action, scope, resource, delegation_chain, metadata)
        )

    def request_stepup_for_token(
        self, token: str, action: str, scope: str, resource: str | None = None
    ) -> dict[str, Any]:
        """As :meth:`AgentAuthClient.request_stepup_for_token`."""
        return self._caller.run(agents.request_stepup_for_token(self._server, token, action, scope, resource))

    def check_stepup(self, request_id: str) -> dict[str, Any]:
        """As :meth:`AgentAuthClient.check_stepup`."""
        return self._caller.run(agents.check_stepup(self._server, request_id))

    def __repr__(self) -> str:
        """Return the server's URL."""
        return f"{type(self).__name__}({self._caller.base_url!r})"


__all__ = ["AgentAuthClientSync"]
