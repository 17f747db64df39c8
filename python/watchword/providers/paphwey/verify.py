"""Attestations, verified offline with the gateway's JWK Set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from watchword.providers.paphwey.models import VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.paphwey.offline import ExpectedAction, OfflineBase
from watchword.providers.paphwey.pinned_key import PinnedKey
from watchword.providers.profiles.paphwey.claim_names import ClaimNames
from watchword.waiting import finish, finish_async

if TYPE_CHECKING:
    import types

__all__ = ["AsyncOfflineVerifier", "ClaimNames", "OfflineVerifier", "PinnedKey"]


class OfflineVerifier(OfflineBase):
    """Verifies attestations offline. Make one for the life of the process.

    It may be used from any number of threads and event loops at once. :meth:`from_base_url` is the usual way to make
    one; the constructor takes a :class:`watchword.Issuer`, whose keys may come from anywhere (``jwks=``,
    ``jwks_file=``, ``pem=``, ``jwks_uri=``), and which has neither requirements, ``aliases`` nor ``tenants``. The other
    arguments:

    - ``claim_names``: the names of the claims (:class:`ClaimNames`);
    - ``amount``: ``"at_most"`` the approved amount, or ``"exactly"`` that;
    - ``on_invalid``: ``"raise"`` a ``PaphweyVerificationError``, or ``"return"`` an outcome whose ``valid`` is false;
    - ``algorithms``: those that are allowed, by default those of the keys; ``types``: the accepted values of ``typ``;
    - ``credential_issuers``: further names of the issuer inside a credential, such as its DID;
      ``credential_type``: a type that the credential must have (tokens without a credential are then rejected);
    - ``required``: claims that must be present in addition to the delegation's id and ``exp`` (or ``validUntil``);
    - ``leeway``: the seconds by which clocks may differ; ``clock`` returns Unix seconds;
    - ``httpx_client``: your own client, which fetches the keys; ``fetcher``, ``on_event``: as for
      :class:`watchword.Verifier`.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def verify(
        self,
        attestation_token: str | bytes,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
        *,
        now: float | None = None,
    ) -> VerifiedOutcome:
        """Verify an attestation as of ``now`` in Unix seconds (``None``: the clock's).

        It must name ``audience`` and be bound to ``expected_delegation_id``. If ``expected_action`` is given
        (``scope``, and optionally ``amount_minor`` with ``currency``, and ``merchant``), the approved action must cover
        it.

        Returns the outcome. Raises :class:`PaphweyVerificationError` if the attestation is invalid;
        :class:`PaphweyTransportError` (``keys_unavailable``) if the gateway's keys are unavailable; ``TypeError`` or
        ``ValueError`` if an argument is invalid.
        """
        return finish(self._verify(attestation_token, audience, expected_delegation_id, expected_action, now))

    async def verify_async(
        self,
        attestation_token: str | bytes,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
        *,
        now: float | None = None,
    ) -> VerifiedOutcome:
        """As :meth:`verify`, waiting without blocking the event loop."""
        return await finish_async(
            self._verify(attestation_token, audience, expected_delegation_id, expected_action, now)
        )

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
        """As :meth:`verify`, called as ``PaphweyClient.verify_outcome`` is: with a request, or with its members."""
        return finish(self.steps(VerifyOutcomeRequest.of(request, members)))

    def refresh(self) -> None:
        """Fetch the keys now, to fail early at start-up. Raises :class:`PaphweyTransportError` if that fails."""
        finish(self._refresh())

    def close(self) -> None:
        """Stop refreshing keys in the background."""
        self._keys.close()

    def __enter__(self) -> OfflineVerifier:
        """Return the verifier itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class AsyncOfflineVerifier(OfflineBase):
    """As :class:`OfflineVerifier`, for event loops: every method that may wait is a coroutine, and none blocks."""

    async def verify(
        self,
        attestation_token: str | bytes,
        audience: str,
        expected_delegation_id: str,
        expected_action: ExpectedAction = None,
        *,
        now: float | None = None,
    ) -> VerifiedOutcome:
        """As :meth:`OfflineVerifier.verify`."""
        return await finish_async(
            self._verify(attestation_token, audience, expected_delegation_id, expected_action, now)
        )

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
        """As :meth:`OfflineVerifier.verify_outcome`, awaited."""
        return await finish_async(self.steps(VerifyOutcomeRequest.of(request, members)))

    async def refresh(self) -> None:
        """As :meth:`OfflineVerifier.refresh`."""
        await finish_async(self._refresh())

    async def aclose(self) -> None:
        """Stop refreshing keys in the background."""
        self._keys.close()

    async def __aenter__(self) -> AsyncOfflineVerifier:
        """Return the verifier itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()
