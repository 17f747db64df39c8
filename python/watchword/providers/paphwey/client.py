"""The clients of the gateway, for threads and for event loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from watchword.client import AsyncHttpxClient, CallSettings, SyncHttpxClient
from watchword.providers.paphwey.client_base import MAX_RETRIES, TIMEOUT, ClientBase
from watchword.providers.paphwey.gateway_api import GatewayApi
from watchword.providers.paphwey.models import (
    Challenge,
    CreateDelegationRequest,
    Delegation,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.offline import ExpectedAction
from watchword.providers.paphwey.spans import TracerProvider
from watchword.providers.paphwey.verify import AsyncOfflineVerifier, OfflineVerifier
from watchword.providers.profiles.paphwey.claim_names import ClaimNames
from watchword.waiting import finish, finish_async

if TYPE_CHECKING:
    import types

__all__ = ["AsyncPaphweyClient", "GatewayApi", "PaphweyClient"]


class PaphweyClient(ClientBase):
    """The client of the gateway, for threads. Make one for the life of the process; any number of threads may use it.

    The documented arguments:

    - ``base_url``: ``https://www.paphwey.com`` in production; https, or http to loopback;
    - ``api_key``: sent as ``X-API-Key``, and in no message, log or repr;
    - ``timeout``: the seconds that one HTTP exchange may take in all; ``max_retries``: how often a request is sent
      again (:class:`watchword.client.CallSettings` has the rules);
    - ``httpx_client``: your own ``httpx2.Client`` or ``httpx.Client``, for its pool, proxies and certificates, which
      you close; without one, each request has its own connection;
    - ``user_agent``: appended to the client's own.

    Further arguments:

    - ``api``: the paths and names that are not public (:class:`GatewayApi`); ``claim_names``: the names of an
      attestation's claims (:class:`~watchword.providers.paphwey.verify.ClaimNames`);
    - ``on_invalid``: ``"raise"`` a ``PaphweyVerificationError`` for an invalid attestation, or ``"return"`` an outcome
      whose ``valid`` is false;
    - ``offline_verifier``: verifies each attestation before the gateway is asked; you close it;
    - ``call_settings``: all limits, instead of ``timeout`` and ``max_retries``; by default a call takes twice
      ``timeout`` in all;
    - ``allow_http_hosts``: the hosts to which plain http is allowed, besides loopback;
    - ``tracer_provider``: of the spans (``watchword[otel]``), by default the global one.

    Every call raises :class:`~watchword.providers.paphwey.errors.PaphweyError`: the class for the status of the answer,
    or ``PaphweyTransportError`` if there is no usable answer. Raises ``TypeError`` or ``ValueError`` if an argument is
    invalid.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout: float = TIMEOUT,
        max_retries: int = MAX_RETRIES,
        httpx_client: SyncHttpxClient | None = None,
        user_agent: str | None = None,
        *,
        api: GatewayApi | None = None,
        claim_names: ClaimNames | None = None,
        on_invalid: Literal["raise", "return"] = "raise",
        offline_verifier: OfflineVerifier | AsyncOfflineVerifier | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Iterable[str] = (),
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        super().__init__(
            base_url,
            api_key,
            timeout,
            max_retries,
            user_agent,
            client=httpx_client,
            api=api,
            claim_names=claim_names,
            on_invalid=on_invalid,
            offline_verifier=offline_verifier,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            tracer_provider=tracer_provider,
        )

    def create_delegation(self, request: CreateDelegationRequest, *, idempotency_key: str | None = None) -> Delegation:
        """Register what a principal grants to an agent, without asking the principal, and return the delegation.

        ``idempotency_key`` identifies the action for 24 hours: the gateway answers a second request with the same key
        as the first. Give your own if you may call again; by default each call has a new one, so that the client's own
        retries create one delegation.
        """
        return finish(self._create(request, idempotency_key))

    @overload
    def present_delegation(
        self, delegation_id: str, request: PresentDelegationRequest, *, idempotency_key: str | None = None
    ) -> Challenge: ...

    @overload
    def present_delegation(
        self,
        delegation_id: str,
        *,
        challenge_type: str,
        audience: str,
        payload: Mapping[str, Any],
        callback_url: str | None = None,
        ttl_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> Challenge: ...

    def present_delegation(
        self,
        delegation_id: str,
        request: PresentDelegationRequest | None = None,
        *,
        idempotency_key: str | None = None,
        **members: Any,
    ) -> Challenge:
        """Open a challenge for one action, by a request or by its members, and return it.

        Send its ``approval_url`` to the principal's own device, never to the agent. ``ttl_seconds`` is how many seconds
        it stays open; ``idempotency_key`` is as for :meth:`create_delegation`.
        """
        return finish(self._present(delegation_id, request, members, idempotency_key))

    @overload
    def verify_outcome(self, request: VerifyOutcomeRequest, /) -> VerifiedOutcome: ...

    @overload
    def verify_outcome(
        self,
        /,
        *,
        attestation_token: str,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
    ) -> VerifiedOutcome: ...

    def verify_outcome(self, request: VerifyOutcomeRequest | None = None, /, **members: Any) -> VerifiedOutcome:
        """Let the gateway verify an attestation, by a request or by its members, and return the outcome.

        The answer must be the answer to this question: it must name the audience and the delegation, and not differ
        from the attestation. With an ``offline_verifier``, the attestation is verified here too. It may be what
        consumes the attestation, so it is not sent again after a time-out or a 5xx.

        Raises :class:`~watchword.providers.paphwey.errors.PaphweyVerificationError` if the attestation is invalid.
        """
        return finish(self._verify(request, members))

    def close(self) -> None:
        """Do nothing: no connection is open between two calls, and an ``httpx_client`` is closed by its owner."""

    def __enter__(self) -> PaphweyClient:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class AsyncPaphweyClient(ClientBase):
    """As :class:`PaphweyClient`, for event loops: every call is a coroutine, and none blocks.

    ``httpx_client`` is an ``httpx2.AsyncClient`` or ``httpx.AsyncClient``. Without one, any number of event loops may
    use the same object. Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout: float = TIMEOUT,
        max_retries: int = MAX_RETRIES,
        httpx_client: AsyncHttpxClient | None = None,
        user_agent: str | None = None,
        *,
        api: GatewayApi | None = None,
        claim_names: ClaimNames | None = None,
        on_invalid: Literal["raise", "return"] = "raise",
        offline_verifier: OfflineVerifier | AsyncOfflineVerifier | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Iterable[str] = (),
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        super().__init__(
            base_url,
            api_key,
            timeout,
            max_retries,
            user_agent,
            async_client=httpx_client,
            api=api,
            claim_names=claim_names,
            on_invalid=on_invalid,
            offline_verifier=offline_verifier,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            tracer_provider=tracer_provider,
        )

    async def create_delegation(
        self, request: CreateDelegationRequest, *, idempotency_key: str | None = None
    ) -> Delegation:
        """As :meth:`PaphweyClient.create_delegation`."""
        return await finish_async(self._create(request, idempotency_key))

    @overload
    async def present_delegation(
        self, delegation_id: str, request: PresentDelegationRequest, *, idempotency_key: str | None = None
    ) -> Challenge: ...

    @overload
    async def present_delegation(
        self,
        delegation_id: str,
        *,
        challenge_type: str,
        audience: str,
        payload: Mapping[str, Any],
        callback_url: str | None = None,
        ttl_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> Challenge: ...

    async def present_delegation(
        self,
        delegation_id: str,
        request: PresentDelegationRequest | None = None,
        *,
        idempotency_key: str | None = None,
        **members: Any,
    ) -> Challenge:
        """As :meth:`PaphweyClient.present_delegation`; ``ttl_seconds`` is in seconds."""
        return await finish_async(self._present(delegation_id, request, members, idempotency_key))

    @overload
    async def verify_outcome(self, request: VerifyOutcomeRequest, /) -> VerifiedOutcome: ...

    @overload
    async def verify_outcome(
        self,
        /,
        *,
        attestation_token: str,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
    ) -> VerifiedOutcome: ...

    async def verify_outcome(self, request: VerifyOutcomeRequest | None = None, /, **members: Any) -> VerifiedOutcome:
        """As :meth:`PaphweyClient.verify_outcome`."""
        return await finish_async(self._verify(request, members))

    async def aclose(self) -> None:
        """Do nothing, as :meth:`PaphweyClient.close` does."""

    async def __aenter__(self) -> AsyncPaphweyClient:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()
