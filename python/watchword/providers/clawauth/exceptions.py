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
    """The base class of ClawAuth's exceptions. ``message`` and ``code`` never contain a token, a key or a secret.

    Offline verification raises it for one reason: keys are unavailable (``keys_unavailable``).
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
