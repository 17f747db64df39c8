"""ClawAuth's exceptions. Each has a ``code`` for programs and a ``message`` for a person."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AuthenticationError",
    "ClawAuthError",
    "InsufficientPermissionsError",
    "InvalidSignatureError",
    "RateLimitError",
]


class ClawAuthError(Exception):
    """The base class of ClawAuth's exceptions. No attribute contains a token, a key or a secret.

    ``message`` is a sentence of this package. ``code`` is the server's, if its answer has one; else one of these, which
    do not change:

    - ``timeout``, ``no_answer``: there is no complete answer; the server may have acted on the request all the same;
    - ``invalid_answer``: the answer is not what ClawAuth documents;
    - ``challenge_expired``, ``challenge_refused``: the challenge was not signed;
    - ``keys_unavailable``: the keys for offline verification are unavailable;
    - ``authentication_failed``, ``invalid_signature``, ``insufficient_permissions``, ``rate_limited``: those of the
      other classes;
    - ``not_found``, ``server_error`` (5xx), ``error``: any other status.

    ``status`` is the status of the server's answer, ``description`` what the server says about the error, at most 512
    characters without control characters; both are ``None`` if there is none. ``retry_after`` is the number of seconds
    after which the server wants to be asked again, if it names one.
    """

    default_code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "the call failed"

    def __init__(
        self,
        message: str | None = None,
        code: str | None = None,
        *,
        status: int | None = None,
        description: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = self.default_message if message is None else message
        self.code = self.default_code if code is None else code
        self.status = status
        self.description = description
        self.retry_after = retry_after
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, message={self.message!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.code), self.__dict__)


class AuthenticationError(ClawAuthError):
    """The authentication of the service or of the agent failed."""

    default_code = "authentication_failed"
    default_message = "the authentication failed"


class InvalidSignatureError(ClawAuthError):
    """The signature of a challenge was rejected."""

    default_code = "invalid_signature"
    default_message = "the signature was rejected"


class InsufficientPermissionsError(ClawAuthError):
    """The service is not allowed to do this."""

    default_code = "insufficient_permissions"
    default_message = "the permissions do not suffice"


class RateLimitError(ClawAuthError):
    """There were too many requests."""

    default_code = "rate_limited"
    default_message = "there were too many requests"
