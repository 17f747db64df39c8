"""Errors of delegation chains."""

from __future__ import annotations

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class DelegationError(VerificationError):
    """The token is valid, but its delegation chain is not acceptable.

    A server answers 403 (RFC 6750 section 3.1, ``insufficient_scope``), or 401 (``invalid_token``) if the recorded
    chain itself is invalid.
    """

    http_status = 403
    oauth_error = "insufficient_scope"


class DelegationMalformedError(DelegationError):
    """The claims do not have the form of a recorded chain. A malformed ``act`` makes the token itself invalid."""

    code = ErrorCode.DELEGATION_MALFORMED


class DelegationHashMismatchError(DelegationError):
    """``chain_hash`` is not the hash of the recorded chain."""

    code = ErrorCode.DELEGATION_HASH_MISMATCH


class DelegationSignatureError(DelegationError):
    """A record of the chain has no valid signature."""

    code = ErrorCode.DELEGATION_INVALID_SIGNATURE


class DelegationTooDeepError(DelegationError):
    """The chain has more actors than are allowed."""

    code = ErrorCode.DELEGATION_TOO_DEEP


class DelegationCycleError(DelegationError):
    """A name occurs in the chain more than once, and the caller allows no cycles."""

    code = ErrorCode.DELEGATION_CYCLE


class NoHumanRootError(DelegationError):
    """The chain must begin with a human, and does not."""

    code = ErrorCode.DELEGATION_NO_HUMAN_ROOT


class ActorNotAllowedError(DelegationError):
    """An actor of the chain is not one of those that the caller allows."""

    code = ErrorCode.DELEGATION_ACTOR_NOT_ALLOWED


class ScopeWidenedError(DelegationError):
    """An actor of the chain has a scope that its predecessor did not have: delegation may only narrow."""

    code = ErrorCode.DELEGATION_SCOPE_WIDENED


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
