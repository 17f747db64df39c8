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
    """The root of all of ClawAuth's exceptions. Neither ``message`` nor ``code`` ever holds a token, a key or a secret.

    Verifying offline raises it for one reason: there are no keys (``keys_unavailable``).
    """

    default_code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "the call failed"

    def __init__(self, message: str | None = None, code: str | None = None) -> None:
        self.message = self.default_message if message is None else message
        self.code = self.default_code if code is None else code
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, message={self.message!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.code))


class AuthenticationError(ClawAuthError):
    """The service, or the agent, was not authenticated."""

    default_code = "authentication_failed"
    default_message = "the authentication failed"


class InvalidSignatureError(ClawAuthError):
    """The signature of a challenge was not accepted."""

    default_code = "invalid_signature"
    default_message = "the signature was not accepted"


class InsufficientPermissionsError(ClawAuthError):
    """The service may not do this."""

    default_code = "insufficient_permissions"
    default_message = "the permissions are not enough"


class RateLimitError(ClawAuthError):
    """There were too many requests."""

    default_code = "rate_limited"
    default_message = "there were too many requests"
