"""The key that an attestation confirms, kept for what comes later from the same holder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from watchword import dpop
from watchword._kernel import DpopProof, thumbprint
from watchword.errors import DPOP_ALGORITHMS, VerificationError
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey.attestation import checked_jwk


class PinnedKey:
    """A confirmation key (RFC 7800 section 3.2): ``PinnedKey(outcome.cnf_jwk)``.

    The JWK may come from a session store as it went in. It is judged as any key is: it must be public, meant for
    signatures, on its curve, long enough. Raises :class:`PaphweyVerificationError` (``invalid_confirmation_key``) where
    it is not, or is ``None``.
    """

    def __init__(self, jwk: Mapping[str, Any] | None) -> None:
        if jwk is None:
            raise PaphweyVerificationError("the attestation confirms no key", code="invalid_confirmation_key")
        try:
            self._jwk = checked_jwk(jwk)
        except VerificationError as error:
            raise PaphweyVerificationError(error.detail, code=reason_of(error)) from error
        self._jkt = thumbprint(self._jwk)

    @property
    def jwk(self) -> dict[str, Any]:
        """The key, to be stored."""
        return dict(self._jwk)

    @property
    def jkt(self) -> str:
        """Its RFC 7638 thumbprint."""
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
        """Verifies that a later request comes from the holder of this key: its DPoP proof (RFC 9449 section 4.3).

        ``proof`` is the ``DPoP`` header's value (``None`` where there is none); all else is as in
        :func:`watchword.dpop.verify_proof`. Without ``replay``, a proof may be used again for the same method and URI
        as long as it is not ``max_age`` seconds old.

        Returns the proof. Raises :class:`PaphweyVerificationError`, whose ``code`` is one of ``dpop_…``;
        :class:`PaphweyTransportError` where the memory of proofs cannot be asked; ``TypeError`` or ``ValueError`` for
        what only a caller can have done wrong.
        """
        if proof is None:
            raise PaphweyVerificationError("the request has no proof", code="dpop_missing_proof")
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
