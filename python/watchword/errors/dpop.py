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
    _description = "the request has more than one DPoP proof"


class MissingProofError(DpopError):
    """The ``DPoP`` scheme without a ``DPoP`` header (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_MISSING_PROOF
    _description = "the request lacks a DPoP proof"


class ProofTooLargeError(DpopError):
    """The proof, or its header, is longer than the limit."""

    code = ErrorCode.DPOP_TOO_LARGE
    _description = "the DPoP proof is too large"


class MalformedProofError(DpopError):
    """Not a JWS in compact form with a JOSE header (check 2)."""

    code = ErrorCode.DPOP_MALFORMED_PROOF
    _description = "the DPoP proof is malformed"


class ProofCriticalHeaderError(DpopError):
    """The header has ``crit`` or ``b64``; no extension is supported."""

    code = ErrorCode.DPOP_UNSUPPORTED_CRITICAL_HEADER
    _description = "the DPoP proof needs a header extension that is not supported"


class ProofTypeError(DpopError):
    """``typ`` is not ``dpop+jwt`` (check 4)."""

    code = ErrorCode.DPOP_WRONG_TYPE
    _description = "the DPoP proof is of another type"


class ProofAlgorithmError(DpopError):
    """``alg`` is not an allowed asymmetric algorithm, or not one of the key's (check 5)."""

    code = ErrorCode.DPOP_ALGORITHM_NOT_ALLOWED
    _description = "the DPoP proof's algorithm is not allowed"


class PrivateKeyInProofError(DpopError):
    """``jwk`` is a private key (check 7)."""

    code = ErrorCode.DPOP_PRIVATE_KEY
    _description = "the DPoP proof contains a private key"


class ProofKeyError(DpopError):
    """``jwk`` is missing, or is not an acceptable public key."""

    code = ErrorCode.DPOP_INVALID_KEY
    _description = "the DPoP proof's key is missing or not acceptable"


class ProofSignatureError(DpopError):
    """The signature is invalid for ``jwk`` (check 6)."""

    code = ErrorCode.DPOP_INVALID_SIGNATURE
    _description = "the DPoP proof's signature is invalid"


class MalformedProofClaimsError(DpopError):
    """The payload is not strict JSON, or a claim has the wrong type."""

    code = ErrorCode.DPOP_MALFORMED_CLAIMS
    _description = "the DPoP proof's claims are malformed"


class MissingProofClaimError(DpopError):
    """``jti``, ``htm``, ``htu`` or ``iat`` (check 3), or ``ath`` with an access token (check 12), is missing."""

    code = ErrorCode.DPOP_MISSING_CLAIM
    _description = "the DPoP proof lacks a required claim"


class ProofMethodError(DpopError):
    """``htm`` is not the request's method (check 8)."""

    code = ErrorCode.DPOP_WRONG_METHOD
    _description = "the DPoP proof is for another method"


class ProofUriError(DpopError):
    """``htu`` is not the request's URI (check 9)."""

    code = ErrorCode.DPOP_WRONG_URI
    _description = "the DPoP proof is for another URI"


class NonceRequiredError(DpopError):
    """A nonce is required, and the proof has none (check 10, RFC 9449 section 9)."""

    code = ErrorCode.DPOP_NONCE_REQUIRED
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a nonce"


class ProofNonceError(DpopError):
    """``nonce`` is not a recent nonce of this server (check 10)."""

    code = ErrorCode.DPOP_WRONG_NONCE
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a newer nonce"


class ProofExpiredError(DpopError):
    """``iat`` is too old, or ``exp`` has passed (check 11)."""

    code = ErrorCode.DPOP_EXPIRED
    _description = "the DPoP proof is too old"


class ProofInFutureError(DpopError):
    """``iat`` or ``nbf`` is in the future (check 11)."""

    code = ErrorCode.DPOP_ISSUED_IN_FUTURE
    _description = "the DPoP proof was made in the future"


class WrongAccessTokenError(DpopError):
    """``ath`` is the hash of another access token (check 12)."""

    code = ErrorCode.DPOP_WRONG_ACCESS_TOKEN
    _description = "the DPoP proof is for another access token"


class KeyMismatchError(DpopError):
    """The proof's key is not the one that the token is bound to (check 12, RFC 9449 section 6)."""

    code = ErrorCode.DPOP_KEY_MISMATCH
    oauth_error = "invalid_token"
    _description = "the token is bound to another key"


class UnboundTokenError(DpopError):
    """A proof was sent with a token that is not bound to a key: a bearer token in a ``DPoP`` request is a downgrade."""

    code = ErrorCode.DPOP_UNBOUND_TOKEN
    oauth_error = "invalid_token"
    _description = "the token is not bound to a key"


class ReplayedProofError(DpopError):
    """The proof was used before (RFC 9449 section 11.1)."""

    code = ErrorCode.DPOP_REPLAYED
    _description = "the DPoP proof was used before"


class TooManyProofsError(DpopError):
    """One key used more proofs than its share of the replay cache: 429, for this key only."""

    code = ErrorCode.DPOP_TOO_MANY_PROOFS
    http_status = 429
    oauth_error = None
    _description = "too many DPoP proofs were used by one key"


class ReplayUnavailableError(DpopError):
    """The replay cache is full or unavailable, or the proof is older than it. Not the sender's fault: 503."""

    code = ErrorCode.DPOP_REPLAY_UNAVAILABLE
    http_status = 503
    oauth_error = None
    _description = "it is unknown whether the DPoP proof was used before"


__all__ = [
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
