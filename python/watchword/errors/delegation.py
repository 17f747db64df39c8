"""What can be wrong with a chain of delegation."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class DelegationError(VerificationError):
    """The token is valid; on whose behalf it is used, or by whom, is not acceptable.

    A server answers 403: what the token is good for is not enough (RFC 6750 section 3.1, ``insufficient_scope``). Where
    the record of delegation itself is broken, the token is to blame (401, ``invalid_token``).
    """

    http_status = 403
    oauth_error = "insufficient_scope"


class DelegationMalformedError(DelegationError):
    """The claims do not record a chain as their form demands. A malformed ``act`` is refused with its token already."""

    code = ErrorCode.DELEGATION_MALFORMED
    http_status = 401
    oauth_error = "invalid_token"
    _description = "the token's record of delegation is malformed"


class DelegationHashMismatchError(DelegationError):
    """``chain_hash`` is not the hash of the recorded chain."""

    code = ErrorCode.DELEGATION_HASH_MISMATCH
    http_status = 401
    oauth_error = "invalid_token"
    _description = "the token's record of delegation is not what was hashed"


class DelegationSignatureError(DelegationError):
    """A record of the chain bears no signature that holds."""

    code = ErrorCode.DELEGATION_INVALID_SIGNATURE
    http_status = 401
    oauth_error = "invalid_token"
    _description = "the token's record of delegation is not what was signed"


class DelegationTooDeepError(DelegationError):
    """Authority was handed on more often than is allowed."""

    code = ErrorCode.DELEGATION_TOO_DEEP
    _description = "the chain of delegation is too long"


class DelegationCycleError(DelegationError):
    """A name stands in the chain more than once, and the caller allows no circles."""

    code = ErrorCode.DELEGATION_CYCLE
    _description = "the chain of delegation goes in a circle"


class NoHumanRootError(DelegationError):
    """The chain must begin with a human being, and does not."""

    code = ErrorCode.DELEGATION_NO_HUMAN_ROOT
    _description = "the token is not used on behalf of a human being"


class ActorNotAllowedError(DelegationError):
    """An actor of the chain is not one that the caller allows."""

    code = ErrorCode.DELEGATION_ACTOR_NOT_ALLOWED
    _description = "the token is used by an actor that is not allowed"


class ScopeWidenedError(DelegationError):
    """An actor of the chain holds a scope that was not held before it. Delegation narrows only."""

    code = ErrorCode.DELEGATION_SCOPE_WIDENED
    _description = "the token's scope is wider than what was delegated"


__all__ = [
    "ActorNotAllowedError",
    "DelegationCycleError",
    "DelegationError",
    "DelegationHashMismatchError",
    "DelegationMalformedError",
    "DelegationSignatureError",
    "DelegationTooDeepError",
    "NoHumanRootError",
    "ScopeWidenedError",
]
