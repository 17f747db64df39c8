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
    """429: too many requests."""


class TransportError(AgentWritError):
    """The broker could not be reached, or did not answer in time."""


class CryptoError(AgentWritError):
    """A key could not be generated, or could not sign."""


_BY_STATUS = {401: AuthenticationError, 403: AuthorizationError, 429: RateLimitError}


def error_for(problem: ProblemDetail, status_code: int) -> ProblemResponseError:
    """Return the exception for a problem in a response with this HTTP status."""
    return _BY_STATUS.get(status_code, ProblemResponseError)(problem, status_code)


__all__ = [
    "AgentWritError",
    "AuthenticationError",
    "AuthorizationError",
    "CryptoError",
    "ProblemResponseError",
    "RateLimitError",
    "TransportError",
    "error_for",
]
