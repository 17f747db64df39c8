"""authgent's exceptions. Each has Watchword's error, with its code and HTTP status, as ``verdict``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from watchword.errors import DelegationError as _DelegationVerdict
from watchword.errors import DpopError, ErrorCode, VerificationError
from watchword.errors import InsufficientScopeError as _ScopeVerdict


class AuthgentError(Exception):
    """The base class of authgent's exceptions.

    ``message`` is one sentence for a person; ``error_code`` is authgent's code. ``verdict`` is the
    :class:`watchword.VerificationError` that caused it, or ``None``. No message contains a token or a key.
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
        """Watchword's code, finer than ``error_code``; ``None`` without a verdict."""
        return None if self.verdict is None else self.verdict.code

    @property
    def http_status(self) -> int:
        """The HTTP status that a resource server responds with: the verdict's, or 401 without one."""
        return 401 if self.verdict is None else self.verdict.http_status


class InvalidTokenError(AuthgentError):
    """The token is invalid."""

    error_code = "invalid_token"


class DelegationError(AuthgentError):
    """The delegation chain is malformed, or does not meet a requirement."""

    error_code = "delegation_error"


class DPoPError(AuthgentError):
    """The DPoP proof is invalid, or does not match the token."""

    error_code = "dpop_error"


class ServerError(AuthgentError):
    """Keys, the replay store or a server are unavailable, or a server rejected the request of a client.

    For a client's request, ``status_code`` is the HTTP status of the answer; ``None`` if there was none, and then the
    server may have acted on the request all the same. ``error`` is the code of the answer (RFC 6749 section 5.2, or
    authgent-server's ``error_code``), and ``error_description`` its text for a person: both as the server wrote them,
    without control characters and at most 512 characters long. ``retry_after`` is the number of seconds to wait that
    the server asks for, and ``request_id`` its name for the request (``X-Request-ID``). Each is ``None`` if the answer
    does not have it.
    """

    error_code = "server_error"

    def __init__(
        self,
        message: str,
        error_code: str | None = None,
        *,
        status_code: int | None = None,
        error: str | None = None,
        error_description: str | None = None,
        retry_after: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, error_code)
        self.status_code = status_code
        self.error = error
        self.error_description = error_description
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def http_status(self) -> int:
        """The HTTP status that a resource server responds with: 503, as the caller is not at fault."""
        return 503


class InsufficientScopeError(AuthgentError):
    """The token is valid, but lacks a scope."""

    error_code = "insufficient_scope"


_CHAIN_CODES = {
    ErrorCode.DELEGATION_TOO_DEEP: "delegation_depth_exceeded",
    ErrorCode.DELEGATION_NO_HUMAN_ROOT: "no_human_root",
    ErrorCode.DELEGATION_ACTOR_NOT_ALLOWED: "unauthorized_actor",
}


def from_verdict(verdict: VerificationError) -> AuthgentError:
    """Return the authgent exception for one of Watchword's."""
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
    """Raise as an :class:`AuthgentError` what the block raises as a :class:`~watchword.VerificationError`."""
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
