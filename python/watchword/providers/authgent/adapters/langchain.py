"""LangChain: tools that are called with a token of their agent's."""

from __future__ import annotations

import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from watchword.providers.authgent.dpop import DPoPClient

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool, StructuredTool

_log = logging.getLogger("watchword.providers.authgent")


class TokenResult(Protocol):
    """What is used of a token endpoint's answer."""

    @property
    def access_token(self) -> str:
        """The token."""
        ...

    @property
    def expires_in(self) -> float:
        """How many seconds it lives."""
        ...


class AuthClient(Protocol):
    """What asks the authorization server: authgent's ``AgentAuthClient``, or an object like it."""

    async def get_token(
        self, *, client_id: str, client_secret: str, scope: str | None, resource: str | None
    ) -> TokenResult:
        """A token by client credentials (RFC 6749 section 4.4)."""
        ...

    async def exchange_token(
        self, *, subject_token: str, audience: str, scopes: list[str] | None, client_id: str, client_secret: str
    ) -> TokenResult:
        """A token for somebody else, by token exchange (RFC 8693)."""
        ...

    async def revoke_token(self, token: str, *, client_id: str, client_secret: str) -> object:
        """Ends a token (RFC 7009)."""
        ...


class _Kept(NamedTuple):
    token: TokenResult
    until: float


class AuthgentToolWrapper:
    """Keeps an agent's token, and gives the tools that it wraps the headers to call with.

    ``client`` asks the server; nothing here does. ``token_buffer_seconds`` before its end a token counts as expired.
    With ``use_dpop`` the headers have a proof, and the token has to be bound to :attr:`jkt`: that is the client's to
    ask for.
    """

    def __init__(
        self,
        server_url: str,
        client_id: str,
        client_secret: str,
        *,
        client: AuthClient,
        scope: str | None = None,
        resource: str | None = None,
        use_dpop: bool = False,
        token_buffer_seconds: float = 30,
    ) -> None:
        self.server_url = server_url
        self._client = client
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._scope = scope
        self._resource = resource
        self._dpop = DPoPClient() if use_dpop else None
        self._buffer = token_buffer_seconds
        self._kept: _Kept | None = None

    @property
    def jkt(self) -> str | None:
        """What the tokens must be bound to; ``None`` without DPoP."""
        return None if self._dpop is None else self._dpop.jkt

    async def get_token(self) -> TokenResult:
        """The token, a new one where the last is about to end."""
        if self._kept is None or time.monotonic() >= self._kept.until:
            token = await self._client.get_token(**self._credentials, scope=self._scope, resource=self._resource)
            self._kept = _Kept(token, time.monotonic() + token.expires_in - self._buffer)
        return self._kept.token

    async def exchange_for(self, audience: str, scopes: list[str] | None = None) -> TokenResult:
        """A token for ``audience``, in exchange for the agent's own."""
        own = await self.get_token()
        return await self._client.exchange_token(
            subject_token=own.access_token, audience=audience, scopes=scopes, **self._credentials
        )

    async def get_auth_headers(
        self, *, resource: str | None = None, http_method: str = "GET", http_uri: str | None = None
    ) -> dict[str, str]:
        """The headers of a request, by token exchange where it is for another resource.

        With ``use_dpop`` they are for this one request, and ``http_uri`` must be given: else ``ValueError``.
        """
        if self._dpop is not None and http_uri is None:
            raise ValueError("a proof is for one request: http_uri must be given (RFC 9449 section 7.1)")
        elsewhere = resource is not None and resource != self._resource
        token = await (self.exchange_for(resource or "") if elsewhere else self.get_token())
        if self._dpop is not None:
            return self._dpop.create_proof_headers(token.access_token, http_method, http_uri or "")
        return {"Authorization": f"Bearer {token.access_token}"}

    def wrap(self, tool: BaseTool) -> StructuredTool:
        """A tool that does the same, and is called with one argument more: ``authgent_headers``.

        Raises ``ValueError`` with ``use_dpop`` (a tool's request is not known here, so it has to ask for its headers by
        itself) and for a tool that does not say what its arguments are; ``ImportError`` where the package
        ``langchain-core`` is not installed.
        """
        if self._dpop is not None:
            raise ValueError("a proof is for one request: let the tool call get_auth_headers(http_uri=...)")
        try:
            from langchain_core.tools import StructuredTool, Tool
        except ImportError as error:
            raise ImportError("wrapping a tool needs LangChain: pip install langchain-core") from error
        if isinstance(tool, Tool) and tool.args_schema is None:
            raise ValueError("the tool needs an args_schema, as those of StructuredTool.from_function have")
        work = getattr(tool, "coroutine", None) or getattr(tool, "func", None) or tool._run

        async def with_headers(*args: object, **kwargs: object) -> Any:  # noqa: ANN401  # whatever the tool gives
            result = work(*args, **{**kwargs, "authgent_headers": await self.get_auth_headers()})
            return await result if inspect.isawaitable(result) else result

        schema = tool.args_schema or tool.get_input_schema()
        return StructuredTool(name=tool.name, description=tool.description, coroutine=with_headers, args_schema=schema)

    async def revoke(self) -> None:
        """Ends the token that is kept, if any."""
        if self._kept is not None:
            await self._client.revoke_token(self._kept.token.access_token, **self._credentials)
            self._kept = None

    def __repr__(self) -> str:
        """The server; neither token nor secret."""
        return f"AuthgentToolWrapper({self.server_url!r})"


class AuthgentCallbackHandler:
    """Keeps what happened to tokens, and logs it where ``verbose``. No token is in it."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._events: list[dict[str, Any]] = []

    def on_token_acquired(self, token_type: str, scope: str | None) -> None:
        """A token came."""
        self._add(event="token_acquired", token_type=token_type, scope=scope)

    def on_token_exchanged(self, audience: str, scope: str | None) -> None:
        """A token was exchanged for another."""
        self._add(event="token_exchanged", audience=audience, scope=scope)

    def on_token_revoked(self) -> None:
        """A token was ended."""
        self._add(event="token_revoked")

    @property
    def events(self) -> list[dict[str, Any]]:
        """All of it, in order."""
        return list(self._events)

    def _add(self, **event: Any) -> None:  # noqa: ANN401  # a record
        self._events.append(event)
        if self._verbose:
            _log.info("%s", event)


__all__ = ["AuthgentCallbackHandler", "AuthgentToolWrapper"]
