"""Errors of scopes."""

from __future__ import annotations

from typing import Any

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class InsufficientScopeError(VerificationError):
    """The token is valid, but its scopes do not allow what was requested (RFC 6750 section 3.1): 403.

    ``scope`` is the required scopes, separated by spaces, or ``None`` if they are unknown. It is a parameter of
    ``WWW-Authenticate`` if it has the form of RFC 6749 section 3.3 and at most 1024 characters.
    """

    code = ErrorCode.INSUFFICIENT_SCOPE

    def __init__(self, detail: str | None = None, scope: str | None = None) -> None:
        super().__init__(detail)
        self.scope = scope

    def _more_parameters(self) -> dict[str, Any]:
        return {"scope": self.scope}


class ScopeSyntaxError(ValueError):
    """A text is not a scope of the grammar."""


__all__ = ["InsufficientScopeError", "ScopeSyntaxError"]
