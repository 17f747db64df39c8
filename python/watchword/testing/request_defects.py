"""Every kind of bad request that an in-memory issuer can make, and the error code that is expected for each."""

from __future__ import annotations

import enum
import functools
from typing import NamedTuple

from watchword import ErrorCode, VerificationError, errors
from watchword.testing.defects import Defect
from watchword.testing.signed_request import SignedRequest


class RequestDefect(enum.StrEnum):
    """A kind of bad request whose token is valid: the closed list, with the error code that is expected for each."""

    code: ErrorCode

    def __new__(cls, value: str, code: ErrorCode) -> RequestDefect:
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        return member

    # The request
    NO_TOKEN = "no token", ErrorCode.MISSING_TOKEN
    ANOTHER_SCHEME = "another scheme", ErrorCode.MISSING_TOKEN
    AUTHORIZATION_TWICE = "two Authorization headers", ErrorCode.MALFORMED_REQUEST
    TOKENS_IN_A_LIST = "two tokens joined by a comma", ErrorCode.MALFORMED_REQUEST
    TOKEN_IN_QUERY = "token in the query", ErrorCode.TOKEN_IN_QUERY
    TOKEN_IN_BODY = "token in the body", ErrorCode.TOKEN_IN_BODY
    AMBIGUOUS_PATH = "path with a semicolon", ErrorCode.AMBIGUOUS_PATH
    MISSING_SCOPE = "missing scope", ErrorCode.INSUFFICIENT_SCOPE
    # The proof (RFC 9449)
    BOUND_TOKEN_AS_BEARER = "bound token sent as a bearer token", ErrorCode.DPOP_PROOF_REQUIRED
    UNBOUND_TOKEN_WITH_PROOF = "token without a binding, with a proof", ErrorCode.DPOP_UNBOUND_TOKEN
    PROOF_MISSING = "bound token without a proof", ErrorCode.DPOP_MISSING_PROOF
    PROOF_TWICE = "two DPoP headers", ErrorCode.DPOP_SEVERAL_PROOFS
    PROOFS_IN_A_LIST = "two proofs joined by a comma", ErrorCode.DPOP_SEVERAL_PROOFS
    PROOF_FORGED = "signature of another key under the proof", ErrorCode.DPOP_INVALID_SIGNATURE
    PROOF_OF_ANOTHER_KEY = "proof of another key", ErrorCode.DPOP_KEY_MISMATCH
    PROOF_FOR_ANOTHER_METHOD = "proof for another method", ErrorCode.DPOP_WRONG_METHOD
    PROOF_FOR_ANOTHER_PATH = "proof for another path", ErrorCode.DPOP_WRONG_URI
    PROOF_FOR_ANOTHER_HOST = "proof for another host", ErrorCode.DPOP_WRONG_URI
    PROOF_FOR_ANOTHER_TOKEN = "proof for another token", ErrorCode.DPOP_WRONG_ACCESS_TOKEN
    PROOF_WITHOUT_TOKEN_HASH = "proof without ath", ErrorCode.DPOP_MISSING_CLAIM
    PROOF_EXPIRED = "proof made an hour ago", ErrorCode.DPOP_EXPIRED
    PROOF_ISSUED_IN_FUTURE = "proof made in an hour", ErrorCode.DPOP_ISSUED_IN_FUTURE
    PROOF_REPLAYED = "proof used before", ErrorCode.DPOP_REPLAYED


class BadRequest(NamedTuple):
    """A bad request: its defect, the expected error ``code`` and HTTP ``status``, and what to send.

    ``first``, if it is not ``None``, must be sent before ``request``, and is accepted.
    """

    defect: Defect | RequestDefect
    code: ErrorCode
    status: int
    request: SignedRequest
    first: SignedRequest | None = None


#: What the token's defect becomes in an ``Authorization`` header if that differs: the value is not one token (RFC 9110
#: section 11.2). A header cannot carry the defect at all if there is no code: white space at the ends is removed, and a
#: line break ends the header.
IN_A_HEADER: dict[Defect, ErrorCode | None] = {
    Defect.EMPTY_TOKEN: ErrorCode.MALFORMED_REQUEST,
    Defect.JSON_SERIALISATION: ErrorCode.MALFORMED_REQUEST,
    Defect.BEARER_PREFIX: ErrorCode.MALFORMED_REQUEST,
    Defect.NON_ASCII: ErrorCode.MALFORMED_REQUEST,
    Defect.LEADING_SPACE: None,
    Defect.TRAILING_NEWLINE: None,
    Defect.NEWLINE_INSIDE: None,
}


@functools.cache
def _statuses() -> dict[ErrorCode, int]:
    classes = [found for found in vars(errors).values() if isinstance(found, type)]
    of_codes = [found for found in classes if issubclass(found, VerificationError) and hasattr(found, "code")]
    return {error.code: error.http_status for error in of_codes}


def status_of(code: ErrorCode) -> int:
    """Return the HTTP status of the error's answer."""
    return _statuses()[code]


__all__ = ["IN_A_HEADER", "BadRequest", "RequestDefect", "status_of"]
