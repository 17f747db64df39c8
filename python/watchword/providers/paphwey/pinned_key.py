"""The key that an attestation confirms, pinned for later requests of its holder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from watchword import dpop, thumbprint
from watchword.dpop import DPOP_ALGORITHMS, DpopProof
from watchword.errors import VerificationError
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey.attestation import checked_jwk


class PinnedKey:
    """A confirmation key (RFC 7800 section 3.2): ``PinnedKey(outcome.cnf_jwk)``.

    The JWK may come from a session store. It is validated as every key is: it must be public, for signatures, on its
    curve, and long enough. Raises :class:`PaphweyVerificationError` (``invalid_confirmation_key``) if it is invalid, or
    ``None``.
    """

    def __init__(self, jwk: Mapping[str, Any] | None) -> None:
        if jwk is None:
            raise PaphweyVerificationError(
                "the attestation has no confirmation key (cnf_jwk is None)", code="invalid_confirmation_key"
            )
        try:
            self._jwk = checked_jwk(jwk)
        except VerificationError as error:
            raise PaphweyVerificationError(error.detail, code=reason_of(error)) from error
        self._jkt = thumbprint(self._jwk)

    @property
    def jwk(self) -> dict[str, Any]:
        """The key as a JWK, to be stored."""
        return dict(self._jwk)

    @property
    def jkt(self) -> str:
        """The RFC 7638 thumbprint of the key."""
        return self._jkt

    def verify_proof(
        self,
        proof: str | bytes | None,
        *,
        method: str,
        uri: str,
        access_token: str | bytes | None = None,
        nonce: str | Iterable[str] | dpop.Nonces | None = None,
        replay: dpop.ReplayStore | None = None,
        now: float | None = None,
        max_age: float = 60,
        leeway: float = 5,
        algorithms: Iterable[str] = DPOP_ALGORITHMS,
    ) -> DpopProof:
        """Verify the DPoP proof of a later request: that the holder of this key sent it (RFC 9449 section 4.3).

        ``proof`` is the value of the ``DPoP`` header (``None``: there is none); the other arguments are those of
        :func:`watchword.dpop.verify_proof`. Without ``replay``, a proof may be used again for the same method and URI
        until it is ``max_age`` seconds old.

        Returns the proof. Raises :class:`PaphweyVerificationError`, whose ``code`` begins with ``dpop_``;
        :class:`PaphweyTransportError` if the replay store is unavailable; ``TypeError`` or ``ValueError`` if an
        argument is invalid.
        """
        if proof is None:
            raise PaphweyVerificationError("the request has no DPoP proof", code="dpop_missing_proof")
        try:
            return dpop.verify_proof(
                proof,
                method=method,
                uri=uri,
                access_token=access_token,
                expected_jkt=self._jkt,
                nonce=nonce,
                replay=replay,
                now=now,
                max_age=max_age,
                leeway=leeway,
                algorithms=algorithms,
            )
        except dpop.ReplayUnavailableError as error:
            raise PaphweyTransportError(error.detail, code=error.code.value) from error
        except VerificationError as error:
            raise PaphweyVerificationError(error.detail, code=error.code.value) from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PinnedKey) and self._jkt == other._jkt

    def __hash__(self) -> int:
        return hash(self._jkt)

    def __repr__(self) -> str:
        return f"PinnedKey(jkt={self._jkt!r})"
