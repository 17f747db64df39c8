"""Call a caller's own functions with renewed tokens, or with the error of a failed renewal."""

from __future__ import annotations

import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from watchword.client import Shared, Verb
from watchword.providers.authpi.types import TokenSet
from watchword.waiting import Call

#: ``on_refresh`` or ``on_refresh_error``, of either kind of client.
Callback = Callable[[Any], Awaitable[None] | None]

_log = logging.getLogger("watchword.providers.authpi")


class Delivery:
    """Gives renewed tokens to one caller's ``on_refresh``, whether or not that caller still waits for them.

    The old refresh token is used up by then: tokens that nobody stores are a session that ends. The caller itself calls
    it: in its own thread, as sessions and connections to databases often belong to threads, or, in an event loop, in a
    task that is not cancelled with the caller. If the caller was cancelled or interrupted before, the shared call calls
    it, in the caller's context (:mod:`contextvars`).
    """

    def __init__(self, callback: Callback | None, *, is_async: bool) -> None:
        check_callback("on_refresh", callback, is_async=is_async)
        self._callback = callback
        self._is_async = is_async
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._caller_is_gone = False
        self._left_to_caller: TokenSet | None = None
        self.is_done = False
        """Whether ``on_refresh`` has returned."""

    def from_shared_call(self, tokens: TokenSet) -> Verb[None]:
        """Deliver from within the shared call that this caller began, unless the caller is still there to do it."""
        with self._lock:
            if not self._caller_is_gone:
                self._left_to_caller = tokens
                return
        try:
            yield from self._call(tokens)
        except Exception as error:
            # All others that wait for the shared call have their tokens.
            _log.error("on_refresh raised %s after its caller was cancelled", type(error).__name__)

    def after_cancellation(self) -> Verb[None]:
        """Say that the caller is gone, and deliver what the shared call has left to it in that moment."""
        with self._lock:
            self._caller_is_gone = True
            tokens = self._left_to_caller
        if tokens is not None:
            yield from self.from_caller(tokens)

    def from_caller(self, tokens: TokenSet) -> Verb[None]:
        """Deliver the result of a shared call. Raises what ``on_refresh`` raises."""
        if self._is_async:
            yield Shared(object(), lambda: self._call(tokens))
        else:
            yield from self._call(tokens)

    def _call(self, tokens: TokenSet) -> Verb[None]:
        if self._callback is not None:
            run = self._context.run if self._caller_is_gone else None
            yield calling(self._callback, tokens.model_dump(), run)
            self.is_done = True


def check_callback(name: str, callback: Callback | None, *, is_async: bool) -> None:
    """Raise ``TypeError`` before anything is used up, unless the client can call it."""
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} must be a function, not {type(callback).__name__}")
    if not is_async and inspect.iscoroutinefunction(callback):
        raise TypeError(f"{name} is a coroutine function, which IdpClientSync cannot await: use IdpClient")


def calling(callback: Callback, value: object, run: Callable[..., Any] | None = None) -> Call[None]:
    """Return the step that calls a callback, and in a task awaits its result if it is awaitable."""

    def in_thread() -> None:
        result = callback(value) if run is None else run(callback, value)
        if inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            raise TypeError("the callback returned an awaitable, which IdpClientSync cannot await: use IdpClient")

    async def in_task() -> None:
        result = callback(value)
        if inspect.isawaitable(result):
            await result

    return Call(in_thread, in_task)


__all__ = ["Callback", "Delivery", "calling", "check_callback"]
