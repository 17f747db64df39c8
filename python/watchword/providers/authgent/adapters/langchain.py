"""LangChain: tools that are called with their agent's token."""

from __future__ import annotations

import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from watchword.providers.authgent.client import AgentAuthClient
from watchword.providers.authgent.dpop import DPoPClient

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool, StructuredTool

_log = logging.getLogger("watchword.providers.authgent")


class TokenResult(Protocol):
    """The part of a token endpoint's response that is used."""

    @property
    def access_token(self) -> str:
        """The access token."""
        ...

    @property
    def expires_in(self) -> float:
        """Its lifetime in seconds."""
        ...


class AuthClient(Protocol):
    """A client of the authorization server: authgent's ``AgentAuthClient``, or an object like it."""

    async def get_token(
        self, *, client_id: str, client_secret: str, scope: str | None, resource: str | None
    ) -> TokenResult:
        """Return a token by client credentials (RFC 6749 section 4.4)."""
        ...

    async def exchange_token(
        self, *, subject_token: str, audience: str, scopes: list[str] | None, client_id: str, client_secret: str
    ) -> TokenResult:
        """Return a token for another audience, by token exchange (RFC 8693)."""
        ...

    async def revoke_token(self, token: str, *, client_id: str, client_secret: str) -> object:
        """Revoke a token (RFC 7009)."""
        ...


class _Cached(NamedTuple):
    token: TokenResult
    until: float


class AuthgentToolWrapper:
    """Caches an agent's token, and passes the headers of a request to the tools that it wraps.

    ``client`` sends all requests to the server: by default an :class:`~watchword.providers.authgent.AgentAuthClient` of
    its own. A token counts as expired ``token_buffer_seconds`` seconds before it is. With ``use_dpop`` the headers have
    a proof, and tokens are bound to :attr:`jkt`; a client of another class has to request that itself.
    """

    def __init__(
        self,
        server_url: str,
        client_id: str,
        client_secret: str,
        *,
        client: AuthClient | None = None,
        scope: str | None = None,
        resource: str | None = None,
        use_dpop: bool = False,
        token_buffer_seconds: float = 30,
    ) -> None:
        self.server_url = server_url
        self._client: AuthClient = AgentAuthClient(server_url) if client is None else client
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._scope = scope
        self._resource = resource
        self._dpop = DPoPClient() if use_dpop else None
        # An argument that clients of other classes do not have.
        self._binding: dict[str, Any] = (
            {"dpop": self._dpop} if use_dpop and isinstance(self._client, AgentAuthClient) else {}
        )
        self._buffer = token_buffer_seconds
        self._cached: _Cached | None = None

    @property
    def jkt(self) -> str | None:
        """The thumbprint of the key that tokens must be bound to; ``None`` without DPoP."""
        return None if self._dpop is None else self._dpop.jkt

    async def get_token(self) -> TokenResult:
        """Return the token, a new one if the last is about to expire."""
        if self._cached is None or time.monotonic() >= self._cached.until:
            token = await self._client.get_token(
                **self._credentials, scope=self._scope, resource=self._resource, **self._binding
            )
            self._cached = _Cached(token, time.monotonic() + token.expires_in - self._buffer)
        return self._cached.token

    async def exchange_for(self, audience: str, scopes: list[str] | None = None) -> TokenResult:
        """Return a token for ``audience``, in exchange for the agent's own."""
        own = await self.get_token()
        return await self._client.exchange_token(
            subject_token=own.access_token, audience=audience, scopes=scopes, **self._credentials, **self._binding
        )

    async def get_auth_headers(
        self, *, resource: str | None = None, http_method: str = "GET", http_uri: str | None = None
    ) -> dict[str, str]:
        """Return the headers of a request, after a token exchange if it is for another resource.

        With ``use_dpop`` they are for one request only. Raises ``ValueError`` if ``http_uri`` is then missing.
        """
        if self._dpop is not None and http_uri is None:
            raise ValueError("http_uri is missing: with use_dpop, a proof is for one request (RFC 9449 section 7.1)")
        elsewhere = resource is not None and resource != self._resource
        token = await (self.exchange_for(resource or "") if elsewhere else self.get_token())
        if self._dpop is not None:
            return self._dpop.create_proof_headers(token.access_token, http_method, http_uri or "")
        return {"Authorization": f"Bearer {token.access_token}"}

    def wrap(self, tool: BaseTool) -> StructuredTool:
        """Return a tool that calls ``tool`` with one more argument, ``authgent_headers``.

        Raises ``ValueError`` with ``use_dpop`` (the tool's request is not known in advance, so it must call
        :meth:`get_auth_headers` itself) and if the tool has no ``args_schema``; ``ImportError`` if the package
        ``langchain-core`` is not installed.
        """
        if self._dpop is not None:
            raise ValueError(
                "with use_dpop, a proof is for one request: the tool must call get_auth_headers(http_uri=...)"
            )
        try:
            from langchain_core.tools import StructuredTool, Tool
        except ImportError as error:
            raise ImportError("wrapping a tool needs LangChain: pip install langchain-core") from error
        if isinstance(tool, Tool) and tool.args_schema is None:
            raise ValueError(f"the tool {tool.name!r} has no args_schema: make it with StructuredTool.from_function")
        work = getattr(tool, "coroutine", None) or getattr(tool, "func", None) or tool._run

        async def with_headers(*args: object, **kwargs: object) -> Any:  # noqa: ANN401  # the tool's result
            result = work(*args, **{**kwargs, "authgent_headers": await self.get_auth_headers()})
            return await result if inspect.isawaitable(result) else result

        schema = tool.args_schema or tool.get_input_schema()
        return StructuredTool(name=tool.name, description=tool.description, coroutine=with_headers, args_schema=schema)

    async def revoke(self) -> None:
        """Revoke the cached token, if there is one."""
        if self._cached is not None:
            await self._client.revoke_token(self._cached.token.access_token, **self._credentials)
            self._cached = None

    def __repr__(self) -> str:
        """Return the server, without token and secret."""
        return f"AuthgentToolWrapper({self.server_url!r})"


class AuthgentCallbackHandler:
    """Records token events, and logs them if ``verbose``. They contain no token."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._events: list[dict[str, Any]] = []

    def on_token_acquired(self, token_type: str, scope: str | None) -> None:
        """Record a new token."""
        self._add(event="token_acquired", token_type=token_type, scope=scope)

    def on_token_exchanged(self, audience: str, scope: str | None) -> None:
        """Record a token exchange."""
        self._add(event="token_exchanged", audience=audience, scope=scope)

    def on_token_revoked(self) -> None:
        """Record a revocation."""
        self._add(event="token_revoked")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, in order."""
        return list(self._events)

    def _add(self, **event: Any) -> None:  # noqa: ANN401  # a record
        self._events.append(event)
        if self._verbose:
            _log.info("%s", event)


__all__ = ["AuthgentCallbackHandler", "AuthgentToolWrapper"]
