"""An application at a broker: it creates agents, within the scopes that the operator has given it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from watchword.client import Answer, AsyncHttpxClient, CallSettings, Request, SyncHttpxClient, Verb
from watchword.providers.agentwrit.agent import Agent, AsyncAgent
from watchword.providers.agentwrit.answers import read_health, require_success
from watchword.providers.agentwrit.connection import connect
from watchword.providers.agentwrit.models import HealthStatus, ValidateResult
from watchword.providers.agentwrit.narrowing import scope_list
from watchword.providers.agentwrit.registration import check_registration
from watchword.providers.agentwrit.session import AppSession
from watchword.providers.agentwrit.trusted_brokers import TRUSTED_BROKERS, TrustedBrokers
from watchword.providers.agentwrit.validation import ask_broker

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from watchword.holder import Signer


class _App:
    """What both kinds of applications have."""

    def __init__(
        self,
        broker_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float,
        user_agent: str | None,
        call_settings: CallSettings | None,
        allow_http_hosts: Collection[str],
        scope_ceiling: Iterable[str] | None,
        brokers: TrustedBrokers,
        clock: Callable[[], float],
        http_client: SyncHttpxClient | None = None,
        async_http_client: AsyncHttpxClient | None = None,
    ) -> None:
        settings = CallSettings(timeout=timeout) if call_settings is None else call_settings
        self._session = AppSession(client_id, client_secret, clock)
        self._ceiling = None if scope_ceiling is None else scope_list(scope_ceiling, what="scope_ceiling")
        self._brokers = brokers
        self.caller = connect(
            broker_url,
            settings=settings,
            user_agent=user_agent,
            allow_http_hosts=allow_http_hosts,
            http_client=http_client,
            async_http_client=async_http_client,
        )
        self.timeout = settings.timeout
        self.user_agent = user_agent

    @property
    def broker_url(self) -> str:
        """The broker's URL, without final slashes."""
        return self.caller.base_url

    @property
    def client_id(self) -> str:
        """The application's name at the broker."""
        return self._session.client_id

    @property
    def client_secret(self) -> str:
        """The application's secret."""
        return self._session.client_secret

    def __repr__(self) -> str:
        """Return the URL and the client id, without the secret."""
        return f"{type(self).__name__}(broker_url={self.broker_url!r}, client_id={self.client_id!r})"

    def _validation(self, token: str | bytes) -> Verb[ValidateResult]:
        broker = self._brokers.get(self.broker_url)
        return (yield from ask_broker(token)) if broker is None else broker.validate(token)


