"""What can be wrong with a token."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class MalformedError(VerificationError):
    """What arrived is not a token that this verifier reads, whatever its keys."""


class TooLargeError(MalformedError):
    """The token, or its header, is longer than the limit."""

    code = ErrorCode.TOO_LARGE
    _description = "the token is too large"


class MalformedTokenError(MalformedError):
    """Not three parts of strict base64url (RFC 7515 sections 2 and 7.1)."""

    code = ErrorCode.MALFORMED_TOKEN
    _description = "the token is malformed"


class UnsupportedError(MalformedError):
    """Something real that is not done here: an encrypted token (JWE), a confirmation method other than a key."""

    code = ErrorCode.UNSUPPORTED
    _description = "the token is of a kind that is not supported"


class MalformedHeaderError(MalformedError):
    """The JOSE header is not strict JSON, or a member has the wrong type (RFC 7515 section 4)."""

    code = ErrorCode.MALFORMED_HEADER
    _description = "the token's header is malformed"


class UnsupportedCriticalHeaderError(MalformedError):
    """The header has ``crit`` or ``b64``; no extension is understood (RFC 7515 section 4.1.11, RFC 7797)."""

    code = ErrorCode.UNSUPPORTED_CRITICAL_HEADER
    _description = "the token needs a header extension that is not supported"


class WrongTypeError(VerificationError):
    """``typ`` is not one that the policy accepts (RFC 8725 section 3.11)."""

    code = ErrorCode.WRONG_TYPE
    _description = "the token is of another type"


class AlgorithmNotAllowedError(VerificationError):
    """``alg`` is unknown, not allowed by the policy, or not the key's (RFC 8725 section 3.1)."""

    code = ErrorCode.ALGORITHM_NOT_ALLOWED
    _description = "the token's algorithm is not allowed"


class UnknownKeyError(VerificationError):
    """No key of the set is the one that the token names."""

    code = ErrorCode.UNKNOWN_KEY
    _description = "the token names a key that is not known"


class KeysUnavailableError(VerificationError):
    """The issuer's keys could not be had, so nothing can be said about the token. Not the sender's fault: 503."""

    code = ErrorCode.KEYS_UNAVAILABLE
    http_status = 503
    oauth_error = None
    _description = "the issuer's keys are not available"


class InvalidSignatureError(VerificationError):
    """The signature does not hold; nothing else is said about such a token."""

    code = ErrorCode.INVALID_SIGNATURE
    _description = "the token's signature is invalid"


class ClaimError(VerificationError):
    """The signature holds; what it signs is not acceptable."""


class MalformedClaimsError(ClaimError):
    """The payload is not strict JSON, or a registered claim has the wrong type (RFC 7519 sections 4 and 7.2)."""

    code = ErrorCode.MALFORMED_CLAIMS
    _description = "the token's claims are malformed"


class ExpiredError(ClaimError):
    """``exp`` has passed (RFC 7519 section 4.1.4)."""

    code = ErrorCode.EXPIRED
    _description = "the token has expired"


class NotYetValidError(ClaimError):
    """``nbf`` lies ahead (RFC 7519 section 4.1.5)."""

    code = ErrorCode.NOT_YET_VALID
    _description = "the token is not valid yet"


class IssuedInFutureError(ClaimError):
    """``iat`` lies ahead."""

    code = ErrorCode.ISSUED_IN_FUTURE
    _description = "the token was issued in the future"


class WrongIssuerError(ClaimError):
    """``iss`` is not exactly the issuer that is expected (RFC 7519 section 4.1.1)."""

    code = ErrorCode.WRONG_ISSUER
    _description = "the token is from another issuer"


class WrongAudienceError(ClaimError):
    """``aud`` does not name this audience (RFC 7519 section 4.1.3)."""

    code = ErrorCode.WRONG_AUDIENCE
    _description = "the token is meant for another audience"


class MissingClaimError(ClaimError):
    """A claim that the policy demands is not there."""

    code = ErrorCode.MISSING_CLAIM
    _description = "the token lacks a required claim"


class ProofRequiredError(VerificationError):
    """The token is bound to a key (``cnf``), and no proof of that key came with it (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_PROOF_REQUIRED
    scheme = "DPoP"
    _description = "the token is bound to a key and needs a proof of it"


__all__ = [
    "AlgorithmNotAllowedError",
    "ClaimError",
    "ExpiredError",
    "InvalidSignatureError",
    "IssuedInFutureError",
    "KeysUnavailableError",
    "MalformedClaimsError",
    "MalformedError",
    "MalformedHeaderError",
    "MalformedTokenError",
    "MissingClaimError",
    "NotYetValidError",
    "ProofRequiredError",
    "TooLargeError",
    "UnknownKeyError",
    "UnsupportedCriticalHeaderError",
    "UnsupportedError",
    "WrongAudienceError",
    "WrongIssuerError",
    "WrongTypeError",
]
