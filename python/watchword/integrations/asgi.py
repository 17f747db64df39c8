"""Middleware for ASGI applications, which needs no framework: ``app = GateMiddleware(app, gate)``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Literal

from watchword.integrations._answers import failed
from watchword.integrations.asgi_messages import (
    certificate,
    check_path,
    encoded,
    escaped_path,
    is_form,
    read_form,
    send_metadata,
    send_rejection,
    target,
)
from watchword.waiting import finish_async

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

#: The key of the scope that says which gate allowed the request, by which decision.
GATE = "watchword.gate"

_logger = logging.getLogger("watchword.integrations")


class GateMiddleware:
    """Checks every HTTP request and WebSocket handshake of an ASGI application with a :class:`~watchword.gate.Gate`.

    A rejected request does not reach the application. For an allowed one, ``scope["state"]`` has ``"decision"`` (the
    :class:`~watchword.gate.Decision`) and ``"token"`` (its :class:`~watchword.VerifiedToken`, or ``None`` on public and
    optional routes). Headers that clients may not send are removed; ``identity_headers=True`` adds the gate's own.

    A WebSocket is rejected before it is accepted: with the gate's response if the server has the extension
    ``websocket.http.response``, otherwise by closing it with 4000 + the status (4401, 4403), for which servers send
    403. The protected resource metadata (RFC 9728) is served at ``gate.metadata_path``, to anyone. A connection of any
    other protocol raises ``ValueError``.

    ``startup_keys`` says what happens when the server starts (ASGI's lifespan): ``"skip"``: nothing, as keys are
    fetched for the first token; ``"try"``: they are fetched, and if they are unavailable, the server starts
    nevertheless; ``"require"``: it does not start.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid. If the framework makes its middleware while the
    server starts, the start fails instead.
    """

    def __init__(
        self,
        app: Application,
        gate: Gate,
        *,
        identity_headers: bool = False,
        startup_keys: Literal["skip", "try", "require"] = "skip",
    ) -> None:
        self.app = app
        self._gate = gate
        self._identity_headers = identity_headers
        self._startup_keys = startup_keys
        self._invalid: Exception | None = None
        try:
            _check_arguments(gate, startup_keys)
            # The same for the life of the gate.
            self._metadata_path = gate.metadata_path
        except (TypeError, ValueError) as error:
            if not is_serving():
                raise
            self._invalid = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        is_http = kind == "http"
        if not (is_http or kind == "websocket") or self._invalid is not None:
            await self._serve_other(scope, receive, send)
            return
        path = scope["path"]
        if path == self._metadata_path and is_http:
            # Without a check, as its readers have no token yet: it tells them how to get one.
            await self._send_metadata(scope, send)
            return
        # Some of this is written out that could be called: it runs for every request.
        allowed = False
        try:
            raw = scope.get("raw_path") or escaped_path(scope)
            query = scope.get("query_string")
            headers = scope["headers"]
            extensions = scope.get("extensions")
            found: Any = self._gate.check_steps(
                # A WebSocket handshake has no other method (RFC 6455 section 4.1), nor has its proof.
                method=scope["method"] if is_http else "GET",
                target=raw + b"?" + query if query else raw,
                headers=headers,
                certificate=certificate(extensions) if extensions else None,
            )
            decision: Decision = await finish_async(found) if found.__class__ is GeneratorType else found
            if decision.allowed:
                if raw != path.encode():
                    check_path(scope, raw)
                forwarded = decision.forwarded_headers(headers)
                if forwarded is not headers or self._identity_headers:
                    scope = self._forwarded(scope, forwarded, decision)
                remember(scope, self._gate, decision)
                allowed = True
            elif decision.code == "missing_token" and is_http and is_form(headers):
                decision = await self._explained(decision, scope, receive)
        except Exception as error:
            # No exception of ours lets a request through.
            decision = failed(self._gate, error)
        if allowed:
            await self.app(scope, receive, send)
        else:
            await send_rejection(decision, scope, send)

    async def _explained(self, decision: Decision, scope: Scope, receive: Receive) -> Decision:
        """Return the decision on a request without a token that may have one in its form."""
        form = await read_form(receive)
        explained = await self._gate.check_async(
            method=scope["method"], target=target(scope), headers=scope["headers"], form=form
        )
        # The form can give a better reason for the rejection, and nothing else.
        return decision if explained.allowed else explained

    def _forwarded(self, scope: Scope, headers: list[tuple[bytes, bytes]], decision: Decision) -> Scope:
        """Return the scope with the headers that reach the application."""
        if self._identity_headers:
            headers = [*headers, *encoded(decision.identity_headers)]
        # A copy: what is outside, an access log, still has what the client sent.
        return {**scope, "headers": headers}

    async def _send_metadata(self, scope: Scope, send: Send) -> None:
        try:
            metadata = self._gate.metadata()
        except Exception as error:
            await send_rejection(failed(self._gate, error), scope, send)
        else:
            await send_metadata(metadata, scope, send)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection that is not checked: the server's start and end, and none other."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._invalid is not None:
            raise self._invalid
        else:
            raise ValueError(f"a GateMiddleware cannot check a connection of the type {scope['type']!r}")

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        unread = [await receive()]
        error = self._invalid or await self._fetch_keys()
        if error is not None:
            # Servers take an exception alone for "no lifespan support", and start.
            await send({"type": "lifespan.startup.failed", "message": f"{type(self).__name__}: {error}"})
            raise error

        async def receive_again() -> Message:
            return unread.pop() if unread else await receive()

        await self.app(scope, receive_again, send)

    async def _fetch_keys(self) -> Exception | None:
        """Fetch the keys, if that is to be done at start-up. Returns why the server must not start, if it must not."""
        if self._startup_keys == "skip":
            return None
        try:
            await self._gate.refresh_async()
        except Exception as error:
            if self._startup_keys == "require":
                return error
            _logger.warning("the keys are unavailable at start-up: %s", error)
        return None


def remember(scope: Scope, gate: object, decision: Decision) -> None:
    """Put the decision that allows a request into its scope, for the application."""
    state = scope.get("state")
    if state is None:
        state = scope["state"] = {}
    # Both, always: a middleware outside, with another gate, may have set them.
    state["decision"] = decision
    state["token"] = decision.token
    # Not in the state, which a scope can share with that of an application that is mounted in this one.
    scope[GATE] = gate, decision


def remembered(scope: Scope, gate: object) -> Decision | None:
    """Return the decision by which ``gate`` has allowed the request of a scope, ``None`` if it has not."""
    known: tuple[object, Decision] | None = scope.get(GATE)
    return known[1] if known is not None and known[0] is gate else None


def _check_arguments(gate: object, startup_keys: str) -> None:
    if not callable(getattr(gate, "check_steps", None)):
        raise TypeError(f"gate must be a watchword.gate.Gate, not {type(gate).__name__}")
    if startup_keys not in ("skip", "try", "require"):
        raise ValueError(f'startup_keys is {startup_keys!r}: it must be "skip", "try" or "require"')


def is_serving() -> bool:
    """Return whether an event loop runs: Starlette makes its middleware when it handles its first event.

    That is the lifespan's start-up. A server takes an exception there for "no lifespan support" and starts, and every
    request ends in a 500.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


__all__ = ["GateMiddleware"]
