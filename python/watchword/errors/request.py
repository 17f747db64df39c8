"""Errors of an HTTP request other than those of its token and proof."""

from __future__ import annotations

from watchword import _kernel
from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class MissingTokenError(VerificationError):
    """The request has no ``Authorization`` header of the scheme ``DPoP`` or ``Bearer``."""

    code = ErrorCode.MISSING_TOKEN
    #: The scopes that are required, separated by spaces; ``None`` if they are unknown.
    scope: str | None = None

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """Return both challenges, without ``error``: the request had no token (RFC 6750 section 3.1)."""
        return _kernel.challenge(
            None,
            algorithms=" ".join(self.algorithms),
            realm=realm,
            resource_metadata=resource_metadata,
            scope=self.scope,
        )


class MalformedRequestError(VerificationError):
    """What a request says of its sender is repeated or malformed (RFC 6750 section 3.1): 400.

    That is the ``Authorization`` header, or a header of the one proxy that a gate trusts.
    """

    code = ErrorCode.MALFORMED_REQUEST


class TokenInQueryError(VerificationError):
    """The URI has a parameter ``access_token`` (RFC 6750 sections 2.3 and 5.3): 400."""

    code = ErrorCode.TOKEN_IN_QUERY


class TokenInBodyError(VerificationError):
    """The form in the body has a parameter ``access_token`` (RFC 6750 section 2.2): 400."""

    code = ErrorCode.TOKEN_IN_BODY


class AmbiguousPathError(VerificationError):
    """Two parsers could read the path of the request differently: 400."""

    code = ErrorCode.AMBIGUOUS_PATH


class NoRouteError(VerificationError):
    """No route of the gate matches the method and path: 403."""

    code = ErrorCode.NO_ROUTE


class UntrustedIdentityError(VerificationError):
    """The identity headers of the request are not those of a gate with the application's secret: 403.

    There is no challenge, as the client can do nothing about it: the request did not pass the gate, or the proxy does
    not pass the gate's headers on. It is raised by :class:`watchword.gate.IdentityHeaders`.
    """

    code = ErrorCode.UNTRUSTED_IDENTITY


class InternalError(VerificationError):
    """An exception in the code around a gate, which rejects the request: 500."""

    code = ErrorCode.INTERNAL_ERROR


__all__ = [
    "AmbiguousPathError",
    "InternalError",
    "MalformedRequestError",
    "MissingTokenError",
    "NoRouteError",
    "TokenInBodyError",
    "TokenInQueryError",
    "UntrustedIdentityError",
]
