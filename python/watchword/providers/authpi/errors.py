"""The exceptions of ``authpi_idp.errors``.

An invalid token raises one of these, with Watchword's :class:`~watchword.VerificationError` and its code as the
``__cause__``. No message contains a token or its claims.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from watchword.errors import ExpiredError, KeysUnavailableError, VerificationError


class ConfigurationError(ValueError):
    """An argument of the caller is invalid. Not an :class:`OAuthError`."""


class OAuthError(Exception):
    """The base class of all errors of a login.

    ``error`` is an OAuth error code (RFC 6749 section 5.2), ``error_description`` a sentence or ``None``.
    """

    def __init__(self, error: str, error_description: str | None = None) -> None:
        super().__init__(error_description or error)
        self.error = error
        self.error_description = error_description

    def __reduce__(self) -> tuple[object, ...]:
        # The classes below take different arguments, so a copy is made without calling their constructors.
        return (_restored, (type(self), self.args), vars(self))


class TokenExpiredError(OAuthError):
    """A token has expired, and there is no refresh token."""

    def __init__(self, message: str = "the token has expired") -> None:
        super().__init__("token_expired", message)


class RefreshError(OAuthError):
    """A token could not be refreshed. ``status_code`` is the HTTP status of the response, if there was one."""

    def __init__(self, error: str, error_description: str | None = None, status_code: int | None = None) -> None:
        # By name: another class of this module may be the next base.
        OAuthError.__init__(self, error, error_description)
        self.status_code = status_code


class TokenParseError(OAuthError):
    """The ID token, or the token set that should contain one, is missing, malformed or invalid."""

    def __init__(self, message: str = "the ID token is invalid") -> None:
        super().__init__("invalid_token", message)


class SubjectMismatchError(OAuthError):
    """The tokens belong to another subject than before (OpenID Connect Core 1.0 section 12.2)."""

    def __init__(self, expected_sub: str, actual_sub: str) -> None:
        super().__init__("subject_mismatch", "the tokens belong to another subject than before")
        self.expected_sub = expected_sub
        self.actual_sub = actual_sub


class InsufficientScopeError(OAuthError):
    """The scopes do not allow the request (RFC 6750 section 3.1)."""

    def __init__(self, message: str = "the scopes do not allow the request") -> None:
        super().__init__("insufficient_scope", message)


class SessionExpiredError(OAuthError):
    """The session at the issuer has ended."""

    def __init__(self, message: str = "the session has expired") -> None:
        super().__init__("session_expired", message)


class UserBlockedError(OAuthError):
    """The user is blocked."""

    def __init__(self, message: str = "the user is blocked") -> None:
        super().__init__("user_blocked", message)


class AccountLinkingRequiredError(OAuthError):
    """The account must first be linked with another."""

    def __init__(self, message: str = "the account must first be linked") -> None:
        super().__init__("account_linking_required", message)


class InteractionRequiredError(OAuthError):
    """The user has to interact, and the request did not allow it (OpenID Connect Core 1.0 section 3.1.2.6)."""

    def __init__(self, message: str = "the user has to interact") -> None:
        super().__init__("interaction_required", message)


class LoginRequiredError(OAuthError):
    """The user has to log in, and the request did not allow it."""

    def __init__(self, message: str = "the user has to log in") -> None:
        super().__init__("login_required", message)


class ConsentRequiredError(OAuthError):
    """The user has to consent, and the request did not allow it."""

    def __init__(self, message: str = "the user has to consent") -> None:
        super().__init__("consent_required", message)


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Raise as one of these what the block raises as a :class:`~watchword.VerificationError`, which is the cause."""
    try:
        yield
    except ExpiredError as error:
        raise TokenExpiredError("the ID token has expired") from error
    except KeysUnavailableError as error:
        raise OAuthError("temporarily_unavailable", error.detail) from error
    except VerificationError as error:
        raise TokenParseError(error.detail) from error


def _restored(kind: type[OAuthError], arguments: tuple[object, ...]) -> OAuthError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


__all__ = [
    "AccountLinkingRequiredError",
    "ConfigurationError",
    "ConsentRequiredError",
    "InsufficientScopeError",
    "InteractionRequiredError",
    "LoginRequiredError",
    "OAuthError",
    "RefreshError",
    "SessionExpiredError",
    "SubjectMismatchError",
    "TokenExpiredError",
    "TokenParseError",
    "UserBlockedError",
]
