"""DPoP (RFC 9449) under authgent's names: a proof verified, and proofs made."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, overload

from watchword import decode_unverified
from watchword.dpop import DpopProof, DpopVerifier
from watchword.errors import (
    MalformedClaimsError,
    MissingProofClaimError,
    MissingProofError,
    UnboundTokenError,
    VerificationError,
    WrongAccessTokenError,
)
from watchword.holder.dpop_prover import DpopProver
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
    """Verifies a DPoP proof (RFC 9449 section 4.3) and uses it up: a second time it is a replay.

    It comes with the access token itself (``proof_jwt``, ``access_token``: the documented form) or with the token's
    identity or claims (``token``, ``dpop_proof``: the published form). Whatever is known of the token must fit, its key
    (``cnf.jkt``) and its hash. ``http_method`` and ``http_uri`` are the request's. ``dpop`` judges otherwise than by
    default.

    Returns the proof's ``jti``, ``htm``, ``htu``, ``iat``, ``ath`` and ``nonce``, as far as it has them, and ``jkt``,
    the thumbprint of its key. Raises :class:`~watchword.providers.authgent.DPoPError`, or
    :class:`~watchword.providers.authgent.ServerError` where it cannot be told whether the proof was used before;
    ``TypeError`` or ``ValueError`` for a request that cannot be meant.
    """
    if isinstance(token, str):
        # The documented order of arguments: the proof, then the token.
        token, dpop_proof, proof_jwt, access_token = None, None, token, access_token or dpop_proof
    if http_method is None or http_uri is None:
        raise TypeError("http_method and http_uri must be those of the request")
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
    """The thumbprint of the key that the token is bound to; ``None`` for a token that only others can read."""
    if token is None:
        if not isinstance(access_token, str):
            raise DPoPError("there is no access token that the proof could go with")
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
    """Return the unverified claims of a JWT, which are trusted only to refuse a proof; ``None`` for any other token."""
    try:
        claims = decode_unverified(access_token).claims
    except VerificationError:
        return None
    if claims is None:
        raise MalformedClaimsError
    return claims


def _check_hash(proof: DpopProof, token: object) -> None:
    """RFC 9449 section 4.3, check 12, without the token: an identity knows its hash, mere claims do not."""
    found = proof.access_token_hash
    if found is None:
        raise MissingProofClaimError('the DPoP proof lacks "ath": it is for no access token')
    known = token.token_hash if isinstance(token, AgentIdentity) else None
    if known is not None and not hmac.compare_digest(found, known):
        raise WrongAccessTokenError


def _proof_to_dict(proof: DpopProof) -> dict[str, Any]:
    said = {
        "jti": proof.token_id,
        "htm": proof.method,
        "htu": proof.uri,
        "iat": proof.issued_at,
        "ath": proof.access_token_hash,
        "nonce": proof.nonce,
        "jkt": proof.jkt,
    }
    return {name: value for name, value in said.items() if value is not None}


class DPoPClient:
    """Makes proofs with an ES256 key pair of its own, which stays in this object."""

    def __init__(self) -> None:
        self._prover = DpopProver("ES256")

    @classmethod
    def create(cls) -> DPoPClient:
        """A new one."""
        return cls()

    @property
    def jkt(self) -> str:
        """The thumbprint of the public key (RFC 7638): what a token is bound to as ``cnf.jkt``."""
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
        """A proof for one request, for its ``DPoP`` header; ``method`` and ``url`` are other names of the first two.

        The method goes in in capitals, the URI without query and fragment (RFC 9449 section 4.2). Raises
        ``TypeError`` where either is missing or given twice, ``ValueError`` for what is no http or https URI.
        """
        if (http_method is None) == (method is None) or (http_uri is None) == (url is None):
            raise TypeError("create_proof takes the request's method and its URI, each by one name")
        return self._prover.proof((http_method or method or "").upper(), http_uri or url or "", access_token, nonce)

    def create_proof_headers(
        self, access_token: str, http_method: str, http_uri: str, nonce: str | None = None
    ) -> dict[str, str]:
        """The headers ``Authorization`` and ``DPoP`` of one request."""
        proof = self.create_proof(http_method, http_uri, access_token, nonce)
        return {"Authorization": f"DPoP {access_token}", "DPoP": proof}

    def __repr__(self) -> str:
        """The public key's thumbprint."""
        return f"DPoPClient(jkt={self.jkt!r})"


__all__ = ["DPoPClient", "verify_dpop_proof"]
