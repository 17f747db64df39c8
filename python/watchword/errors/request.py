"""What can be wrong with a request, beside its token and its proof."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError, challenge_parameters


class MissingTokenError(VerificationError):
    """The request has no ``Authorization`` header of the scheme ``DPoP`` or ``Bearer``."""

    code = ErrorCode.MISSING_TOKEN
    _description = "the request carries no access token"

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """Both challenges, without an error: who sends no token is told only what to send (RFC 6750 section 3.1)."""
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
