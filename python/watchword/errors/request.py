"""Errors of an HTTP request other than those of its token and proof."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError, challenge_parameters


class MissingTokenError(VerificationError):
    """The request has no ``Authorization`` header of the scheme ``DPoP`` or ``Bearer``."""

    code = ErrorCode.MISSING_TOKEN
    _description = "the request carries no access token"

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """Return both challenges, without ``error``: the request had no token (RFC 6750 section 3.1)."""
        common = challenge_parameters(realm=realm, resource_metadata=resource_metadata)
        algorithms = f'algs="{" ".join(self.algorithms)}"'
        return f"DPoP {', '.join([*common, algorithms])}, {' '.join(['Bearer', ', '.join(common)]).rstrip()}"


class MalformedRequestError(VerificationError):
    """``Authorization`` is repeated or malformed (RFC 6750 section 3.1): 400."""

    code = ErrorCode.MALFORMED_REQUEST
    http_status = 400
    oauth_error = "invalid_request"
    _description = "the request's Authorization header is repeated or malformed"


__all__ = ["MalformedRequestError", "MissingTokenError"]
