"""DPoP (RFC 9449) under authgent's names: verify a proof, and make proofs."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, overload

from watchword import decode_unverified
from watchword.dpop import DpopProof, DpopProver, DpopVerifier
from watchword.errors import (
    MalformedClaimsError,
    MissingProofClaimError,
    MissingProofError,
    UnboundTokenError,
    VerificationError,
    WrongAccessTokenError,
)
from watchword.providers.authgent.errors import DPoPError, translate_errors
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.session import DEFAULT_SESSION, Session


@overload
def verify_dpop_proof(
    token: AgentIdentity | Mapping[str, Any],
    dpop_proof: str,
    http_method: str,
    http_uri: str,
    *,
    access_token: str | None = None,
    dpop: DpopVerifier | None = None,
    session: Session = ...,
) -> dict[str, Any]: ...


@overload
def verify_dpop_proof(
    *,
    proof_jwt: str,
    access_token: str,
    http_method: str,
    http_uri: str,
    token: AgentIdentity | Mapping[str, Any] | None = None,
    dpop: DpopVerifier | None = None,
    session: Session = ...,
) -> dict[str, Any]: ...


@overload
def verify_dpop_proof(
    proof_jwt: str,
    access_token: str,
    http_method: str,
    http_uri: str,
    /,
    *,
    dpop: DpopVerifier | None = None,
    session: Session = ...,
) -> dict[str, Any]: ...


def verify_dpop_proof(
    token: AgentIdentity | Mapping[str, Any] | str | None = None,
    dpop_proof: str | None = None,
    http_method: str | None = None,
    http_uri: str | None = None,
    *,
    proof_jwt: str | None = None,
    access_token: str | None = None,
    dpop: DpopVerifier | None = None,
    session: Session = DEFAULT_SESSION,
) -> dict[str, Any]:
    """Verify a DPoP proof (RFC 9449 section 4.3) and use it up: the same proof is rejected a second time.

    It is verified for an access token (``proof_jwt``, ``access_token``: the documented form) or for the identity or the
    claims of one (``token``, ``dpop_proof``: the published form). The proof must match the token's key (``cnf.jkt``)
    and hash, if they are known. ``http_method`` and ``http_uri`` are those of the request. ``dpop`` verifies the proof,
    by default that of ``session``.

    Returns the proof's ``jti``, ``htm``, ``htu``, ``iat``, ``ath`` and ``nonce``, if present, and ``jkt``, the
    thumbprint of its key. Raises :class:`~watchword.providers.authgent.DPoPError`, or
    :class:`~watchword.providers.authgent.ServerError` if the replay store is unavailable; ``TypeError`` or
    ``ValueError`` if an argument is invalid.
    """
    if isinstance(token, str):
        # The documented order of arguments: the proof, then the token.
        token, dpop_proof, proof_jwt, access_token = None, None, token, access_token or dpop_proof
    if http_method is None or http_uri is None:
        raise TypeError("http_method and http_uri are required: those of the request")
    proof = proof_jwt if proof_jwt is not None else dpop_proof
    verifier = dpop or session.dpop
    with translate_errors():
        if not isinstance(proof, str):
            raise MissingProofError
        expected_jkt = _key_of(token, access_token)
        verified = verifier.check(
            proof, method=http_method, uri=http_uri, access_token=access_token, expected_jkt=expected_jkt
        )
        if access_token is None:
            _check_hash(verified, token)
        verifier.consume(verified)
    return _proof_to_dict(verified)


def _key_of(token: object, access_token: object) -> str | None:
    """Return the thumbprint of the key that the token is bound to; ``None`` if the token is opaque."""
    if token is None:
        if not isinstance(access_token, str):
            raise DPoPError("token and access_token are missing: a proof is verified for an access token")
        claims = _claims_of(access_token)
        if claims is None:
            return None
    elif isinstance(token, AgentIdentity):
        claims = token.claims.raw
    elif isinstance(token, Mapping):
        claims = dict(token)
    else:
        raise DPoPError("token must be an AgentIdentity or a mapping of its claims")
    confirmation = claims.get("cnf")
    jkt = confirmation.get("jkt") if isinstance(confirmation, Mapping) else None
    if not isinstance(jkt, str) or not jkt:
        raise UnboundTokenError
    return jkt


def _claims_of(access_token: str) -> dict[str, Any] | None:
    """Return the unverified claims of a JWT, which are trusted only to reject a proof; ``None`` for any other token."""
    try:
        claims = decode_unverified(access_token).claims
    except VerificationError:
        return None
    if claims is None:
        raise MalformedClaimsError
    return claims


def _check_hash(proof: DpopProof, token: object) -> None:
    """Check ``ath`` (RFC 9449 section 4.3, check 12) without the token: an identity has its hash, claims do not."""
    found = proof.access_token_hash
    if found is None:
        raise MissingProofClaimError('the DPoP proof has no "ath", so it is for no access token')
    known = token.token_hash if isinstance(token, AgentIdentity) else None
    if known is not None and not hmac.compare_digest(found, known):
        raise WrongAccessTokenError


def _proof_to_dict(proof: DpopProof) -> dict[str, Any]:
    members = {
        "jti": proof.token_id,
        "htm": proof.method,
        "htu": proof.uri,
        "iat": proof.issued_at,
        "ath": proof.access_token_hash,
        "nonce": proof.nonce,
        "jkt": proof.jkt,
    }
    return {name: value for name, value in members.items() if value is not None}


class DPoPClient:
    """Makes proofs with an ES256 key pair of its own, which cannot be exported."""

    def __init__(self) -> None:
        self._prover = DpopProver("ES256")

    @classmethod
    def create(cls) -> DPoPClient:
        """Return a new client."""
        return cls()

    @property
    def jkt(self) -> str:
        """The thumbprint of the public key (RFC 7638), which is ``cnf.jkt`` in tokens that are bound to it."""
        return self._prover.jkt

    @overload
    def create_proof(
        self, http_method: str, http_uri: str, access_token: str | None = None, nonce: str | None = None
    ) -> str: ...

    @overload
    def create_proof(
        self, *, method: str, url: str, access_token: str | None = None, nonce: str | None = None
    ) -> str: ...

    def create_proof(
        self,
        http_method: str | None = None,
        http_uri: str | None = None,
        access_token: str | None = None,
        nonce: str | None = None,
        *,
        method: str | None = None,
        url: str | None = None,
    ) -> str:
        """Return a proof for one request, the value of its ``DPoP`` header.

        ``method`` and ``url`` are other names of the first two arguments. The method is written in upper case, the URI
        without query and fragment (RFC 9449 section 4.2). Raises ``TypeError`` if either is missing or given twice,
        ``ValueError`` if the URI is not an http or https URI.
        """
        if (http_method is None) == (method is None) or (http_uri is None) == (url is None):
            raise TypeError("create_proof needs http_method (or method) and http_uri (or url), each once")
        return self._prover.proof((http_method or method or "").upper(), http_uri or url or "", access_token, nonce)

    def create_proof_headers(
        self, access_token: str, http_method: str, http_uri: str, nonce: str | None = None
    ) -> dict[str, str]:
        """Return the headers ``Authorization`` and ``DPoP`` of one request."""
        proof = self.create_proof(http_method, http_uri, access_token, nonce)
        return {"Authorization": f"DPoP {access_token}", "DPoP": proof}

    def __repr__(self) -> str:
        """Return the thumbprint of the public key."""
        return f"DPoPClient(jkt={self.jkt!r})"


__all__ = ["DPoPClient", "verify_dpop_proof"]
