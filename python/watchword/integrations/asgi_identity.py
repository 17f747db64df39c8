"""Middleware for ASGI applications behind a gate in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword import VerificationError
from watchword.integrations._identity_answers import (
    IDENTITY,
    RejectionLog,
    check_identity_headers,
    identity_rejection,
)
from watchword.integrations.asgi_messages import send_rejection

if TYPE_CHECKING:
    from watchword.gate import IdentityHeaders
    from watchword.integrations.asgi import Application, Receive, Scope, Send


class IdentityMiddleware:
    """Accepts only requests whose identity headers a gate with the application's secret has sent.

    Any other HTTP request is answered by 403 (``untrusted_identity``), without a challenge, as its client can do
    nothing about it; a WebSocket handshake is rejected likewise. For an accepted one, ``scope["state"]`` has
    ``"identity"``, the :class:`~watchword.gate.Identity`: ``request.state.identity`` in Starlette and FastAPI. The
    headers below the prefix, the secret among them, are removed. Other connections, such as the server's start, are
    passed on.

    What must answer without the gate, such as a health check, is served outside of it. Raises ``TypeError`` if
    ``identity_headers`` is not a :class:`~watchword.gate.IdentityHeaders`.
    """

    def __init__(self, app: Application, identity_headers: IdentityHeaders) -> None:
        check_identity_headers(identity_headers)
        self.app = app
        self._identity_headers = identity_headers
        self._log = RejectionLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        try:
            identity = self._identity_headers.read(headers)
        except VerificationError as error:
            self._log.add(error)
            await send_rejection(identity_rejection(error), scope, send)
            return
        # Copies: what is outside, an access log, still has what was sent.
        state = {**(scope.get("state") or {}), "identity": identity}
        kept = self._identity_headers.without(headers)
        await self.app({**scope, "headers": kept, "state": state, IDENTITY: identity}, receive, send)


__all__ = ["IdentityMiddleware"]
