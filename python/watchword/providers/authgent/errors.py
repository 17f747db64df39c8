"""What goes wrong, in authgent's classes. Each keeps Watchword's verdict, with its code and what a server answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from watchword.errors import DelegationError as _DelegationVerdict
from watchword.errors import DpopError, ErrorCode, VerificationError
from watchword.errors import InsufficientScopeError as _ScopeVerdict


class AuthgentError(Exception):
    """Whatever is wrong with a token, a proof, a chain or a server.

    ``message`` is one sentence for a person; ``error_code`` is authgent's name for the kind of it. ``verdict`` is the
    :class:`watchword.VerificationError` behind it, ``None`` where there is none. Neither holds a token or a key.
    """

    error_code: str = "authgent_error"

    def __init__(self, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.verdict: VerificationError | None = None
        if error_code is not None:
            self.error_code = error_code

    @property
    def code(self) -> ErrorCode | None:
        """Watchword's code, finer than ``error_code``; ``None`` where there is no verdict."""
        return None if self.verdict is None else self.verdict.code

    @property
    def http_status(self) -> int:
        """What a resource server answers: 401 unless the verdict says otherwise."""
        return 401 if self.verdict is None else self.verdict.http_status


class InvalidTokenError(AuthgentError):
    """The token was not accepted."""

    error_code = "invalid_token"


class DelegationError(AuthgentError):
    """The chain of delegation is not acceptable."""

    error_code = "delegation_error"


class DPoPError(AuthgentError):
    """The DPoP proof was not accepted, or does not go with the token."""

    error_code = "dpop_error"


class ServerError(AuthgentError):
    """Somebody's keys, or the memory of used proofs, could not be had. It says nothing of the token."""

    error_code = "server_error"


class InsufficientScopeError(AuthgentError):
    """The token is valid, and lacks a scope."""

    error_code = "insufficient_scope"


_CHAIN_CODES = {
    ErrorCode.DELEGATION_TOO_DEEP: "delegation_depth_exceeded",
    ErrorCode.DELEGATION_NO_HUMAN_ROOT: "no_human_root",
    ErrorCode.DELEGATION_ACTOR_NOT_ALLOWED: "unauthorized_actor",
}


def from_verdict(verdict: VerificationError) -> AuthgentError:
    """The authgent error that says what Watchword's verdict says."""
    error: AuthgentError
    if verdict.http_status == 503:
        error = ServerError(verdict.detail)
    elif isinstance(verdict, _DelegationVerdict):
        error = DelegationError(verdict.detail, _CHAIN_CODES.get(verdict.code))
    elif isinstance(verdict, DpopError):
        error = DPoPError(verdict.detail)
    elif isinstance(verdict, _ScopeVerdict):
        error = InsufficientScopeError(verdict.detail)
    else:
        error = InvalidTokenError(verdict.detail)
    error.verdict = verdict
    return error


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Raises as an :class:`AuthgentError` what leaves the block as a verdict."""
    try:
        yield
    except VerificationError as verdict:
        raise from_verdict(verdict) from verdict


__all__ = [
    "AuthgentError",
    "DPoPError",
    "DelegationError",
    "InsufficientScopeError",
    "InvalidTokenError",
    "ServerError",
]
