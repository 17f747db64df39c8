"""Errors of a token."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class MalformedError(VerificationError):
    """The token is malformed or not supported, whatever the key."""


class TooLargeError(MalformedError):
    """The token, or its header, is longer than the limit."""

    code = ErrorCode.TOO_LARGE


class MalformedTokenError(MalformedError):
    """Not three parts of strict base64url (RFC 7515 sections 2 and 7.1)."""

    code = ErrorCode.MALFORMED_TOKEN


class UnsupportedError(MalformedError):
    """A valid kind of token that is not supported: an encrypted one (JWE), or one with an unknown ``cnf``."""

    code = ErrorCode.UNSUPPORTED


class MalformedHeaderError(MalformedError):
    """The JOSE header is not strict JSON, or a member has the wrong type (RFC 7515 section 4)."""

    code = ErrorCode.MALFORMED_HEADER


class UnsupportedCriticalHeaderError(MalformedError):
    """The header has ``crit`` or ``b64``; no extension is supported (RFC 7515 section 4.1.11, RFC 7797)."""

    code = ErrorCode.UNSUPPORTED_CRITICAL_HEADER


class WrongTypeError(VerificationError):
    """``typ`` is not one that the policy accepts (RFC 8725 section 3.11)."""

    code = ErrorCode.WRONG_TYPE


class AlgorithmNotAllowedError(VerificationError):
    """``alg`` is unknown, not allowed by the policy, or not the key's (RFC 8725 section 3.1)."""

    code = ErrorCode.ALGORITHM_NOT_ALLOWED


class UnknownKeyError(VerificationError):
    """The key set has no key that the token names."""

    code = ErrorCode.UNKNOWN_KEY


class KeysUnavailableError(VerificationError):
    """The issuer's keys are unavailable, so the token cannot be verified. Not the sender's fault: 503."""

    code = ErrorCode.KEYS_UNAVAILABLE


class InvalidSignatureError(VerificationError):
    """The signature is invalid; the claims of such a token are not checked."""

    code = ErrorCode.INVALID_SIGNATURE


class ClaimError(VerificationError):
    """The signature is valid, but the claims are not acceptable."""


class MalformedClaimsError(ClaimError):
    """The payload is not strict JSON, or a registered claim has the wrong type (RFC 7519 sections 4 and 7.2)."""

    code = ErrorCode.MALFORMED_CLAIMS


class ExpiredError(ClaimError):
    """``exp`` has passed (RFC 7519 section 4.1.4)."""

    code = ErrorCode.EXPIRED


class NotYetValidError(ClaimError):
    """``nbf`` is in the future (RFC 7519 section 4.1.5)."""

    code = ErrorCode.NOT_YET_VALID


class IssuedInFutureError(ClaimError):
    """``iat`` is in the future."""

    code = ErrorCode.ISSUED_IN_FUTURE


class WrongIssuerError(ClaimError):
    """``iss`` is not exactly the expected issuer (RFC 7519 section 4.1.1)."""

    code = ErrorCode.WRONG_ISSUER


class WrongAudienceError(ClaimError):
    """``aud`` does not name this audience (RFC 7519 section 4.1.3)."""

    code = ErrorCode.WRONG_AUDIENCE


class MissingClaimError(ClaimError):
    """A claim that the policy requires is missing."""

    code = ErrorCode.MISSING_CLAIM


class CertificateRequiredError(VerificationError):
    """The token is bound to a client certificate (``cnf``), and the client presented none (RFC 8705 section 3)."""

    code = ErrorCode.CERTIFICATE_REQUIRED


class CertificateMismatchError(VerificationError):
    """The token is bound to another client certificate than the one that was presented (RFC 8705 section 3)."""

    code = ErrorCode.CERTIFICATE_MISMATCH


class ProofRequiredError(VerificationError):
    """The token is bound to a key (``cnf``), and the request has no proof of that key (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_PROOF_REQUIRED


__all__ = [
    "AlgorithmNotAllowedError",
    "CertificateMismatchError",
    "CertificateRequiredError",
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
