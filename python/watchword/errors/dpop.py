"""Errors of DPoP proofs (RFC 9449), and of their binding to a token. "Check" numbers are those of section 4.3."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class DpopError(VerificationError):
    """A DPoP proof (RFC 9449) is invalid, or does not match the token.

    ``algorithms`` are those that a new proof may be signed with (``algs``); ``nonce``, if it is not ``None``, is the
    value of the answer's ``DPoP-Nonce`` header, with which the client retries. A resource server answers
    ``http_status`` (401); the token endpoint of an authorization server answers 400 with ``oauth_error`` (RFC 9449
    sections 5 and 8).
    """

    scheme = "DPoP"
    oauth_error: str | None = "invalid_dpop_proof"
    nonce: str | None = None


class SeveralProofsError(DpopError):
    """More than one proof: a repeated header, or proofs joined by commas (RFC 9449 section 4.3, check 1)."""

    code = ErrorCode.DPOP_SEVERAL_PROOFS


class MissingProofError(DpopError):
    """The ``DPoP`` scheme without a ``DPoP`` header (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_MISSING_PROOF


class ProofTooLargeError(DpopError):
    """The proof, or its header, is longer than the limit."""

    code = ErrorCode.DPOP_TOO_LARGE


class MalformedProofError(DpopError):
    """Not a JWS in compact form with a JOSE header (check 2)."""

    code = ErrorCode.DPOP_MALFORMED_PROOF


class ProofCriticalHeaderError(DpopError):
    """The header has ``crit`` or ``b64``; no extension is supported."""

    code = ErrorCode.DPOP_UNSUPPORTED_CRITICAL_HEADER


class ProofTypeError(DpopError):
    """``typ`` is not ``dpop+jwt`` (check 4)."""

    code = ErrorCode.DPOP_WRONG_TYPE


class ProofAlgorithmError(DpopError):
    """``alg`` is not an allowed asymmetric algorithm, or not one of the key's (check 5)."""

    code = ErrorCode.DPOP_ALGORITHM_NOT_ALLOWED


class PrivateKeyInProofError(DpopError):
    """``jwk`` is a private key (check 7)."""

    code = ErrorCode.DPOP_PRIVATE_KEY


class ProofKeyError(DpopError):
    """``jwk`` is missing, or is not an acceptable public key."""

    code = ErrorCode.DPOP_INVALID_KEY


class ProofSignatureError(DpopError):
    """The signature is invalid for ``jwk`` (check 6)."""

    code = ErrorCode.DPOP_INVALID_SIGNATURE


class MalformedProofClaimsError(DpopError):
    """The payload is not strict JSON, or a claim has the wrong type."""

    code = ErrorCode.DPOP_MALFORMED_CLAIMS


class MissingProofClaimError(DpopError):
    """``jti``, ``htm``, ``htu`` or ``iat`` (check 3), or ``ath`` with an access token (check 12), is missing."""

    code = ErrorCode.DPOP_MISSING_CLAIM


class ProofMethodError(DpopError):
    """``htm`` is not the request's method (check 8)."""

    code = ErrorCode.DPOP_WRONG_METHOD


class ProofUriError(DpopError):
    """``htu`` is not the request's URI (check 9)."""

    code = ErrorCode.DPOP_WRONG_URI


class NonceRequiredError(DpopError):
    """A nonce is required, and the proof has none (check 10, RFC 9449 section 9)."""

    code = ErrorCode.DPOP_NONCE_REQUIRED


class ProofNonceError(DpopError):
    """``nonce`` is not a recent nonce of this server (check 10)."""

    code = ErrorCode.DPOP_WRONG_NONCE


class ProofExpiredError(DpopError):
    """``iat`` is too old, or ``exp`` has passed (check 11)."""

    code = ErrorCode.DPOP_EXPIRED


class ProofInFutureError(DpopError):
    """``iat`` or ``nbf`` is in the future (check 11)."""

    code = ErrorCode.DPOP_ISSUED_IN_FUTURE


class WrongAccessTokenError(DpopError):
    """``ath`` is the hash of another access token (check 12)."""

    code = ErrorCode.DPOP_WRONG_ACCESS_TOKEN


class KeyMismatchError(DpopError):
    """The proof's key is not the one that the token is bound to (check 12, RFC 9449 section 6)."""

    code = ErrorCode.DPOP_KEY_MISMATCH


class UnboundTokenError(DpopError):
    """A proof was sent with a token that is not bound to a key: a bearer token in a ``DPoP`` request is a downgrade."""

    code = ErrorCode.DPOP_UNBOUND_TOKEN


class ReplayedProofError(DpopError):
    """The proof was used before (RFC 9449 section 11.1)."""

    code = ErrorCode.DPOP_REPLAYED


class TooManyProofsError(DpopError):
    """One key used more proofs than its share of the replay cache: 429, for this key only."""

    code = ErrorCode.DPOP_TOO_MANY_PROOFS


class ReplayUnavailableError(DpopError):
    """The replay cache is full or unavailable, or the proof is older than it. Not the sender's fault: 503."""

    code = ErrorCode.DPOP_REPLAY_UNAVAILABLE


class BoundTokenRequiredError(DpopError):
    """The route accepts only tokens that are bound to a key, with a proof (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_BOUND_TOKEN_REQUIRED


__all__ = [
    "BoundTokenRequiredError",
    "DpopError",
    "KeyMismatchError",
    "MalformedProofClaimsError",
    "MalformedProofError",
    "MissingProofClaimError",
    "MissingProofError",
    "NonceRequiredError",
    "PrivateKeyInProofError",
    "ProofAlgorithmError",
    "ProofCriticalHeaderError",
    "ProofExpiredError",
    "ProofInFutureError",
    "ProofKeyError",
    "ProofMethodError",
    "ProofNonceError",
    "ProofSignatureError",
    "ProofTooLargeError",
    "ProofTypeError",
    "ProofUriError",
    "ReplayUnavailableError",
    "ReplayedProofError",
    "SeveralProofsError",
    "TooManyProofsError",
    "UnboundTokenError",
    "WrongAccessTokenError",
]
