"""MCP servers: who calls a tool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from watchword.providers.authgent.errors import AuthgentError, ServerError
from watchword.providers.authgent.jwks import JWKSFetcher, fetcher_of
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.verify import verify_token

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

    from watchword import AnyAudience


class AgentAuthProvider:
    """Verifies the access tokens of an authgent-server's agents for an MCP server.

    It is a ``TokenVerifier`` of the MCP Python SDK. That hands over the token and nothing else of the request, so that
    tokens which are bound to a key are refused; for those the server needs an ASGI middleware
    (:mod:`watchword.providers.authgent.middleware.fastapi`).

    ``audience`` is as in :func:`~watchword.providers.authgent.verify_token`: the MCP server's own URL.
    """

    def __init__(
        self,
        server_url: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        *,
        jwks_fetcher: JWKSFetcher | None = None,
    ) -> None:
        self._server_url = server_url.rstrip("/")
        self._audience = audience
        self._keys = jwks_fetcher or fetcher_of(self._server_url)

    async def verify(self, token: str) -> AgentIdentity:
        """Whom the token names; raises as :func:`~watchword.providers.authgent.verify_token` does."""
        return await verify_token(token, self._server_url, self._audience, self._keys)

    async def verify_token(self, token: str) -> AccessToken | None:
        """The same as the MCP SDK wants it: ``None`` for a token that is no good.

        Raises :class:`~watchword.providers.authgent.ServerError` where the keys could not be had, which says nothing of
        the token; ``ImportError`` where the package ``mcp`` is not installed.
        """
        try:
            from mcp.server.auth.provider import AccessToken
        except ImportError as error:
            raise ImportError("verify_token() gives the MCP SDK's AccessToken: pip install mcp") from error
        try:
            agent = await self.verify(token)
        except ServerError:
            raise
        except AuthgentError:
            return None
        audience = [agent.audience] if isinstance(agent.audience, str) else agent.audience or []
        # Of several, the one that this server goes by: the SDK compares it with its own URL.
        ours = [one for one in audience if one == self._audience] or audience
        return AccessToken(
            token=token,
            client_id=agent.client_id or agent.subject,
            scopes=agent.scopes,
            expires_at=None if agent.claims.exp is None else int(agent.claims.exp),
            resource=ours[0] if ours else None,
            subject=agent.subject,
            claims=agent.claims.raw,
        )

    @property
    def metadata_url(self) -> str:
        """Where the server's metadata are (RFC 8414)."""
        return f"{self._server_url}/.well-known/oauth-authorization-server"

    @property
    def jwks_url(self) -> str:
        """Where the server's keys are."""
        return f"{self._server_url}/.well-known/jwks.json"


#: The documented name; the other is the published one.
MCPAuthProvider = AgentAuthProvider

__all__ = ["AgentAuthProvider", "MCPAuthProvider"]
