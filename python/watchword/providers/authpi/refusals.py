"""Which exception is raised for a refusal of the server's, by its OAuth error code, and for an answer that is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from watchword.client import Answer, CallError, InvalidAnswerError, NoAnswerError, server_text
from watchword.providers.authpi.errors import (
    AccountLinkingRequiredError,
    ConsentRequiredError,
    InsufficientScopeError,
    InteractionRequiredError,
    LoginRequiredError,
    OAuthError,
    RefreshError,
    SessionExpiredError,
    UserBlockedError,
)

#: RFC 6749 section 5.2.
_CODE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}")

#: RFC 6750 section 3.
_CHALLENGE_CODE = re.compile(r'(?:^|[\s,])error\s*=\s*"([^"]*)"')


class RefusedAccountLinkingError(RefreshError, AccountLinkingRequiredError):
    """A renewal is refused: the account must first be linked with another."""


class RefusedConsentError(RefreshError, ConsentRequiredError):
    """A renewal is refused: the user has to consent."""


class RefusedInteractionError(RefreshError, InteractionRequiredError):
    """A renewal is refused: the user has to interact."""


class RefusedLoginError(RefreshError, LoginRequiredError):
    """A renewal is refused: the user has to log in."""


class RefusedScopeError(RefreshError, InsufficientScopeError):
    """A renewal is refused: the scopes do not allow it."""


class RefusedSessionError(RefreshError, SessionExpiredError):
    """A renewal is refused: the session at the issuer has ended."""


class RefusedUserError(RefreshError, UserBlockedError):
    """A renewal is refused: the user is blocked."""


#: The class for an error code, and the one for the same code as the answer to a renewal.
_CLASSES: dict[str, tuple[type[OAuthError], type[RefreshError]]] = {
    "account_linking_required": (AccountLinkingRequiredError, RefusedAccountLinkingError),
    "consent_required": (ConsentRequiredError, RefusedConsentError),
    "insufficient_scope": (InsufficientScopeError, RefusedScopeError),
    "interaction_required": (InteractionRequiredError, RefusedInteractionError),
    "login_required": (LoginRequiredError, RefusedLoginError),
    "session_expired": (SessionExpiredError, RefusedSessionError),
    "user_blocked": (UserBlockedError, RefusedUserError),
}


def refusal(answer: Answer, default: str, failure: str, *, secrets: Iterable[str | None] = ()) -> OAuthError:
    """Return the exception for an answer that is not a success.

    Its code is the server's own ``error``, of its JSON object or of its challenge (RFC 6750 section 3), else
    ``default``; ``failure`` says what failed. A description that contains one of ``secrets`` is left out.
    """
    code, description = _stated(answer, secrets)
    return of_code(code or default, description or f"{failure}: HTTP {answer.status}")


def renewal_refusal(answer: Answer, *, secrets: Iterable[str | None]) -> RefreshError:
    """Return the exception for the refusal of a renewal: a :class:`RefreshError`, and the class of its code if any."""
    code, description = _stated(answer, secrets)
    kind = _CLASSES[code][1] if code in _CLASSES else RefreshError
    description = description or f"Failed to refresh tokens: HTTP {answer.status}"
    return kind(code or "refresh_error", description, answer.status)


def of_code(code: str, description: str | None) -> OAuthError:
    """Return the exception for an error code: one of its own class if there is one, else :class:`OAuthError`."""
    if code not in _CLASSES:
        return OAuthError(code, description)
    kind: type[OAuthError] = _CLASSES[code][0]
    # Their constructors take the description alone.
    return kind(description) if description else kind()  # type: ignore[call-arg]


def of_parameters(parameters: Mapping[str, str]) -> OAuthError:
    """Return the exception for a callback with ``error`` (RFC 6749 section 4.1.2.1)."""
    code = _code(parameters.get("error"), ()) or "invalid_request"
    return of_code(code, server_text(parameters.get("error_description")))


def no_answer(error: CallError) -> OAuthError:
    """Return the exception for a call without an answer, or with an invalid one."""
    return OAuthError(_code_of(error), error.detail)


def no_renewal(error: CallError) -> RefreshError:
    """As :func:`no_answer`, for a renewal."""
    return RefreshError(_code_of(error), error.detail, error.status if isinstance(error, InvalidAnswerError) else None)


def _code_of(error: CallError) -> str:
    """Return one of the codes that RFC 6749 section 4.1.2.1 has for the server's own faults."""
    is_transient = isinstance(error, NoAnswerError) and error.is_transient
    return "temporarily_unavailable" if is_transient else "server_error"


def _stated(answer: Answer, secrets: Iterable[str | None]) -> tuple[str | None, str | None]:
    hidden = tuple(one for one in secrets if one)
    members = answer.members_if_any().raw
    code = _code(members.get("error"), hidden)
    if code is None:
        challenge = _CHALLENGE_CODE.search(answer.headers.get("www-authenticate", ""))
        code = None if challenge is None else _code(challenge[1], hidden)
    return code, server_text(members.get("error_description"), hidden)


def _code(value: object, hidden: tuple[str, ...]) -> str | None:
    is_code = isinstance(value, str) and _CODE.fullmatch(value) and not any(one in value for one in hidden)
    return str(value) if is_code else None


__all__ = ["no_answer", "no_renewal", "of_code", "of_parameters", "refusal", "renewal_refusal"]
