"""The exceptions of ``agentwrit.errors``.

A token that is rejected raises none of them: ``validate`` returns ``valid=False``.
"""

from __future__ import annotations

from watchword.providers.agentwrit.models import ProblemDetail


class AgentWritError(Exception):
    """The base class of all of them."""


class ProblemResponseError(AgentWritError):
    """The broker rejected a request: ``problem`` is its reason, ``status_code`` the HTTP status."""

    def __init__(self, problem: ProblemDetail, status_code: int) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem
        self.status_code = status_code

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.problem, self.status_code))


class AuthenticationError(ProblemResponseError):
    """401: the credentials are missing, wrong or revoked."""


class AuthorizationError(ProblemResponseError):
    """403: the scopes do not suffice."""


class RateLimitError(ProblemResponseError):
    """429: too many requests. ``retry_after`` is what the broker asks to wait in seconds, ``None`` if it does not."""

    retry_after: int | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"retry_after": self.retry_after})


class TransportError(AgentWritError):
    """The broker could not be reached, or there is no complete answer within the limits.

    It may have acted on the request all the same.
    """


class InvalidResponseError(TransportError):
    """The answer is not what brokers document: not JSON, or a member is missing or wrong.

    ``status_code`` is its HTTP status. The broker may have acted on the request.
    """

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self), self.status_code))


class CryptoError(AgentWritError):
    """An agent's key could not sign."""


_BY_STATUS = {401: AuthenticationError, 403: AuthorizationError, 429: RateLimitError}


def error_for(problem: ProblemDetail, status_code: int, *, retry_after: int | None = None) -> ProblemResponseError:
    """Return the exception for a problem in a response with this HTTP status.

    ``retry_after`` is kept if it is a :class:`RateLimitError`; in seconds.
    """
    error = _BY_STATUS.get(status_code, ProblemResponseError)(problem, status_code)
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after
    return error


__all__ = [
    "AgentWritError",
    "AuthenticationError",
    "AuthorizationError",
    "CryptoError",
    "InvalidResponseError",
    "ProblemResponseError",
    "RateLimitError",
    "TransportError",
    "error_for",
]
