"""What can be wrong with a DPoP proof (RFC 9449), or between it and its token."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class DpopError(VerificationError):
    """A DPoP proof (RFC 9449) was not accepted, or does not go with the token.

    ``algorithms`` are those that a new proof may be signed by (``algs``); ``nonce``, where it is not ``None``, is what
    the answer's ``DPoP-Nonce`` header must hold, for the client to try again with. A resource server answers 401, as
    ``http_status`` says; the token endpoint of an authorization server answers 400 with ``oauth_error`` (RFC 9449
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
    """The header has ``crit`` or ``b64``; no extension is understood."""

    code = ErrorCode.DPOP_UNSUPPORTED_CRITICAL_HEADER
    _description = "the DPoP proof needs a header extension that is not supported"


class ProofTypeError(DpopError):
    """``typ`` is not ``dpop+jwt`` (check 4)."""

    code = ErrorCode.DPOP_WRONG_TYPE
    _description = "the DPoP proof is of another type"


class ProofAlgorithmError(DpopError):
    """``alg`` is not an asymmetric algorithm that is allowed, or not one of the key's (check 5)."""

    code = ErrorCode.DPOP_ALGORITHM_NOT_ALLOWED
    _description = "the DPoP proof's algorithm is not allowed"


class PrivateKeyInProofError(DpopError):
    """``jwk`` is a private key (check 7)."""

    code = ErrorCode.DPOP_PRIVATE_KEY
    _description = "the DPoP proof holds a private key"


class ProofKeyError(DpopError):
    """``jwk`` is missing, or is no public key to verify with."""

    code = ErrorCode.DPOP_INVALID_KEY
    _description = "the DPoP proof's key is missing or not acceptable"


class ProofSignatureError(DpopError):
    """The signature does not hold under ``jwk`` (check 6)."""

    code = ErrorCode.DPOP_INVALID_SIGNATURE
    _description = "the DPoP proof's signature is invalid"


class MalformedProofClaimsError(DpopError):
    """The payload is not strict JSON, or a claim has the wrong type."""

    code = ErrorCode.DPOP_MALFORMED_CLAIMS
    _description = "the DPoP proof's claims are malformed"


class MissingProofClaimError(DpopError):
    """``jti``, ``htm``, ``htu``, ``iat`` (check 3), or ``ath`` beside an access token (check 12), is not there."""

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
    """A nonce is demanded, and the proof has none (check 10, RFC 9449 section 9)."""

    code = ErrorCode.DPOP_NONCE_REQUIRED
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a nonce"


class ProofNonceError(DpopError):
    """``nonce`` is not one that this server gave out lately (check 10)."""

    code = ErrorCode.DPOP_WRONG_NONCE
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a newer nonce"


class ProofExpiredError(DpopError):
    """``iat`` lies further back than the proof may be old, or ``exp`` has passed (check 11)."""

    code = ErrorCode.DPOP_EXPIRED
    _description = "the DPoP proof is too old"


class ProofInFutureError(DpopError):
    """``iat`` or ``nbf`` lies ahead (check 11)."""

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
    """A proof came with a token that is not bound to a key: a ``DPoP`` request with a bearer token is a downgrade."""

    code = ErrorCode.DPOP_UNBOUND_TOKEN
    oauth_error = "invalid_token"
    _description = "the token is not bound to a key"


class ReplayedProofError(DpopError):
    """The proof was used before (RFC 9449 section 11.1)."""

    code = ErrorCode.DPOP_REPLAYED
    _description = "the DPoP proof was used before"


class TooManyProofsError(DpopError):
    """One key used more proofs than its share of the replay cache holds: 429 for this key, and for nobody else."""

    code = ErrorCode.DPOP_TOO_MANY_PROOFS
    http_status = 429
    oauth_error = None
    _description = "too many DPoP proofs were used by one key"


class ReplayUnavailableError(DpopError):
    """The replay cache is full, unavailable, or does not reach back to the proof. Not the sender's fault: 503."""

    code = ErrorCode.DPOP_REPLAY_UNAVAILABLE
    http_status = 503
    oauth_error = None
    _description = "whether the DPoP proof was used before cannot be told"


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
