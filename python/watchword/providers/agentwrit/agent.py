"""The agents that an application creates, with one token each for one task."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from watchword.providers.agentwrit.agent_calls import AgentCalls
from watchword.providers.agentwrit.errors import AgentWritError
from watchword.providers.agentwrit.models import DelegatedToken

if TYPE_CHECKING:
    from watchword.providers.agentwrit.app import AgentWritApp, AsyncAgentWritApp


class Agent(AgentCalls):
    """An agent with a token for one task, as :meth:`AgentWritApp.create_agent` returns it.

    ``agent_id`` is its SPIFFE ID, ``access_token`` its token, and ``expires_in`` the token's lifetime in seconds, as of
    when it was issued. ``scope`` are the scopes that were requested: a service uses those of the verified token.
    It may be used from any number of threads. As a context manager it releases the agent at the end.
    """

    def __init__(
        self,
        app: AgentWritApp,
        agent_id: str,
        access_token: str,
        expires_in: int,
        scope: list[str],
        task_id: str,
        orch_id: str,
    ) -> None:
        super().__init__(agent_id, access_token, expires_in, scope, task_id, orch_id)
        self._app = app

    def renew(self) -> None:
        """Replace the token by a new one with the same scopes and lifetime; the broker revokes the old one.

        Concurrent callers share one renewal, which is never repeated after a lost answer: the old token may be revoked
        by then. Raises :class:`AgentWritError` if the agent was released, and the exceptions of the broker's answer.
        """
        self._app.caller.run(self._renewal())

    def release(self) -> None:
        """Revoke the token at the broker. Does nothing if the agent was released before.

        Raises the exceptions of the broker's answer; the agent is then not released, and may be released again.
        """
        self._app.caller.run(self._releasing())

    def delegate(self, delegate_to: str, scope: list[str], *, ttl: int | None = None) -> DelegatedToken:
        """Return a token for another agent, with equal or narrower scopes than this agent's.

        ``delegate_to`` is the SPIFFE ID of a registered agent, ``ttl`` the token's lifetime in seconds (``None``: the
        broker's default, 60). The token is not revoked when this agent is released. Raises :class:`AuthorizationError`
        if the scopes are wider (nothing is sent then) or the chain is too long, :class:`AgentWritError` if this agent
        was released, and the exceptions of the broker's answer; ``ValueError`` or ``TypeError`` if an argument is
        invalid, such as an empty list of scopes.
        """
        return self._app.caller.run(self._delegation(delegate_to, scope, ttl))

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The exception of the block matters more; the token expires soon.
        with suppress(*(() if error is None else (AgentWritError,))):
            self.release()


class AsyncAgent(AgentCalls):
    """As :class:`Agent`, for event loops: :meth:`AsyncAgentWritApp.create_agent` returns it."""

    def __init__(
        self,
        app: AsyncAgentWritApp,
        agent_id: str,
        access_token: str,
        expires_in: int,
        scope: list[str],
        task_id: str,
        orch_id: str,
    ) -> None:
        super().__init__(agent_id, access_token, expires_in, scope, task_id, orch_id)
        self._app = app

    async def renew(self) -> None:
        """As :meth:`Agent.renew`. A caller that is cancelled does not cancel it: the agent gets the new token."""
        await self._app.caller.run_async(self._renewal())

    async def release(self) -> None:
        """As :meth:`Agent.release`."""
        await self._app.caller.run_async(self._releasing())

    async def delegate(self, delegate_to: str, scope: list[str], *, ttl: int | None = None) -> DelegatedToken:
        """Return what :meth:`Agent.delegate` does; ``ttl`` is in seconds."""
        return await self._app.caller.run_async(self._delegation(delegate_to, scope, ttl))

    async def __aenter__(self) -> AsyncAgent:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(*(() if error is None else (AgentWritError,))):
            await self.release()


__all__ = ["Agent", "AsyncAgent"]
