"""Runs calls: each request within the limits, and again if that is safe."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from watchword.client.answer import Answer
from watchword.client.errors import CallError, NoAnswerError
from watchword.client.request import Request, Verb
from watchword.client.retries import delay
from watchword.client.settings import CallSettings
from watchword.client.shared import Flights, Shared
from watchword.client.transport import Transport
from watchword.http.httpx_interface import AsyncHttpxClient, SyncHttpxClient
from watchword.waiting import Call, Pending, Steps, finish, finish_async

T = TypeVar("T")


class Caller:
    """Runs the calls of one client.

    ``base_url`` has been checked (:func:`~watchword.client.check_base_url`); ``user_agent`` and ``headers`` are sent
    with every request. ``client`` and ``async_client`` are the application's own (see
    :class:`~watchword.client.transport.Transport`). ``raise_as`` returns the exception to raise for a
    :class:`~watchword.client.CallError`. It may be used from any number of threads and event loops.
    """

    def __init__(
        self,
        base_url: str,
        *,
        user_agent: str,
        raise_as: Callable[[CallError], Exception],
        settings: CallSettings | None = None,
        headers: Mapping[str, str] | None = None,
        client: SyncHttpxClient | None = None,
        async_client: AsyncHttpxClient | None = None,
    ) -> None:
        self._transport = Transport(
            base_url, user_agent=user_agent, headers=headers, client=client, async_client=async_client
        )
        self._settings = settings or CallSettings()
        self._raise_as = raise_as
        self._flights = Flights()

    @property
    def base_url(self) -> str:
        """The URL that requests are relative to."""
        return self._transport.base_url

    def run(self, verb: Verb[T]) -> T:
        """Run a call to its end in this thread, and return its result.

        Raises what ``raise_as`` returns if there is no answer, or an invalid one, and whatever the call itself raises.
        """
        failure: Exception
        try:
            return finish(self._steps(verb))
        except CallError as error:
            failure = self._raise_as(error)
        # Outside of the block, so that the exception has no context.
        raise failure

    async def run_async(self, verb: Verb[T]) -> T:
        """As :meth:`run`, in this task."""
        failure: Exception
        try:
            return await finish_async(self._steps(verb))
        except CallError as error:
            failure = self._raise_as(error)
        raise failure

    def _steps(self, verb: Verb[T]) -> Steps[T]:
        until = time.monotonic() + self._settings.seconds
        step: Request | Shared[object] | Pending[object]
        try:
            step = next(verb)
            while True:
                try:
                    value = yield from self._perform(step, until)
                except BaseException as error:
                    step = verb.throw(error)
                else:
                    step = verb.send(value)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # StopIteration does not know that it is a T

    def _perform(self, step: Request | Shared[object] | Pending[object], until: float) -> Steps[object]:
        if isinstance(step, Pending):
            return (yield step)
        if isinstance(step, Shared):
            # Its own time begins when it does; a caller waits until its own time is over.
            left = max(0.0, until - time.monotonic())
            return (yield from self._flights.join(step.key, lambda: self._steps(step.make()), step.keep, left))
        return (yield from self._ask(step, until))

    def _ask(self, request: Request, until: float) -> Steps[Answer]:
        attempt = 0
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise NoAnswerError.of_timeout()
            outcome: Answer | NoAnswerError
            try:
                outcome = yield self._attempt(request, min(self._settings.timeout, left))
            except NoAnswerError as error:
                outcome = error
            seconds = delay(request, outcome, attempt, self._settings, now=time.time())
            if seconds is None or seconds >= until - time.monotonic():
                break
            yield Call(functools.partial(time.sleep, seconds), functools.partial(asyncio.sleep, seconds))
            attempt += 1
        if isinstance(outcome, NoAnswerError):
            raise outcome
        return outcome

    def _attempt(self, request: Request, seconds: float) -> Call[Answer]:
        arguments = (request, seconds, self._settings)
        return Call(
            functools.partial(self._transport.send, *arguments),
            functools.partial(self._transport.send_async, *arguments),
        )

    def __repr__(self) -> str:
        """Return the base URL."""
        return f"Caller({self.base_url!r})"


__all__ = ["Caller"]