class AgentWritApp(_App):
    """An application at a broker, with the credentials that the broker's operator has given it.

    Nothing is sent before the first call; the application authenticates when a call needs it, and its session is used
    until a minute before its end, by any number of threads. As a context manager it ends with :meth:`close`.

    ``timeout`` is that of one attempt of a request in seconds, ``user_agent`` replaces the header ``User-Agent``. The
    others are Watchword's: ``call_settings`` replaces ``timeout`` and has all limits and retries
    (:class:`watchword.client.CallSettings`); ``allow_http_hosts`` lists exact host names or addresses that may be
    reached over plain http, besides loopback (**whoever is on the way then reads the secret and all tokens**);
    ``http_client`` is a client of your own, such as ``httpx2.Client``; ``scope_ceiling`` lists the scopes that the
    operator allows, if they are known here: a wider agent is rejected before anything is sent; ``brokers`` has the
    brokers whose keys are known, for :meth:`validate`; ``clock`` returns Unix seconds.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
    """

    def __init__(
        self,
        broker_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 10.0,
        user_agent: str | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        http_client: SyncHttpxClient | None = None,
        scope_ceiling: Iterable[str] | None = None,
        brokers: TrustedBrokers = TRUSTED_BROKERS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            broker_url,
            client_id,
            client_secret,
            timeout=timeout,
            user_agent=user_agent,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            http_client=http_client,
            scope_ceiling=scope_ceiling,
            brokers=brokers,
            clock=clock,
        )

    def create_agent(
        self,
        orch_id: str,
        task_id: str,
        requested_scope: Iterable[str],
        *,
        private_key: Ed25519PrivateKey | Signer | None = None,
        max_ttl: int = 300,
        label: str | None = None,
    ) -> Agent:
        """Register an agent for one task, and return it.

        ``orch_id`` and ``task_id`` become parts of its SPIFFE ID. ``private_key`` is an Ed25519 private key of the
        package ``cryptography``, or a :class:`watchword.holder.Signer` for EdDSA, such as a key in a KMS (``None``: a
        new key, which is forgotten afterwards). ``max_ttl`` is the longest lifetime of its tokens in seconds, ``label``
        its name in the broker's log (``None``: ``orch_id/task_id``).

        Raises ``ValueError`` or ``TypeError``, before anything is sent, if an argument is invalid;
        :class:`AuthorizationError` if the scopes exceed those of the application; :class:`AuthenticationError`,
        :class:`RateLimitError` or :class:`ProblemResponseError` for other rejections; :class:`TransportError` without
        an answer, after which an agent may exist that nobody has the token of; :class:`CryptoError` if the key cannot
        sign.
        """
        registration = check_registration(
            orch_id,
            task_id,
            requested_scope,
            private_key=private_key,
            max_ttl=max_ttl,
            label=label,
            ceiling=self._ceiling,
        )
        made = self.caller.run(registration.register(self._session))
        return Agent(
            self,
            made.agent_id,
            made.access_token,
            made.expires_in,
            registration.scope,
            registration.task_id,
            registration.orch_id,
        )

    def validate(self, token: str | bytes) -> ValidateResult:
        """Return the verdict on a token of this broker, as :func:`validate` does."""
        return self.caller.run(self._validation(token))

    def health(self) -> HealthStatus:
        """Return the state of the broker. It is asked without any authentication."""
        return self.caller.run(_health())

    def close(self) -> None:
        """Forget the application's session. Agents can still be used; a later call begins a new session."""
        self._session.forget()

    def __enter__(self) -> AgentWritApp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncAgentWritApp(_App):
    """As :class:`AgentWritApp`, for event loops: its calls and its agents' are coroutines.

    ``timeout`` is in seconds; ``http_client`` is a client of your own, such as ``httpx2.AsyncClient``.
    """

    def __init__(
        self,
        broker_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 10.0,
        user_agent: str | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        http_client: AsyncHttpxClient | None = None,
        scope_ceiling: Iterable[str] | None = None,
        brokers: TrustedBrokers = TRUSTED_BROKERS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            broker_url,
            client_id,
            client_secret,
            timeout=timeout,
            user_agent=user_agent,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            async_http_client=http_client,
            scope_ceiling=scope_ceiling,
            brokers=brokers,
            clock=clock,
        )

    async def create_agent(
        self,
        orch_id: str,
        task_id: str,
        requested_scope: Iterable[str],
        *,
        private_key: Ed25519PrivateKey | Signer | None = None,
        max_ttl: int = 300,
        label: str | None = None,
    ) -> AsyncAgent:
        """As :meth:`AgentWritApp.create_agent`; ``max_ttl`` is in seconds. The signer is called in another thread."""
        registration = await asyncio.to_thread(
            check_registration,
            orch_id,
            task_id,
            requested_scope,
            private_key=private_key,
            max_ttl=max_ttl,
            label=label,
            ceiling=self._ceiling,
        )
        made = await self.caller.run_async(registration.register(self._session))
        return AsyncAgent(
            self,
            made.agent_id,
            made.access_token,
            made.expires_in,
            registration.scope,
            registration.task_id,
            registration.orch_id,
        )

    async def validate(self, token: str | bytes) -> ValidateResult:
        """Return what :meth:`AgentWritApp.validate` does."""
        return await self.caller.run_async(self._validation(token))

    async def health(self) -> HealthStatus:
        """Return what :meth:`AgentWritApp.health` does."""
        return await self.caller.run_async(_health())

    async def aclose(self) -> None:
        """As :meth:`AgentWritApp.close`."""
        self._session.forget()

    async def __aenter__(self) -> AsyncAgentWritApp:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _health() -> Verb[HealthStatus]:
    answer: Answer = yield Request("GET", "/v1/health", repeatable=True)
    return read_health(require_success(answer))


__all__ = ["AgentWritApp", "AsyncAgentWritApp"]
