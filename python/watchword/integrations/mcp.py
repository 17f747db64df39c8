"""MCP servers of the Python SDK: bearer and DPoP tokens, checked before the SDK sees a request.

``protect(server.streamable_http_app(), gate)`` needs the package ``mcp``: ``pip install "watchword[mcp]"``.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware, get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import PrivateAttr
from starlette.authentication import AuthCredentials

from watchword import DelegationChain
from watchword.integrations._answers import failed
from watchword.integrations.asgi import GateMiddleware
from watchword.integrations.asgi_messages import send_rejection

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from watchword import VerifiedToken
    from watchword.gate import Decision, Gate


class GateAccessToken(AccessToken):
    """The MCP SDK's ``AccessToken`` for a token that a gate allowed, with the gate's decision.

    ``client_id`` is the claim ``client_id`` (RFC 9068 section 2.2), else ``azp``, else the nearest actor (``act``, RFC
    8693 section 4.1), else the subject; ``resource`` is the gate's if it is in the token's audience. The SDK binds a
    session to ``client_id``, ``iss`` and ``sub``.
    """

    _decision: Decision = PrivateAttr()

    @property
    def decision(self) -> Decision:
        """The gate's decision on the request."""
        return self._decision

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return what the repr shows: no token, no claims."""
        return [("client_id", self.client_id), ("scopes", self.scopes), ("subject", self.subject)]


class GateTokenVerifier:
    """A ``TokenVerifier`` of the MCP SDK, for servers with ``AuthSettings``.

    The SDK passes a token without its request. So the gate decides on a POST to ``path``, the server's endpoint, with
    the token as a bearer token: tokens that are bound to a key or a certificate are rejected, and the SDK answers 401
    if a scope is missing. Behind :func:`protect` it returns what the gate has already allowed instead.
    """

    def __init__(self, gate: Gate, *, path: str = "/mcp") -> None:
        self._gate = gate
        self._path = path

    async def verify_token(self, token: str) -> GateAccessToken | None:
        """Return the access token, or ``None`` if it is invalid or does not fulfil the route's requirements.

        Raises :class:`~watchword.KeysUnavailableError` if the issuer's keys are unavailable, and whatever else kept the
        gate from deciding.
        """
        allowed = allowed_token(token)
        if allowed is not None:
            return allowed
        decision = await self._gate.check_async(
            method="POST", target=self._path, headers=[("authorization", f"Bearer {token}")]
        )
        if decision.status >= 500 and decision.error is not None:
            raise decision.error
        return _access_token(self._gate, decision, token)


def protect(app: ASGIApp, gate: Gate, *, startup_keys: Literal["skip", "try", "require"] = "skip") -> ASGIApp:
    """Return the ASGI application of an MCP server behind a gate.

    ``app`` is what ``streamable_http_app()`` or ``sse_app()`` of the SDK's server returns, with or without
    ``AuthSettings``; with them, the server's ``token_verifier`` must be a :class:`GateTokenVerifier`. The gate answers
    invalid requests and serves the protected resource metadata (RFC 9728). In tools, the SDK's ``get_access_token()``
    returns a :class:`GateAccessToken`, and :func:`current_token` the verified token. ``startup_keys`` is that of
    :class:`~watchword.integrations.asgi.GateMiddleware`: whether the keys are fetched before the server starts.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    return GateMiddleware(_Authenticated(app, gate), gate, startup_keys=startup_keys)


def allowed_token(token: str) -> GateAccessToken | None:
    """Return the access token of the request that is being served, if :func:`protect` has allowed it for ``token``.

    For a ``TokenVerifier`` of your own behind :func:`protect`, which gets the token without its proof: the gate has
    verified both. ``None`` if there is no gate in front, or it has allowed another token.
    """
    current = _current.get()
    if current is None or current.token is None or current.token.token != token:
        return None
    return current.token


def current_token() -> VerifiedToken | None:
    """Return the verified token of the request that is being served.

    ``None`` if its route is public, or optional and it has no token. Raises ``LookupError`` as :func:`current_decision`
    does.
    """
    return current_decision().token


def current_decision() -> Decision:
    """Return the gate's decision on the request that is being served.

    Raises ``LookupError`` if there is none: the server is not behind :func:`protect` and has no
    :class:`GateTokenVerifier`.
    """
    token = get_access_token()
    if isinstance(token, GateAccessToken):
        return token.decision
    current = _current.get()
    if current is None:
        raise LookupError("this request did not pass a gate: use protect() or a GateTokenVerifier")
    return current.decision


class _Current(NamedTuple):
    """What the gate has allowed; ``token`` is ``None`` if the request has none."""

    decision: Decision
    token: GateAccessToken | None


#: For the token verifier and the tools of the same request.
_current: ContextVar[_Current | None] = ContextVar("watchword_mcp_request", default=None)


class _Authenticated:
    """Gives the SDK the user of a request that the gate allowed, in the scope's ``user`` and ``auth``."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = AuthContextMiddleware(app)
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            scope, current = self._authenticated(scope)
        except Exception as error:  # fails closed, whatever it is
            await send_rejection(failed(self._gate, error), scope, send)
            return
        variable = _current.set(current)
        try:
            await self._app(scope, receive, send)
        finally:
            _current.reset(variable)

    def _authenticated(self, scope: Scope) -> tuple[Scope, _Current]:
        decision: Decision = scope["state"]["decision"]
        raw = _credentials(scope) if decision.token is not None else ""
        token = _access_token(self._gate, decision, raw)
        if token is not None:
            user = {"user": AuthenticatedUser(token), "auth": AuthCredentials(token.scopes)}
            scope = {**scope, **user, "headers": _as_bearer(scope["headers"], raw)}
        return scope, _Current(decision, token)


def _access_token(gate: Gate, decision: Decision, raw: str) -> GateAccessToken | None:
    verified = decision.token
    if not decision.allowed or verified is None:
        return None
    resource = gate.resource
    token = GateAccessToken(
        token=raw,
        client_id=_client_id(verified),
        scopes=list(verified.scopes),
        expires_at=None if verified.expires_at is None else int(verified.expires_at),
        resource=resource if resource in verified.audience else None,
        subject=verified.subject,
        claims=verified.claims,
    )
    token._decision = decision
    return token


def _client_id(token: VerifiedToken) -> str:
    named = [token.claims.get("client_id"), token.claims.get("azp")]
    named += [actor.subject for actor in DelegationChain.from_act(token.claims).actors[:1]]
    return next((name for name in [*named, token.subject] if isinstance(name, str) and name), "")


def _credentials(scope: Scope) -> str:
    """Return the token of a request that the gate allowed: it has one ``Authorization`` header, with one token."""
    value = next(value for name, value in scope["headers"] if name.lower() == b"authorization")
    return str(value.decode("ascii").partition(" ")[2].strip(" "))


def _as_bearer(headers: list[tuple[bytes, bytes]], raw: str) -> list[tuple[bytes, bytes]]:
    """Return headers with the scheme ``Bearer``, the only one that the SDK knows."""
    bearer = (b"authorization", b"Bearer " + raw.encode("ascii"))
    return [bearer if name.lower() == b"authorization" else (name, value) for name, value in headers]


__all__ = ["GateAccessToken", "GateTokenVerifier", "allowed_token", "current_decision", "current_token", "protect"]
