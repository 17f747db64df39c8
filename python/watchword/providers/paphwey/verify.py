"""Attestations verified offline, against the gateway's JWK Set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from watchword.errors import KeysUnavailableError
from watchword.providers.paphwey.models import VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.paphwey.offline import ExpectedAction, OfflineBase, transport_error
from watchword.providers.paphwey.pinned_key import PinnedKey
from watchword.providers.profiles.paphwey.claim_names import ClaimNames

if TYPE_CHECKING:
    import types

__all__ = ["AsyncOfflineVerifier", "ClaimNames", "OfflineVerifier", "PinnedKey"]


class OfflineVerifier(OfflineBase):
    """Verifies attestations without asking the gateway about each. Make one for the life of the process.

    It may be used from any number of threads and event loops at once. :meth:`from_base_url` is the usual way to one;
    the constructor takes a :class:`watchword.Issuer`, whose keys may come from anywhere (``jwks=``, ``jwks_file=``,
    ``pem=``, ``jwks_uri=``); its own demands on tokens are not looked at. All else has a default:

    - ``claim_names``: which claims mean what (:class:`ClaimNames`);
    - ``amount``: ``"at_most"`` the approved one, or ``"exactly"`` that;
    - ``on_invalid``: ``"raise"`` a ``PaphweyVerificationError``, or ``"return"`` an outcome whose ``valid`` is false;
    - ``algorithms``: those that are allowed, by default those of the keys; ``types``: the values of ``typ``;
    - ``credential_issuers``: further names of the issuer inside a credential, such as its DID;
      ``credential_type``: a type that the credential must have (tokens without one are then refused);
    - ``required``: claims that must be there beside the delegation's id and ``exp`` (or ``validUntil``);
    - ``leeway``: by how many seconds clocks may differ; ``clock`` tells Unix seconds;
    - ``httpx_client``: a client of yours to fetch keys with; ``fetcher``, ``on_event``: as for
      :class:`watchword.Verifier`.

    Raises ``TypeError`` or ``ValueError`` where these cannot be meant.
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
        """Verifies an attestation as of ``now`` in Unix seconds (``None``: by the clock).

        It must be meant for ``audience`` and be bound to ``expected_delegation_id``; where ``expected_action`` is given
        (``scope``, and ``amount_minor`` with ``currency``, and ``merchant``, as far as they matter), that must be what
        was approved.

        Returns the outcome. Raises :class:`PaphweyVerificationError` for whatever the attestation is;
        :class:`PaphweyTransportError` (``keys_unavailable``) where the gateway's keys cannot be had; ``TypeError`` or
        ``ValueError`` for what only a caller can have done wrong.
        """
        return self._verify(attestation_token, audience, expected_delegation_id, expected_action, now)

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
        return await self._verify_async(attestation_token, audience, expected_delegation_id, expected_action, now)

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
        """As :meth:`verify`, in both forms of ``PaphweyClient.verify_outcome``: a request, or its members."""
        asked = VerifyOutcomeRequest.of(request, members)
        return self.verify(asked.attestation_token, asked.audience, asked.expected_delegation_id, asked.expected_action)

    def refresh(self) -> None:
        """Fetches the keys now, to fail early at start-up. Raises :class:`PaphweyTransportError`."""
        try:
            self._keys.refresh()
        except KeysUnavailableError as error:
            raise transport_error(error) from error

    def close(self) -> None:
        """Ends the refreshing of keys in the background."""
        self._keys.close()

    def __enter__(self) -> OfflineVerifier:
        """The verifier itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()


class AsyncOfflineVerifier(OfflineBase):
    """As :class:`OfflineVerifier`, for event loops: every verb that may wait is awaited, and none blocks."""

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
        return await self._verify_async(attestation_token, audience, expected_delegation_id, expected_action, now)

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
        asked = VerifyOutcomeRequest.of(request, members)
        return await self.verify(
            asked.attestation_token, asked.audience, asked.expected_delegation_id, asked.expected_action
        )

    async def refresh(self) -> None:
        """As :meth:`OfflineVerifier.refresh`."""
        try:
            await self._keys.refresh_async()
        except KeysUnavailableError as error:
            raise transport_error(error) from error

    async def aclose(self) -> None:
        """Ends the refreshing of keys in the background."""
        self._keys.close()

    async def __aenter__(self) -> AsyncOfflineVerifier:
        """The verifier itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        await self.aclose()
