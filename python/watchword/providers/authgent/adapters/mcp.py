"""MCP servers: the identity of the caller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from watchword.providers.authgent.errors import AuthgentError, ServerError
from watchword.providers.authgent.jwks import JWKSFetcher
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.session import DEFAULT_SESSION, Session
from watchword.providers.authgent.verify import verify_token

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

    from watchword import AnyAudience


class AgentAuthProvider:
    """Verifies the access tokens of an authgent-server for an MCP server.

    It is a ``TokenVerifier`` of the MCP Python SDK. The SDK passes the token without its request, so a token that is
    bound to a key is rejected, unless :func:`watchword.integrations.mcp.protect` is in front: the gate has then
    verified its proof.

    ``audience``, ``jwks_fetcher``, ``session`` and ``allow_http_hosts`` are as in
    :func:`~watchword.providers.authgent.verify_token`; the audience is usually the MCP server's own URL.
    """

    def __init__(
        self,
        server_url: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        *,
        jwks_fetcher: JWKSFetcher | None = None,
        session: Session = DEFAULT_SESSION,
        allow_http_hosts: Iterable[str] = (),
    ) -> None:
        self._server_url = server_url.rstrip("/")
        self._audience = audience
        self._keys = jwks_fetcher or session.fetcher(self._server_url, allow_http_hosts=allow_http_hosts)

    async def verify(self, token: str) -> AgentIdentity:
        """Return the identity in a token; raises as :func:`~watchword.providers.authgent.verify_token` does."""
        return await verify_token(token, self._server_url, self._audience, self._keys)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the MCP SDK's ``AccessToken``, or ``None`` if the token is invalid.

        Raises :class:`~watchword.providers.authgent.ServerError` if the keys are unavailable; ``ImportError`` if the
        package ``mcp`` is not installed.
        """
        try:
            from mcp.server.auth.provider import AccessToken
        except ImportError as error:
            raise ImportError("verify_token() returns the MCP SDK's AccessToken: pip install mcp") from error
        from watchword.integrations.mcp import allowed_token

        try:
            if allowed_token(token) is None:
                agent = await self.verify(token)
            else:
                # The gate in front has verified the token's proof, which the SDK does not pass on.
                agent = await verify_token(token, self._server_url, self._audience, self._keys, bound_tokens="accept")
        except ServerError:
            raise
        except AuthgentError:
            return None
        audience = [agent.audience] if isinstance(agent.audience, str) else agent.audience or []
        # Of several, this server's own: the SDK compares it with its URL.
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
        """The URL of the server's metadata (RFC 8414)."""
        return f"{self._server_url}/.well-known/oauth-authorization-server"

    @property
    def jwks_url(self) -> str:
        """The URL of the server's keys."""
        return f"{self._server_url}/.well-known/jwks.json"


#: The documented name; the published package has the other.
MCPAuthProvider = AgentAuthProvider

__all__ = ["AgentAuthProvider", "MCPAuthProvider"]
