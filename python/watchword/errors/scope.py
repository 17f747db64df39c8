"""Errors of scopes."""

from __future__ import annotations

import re

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError

#: Scope tokens with single spaces between them (RFC 6749 section 3.3).
_SCOPE = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")


class InsufficientScopeError(VerificationError):
    """The token is valid, but its scopes do not allow what was requested (RFC 6750 section 3.1): 403.

    ``scope`` is the required scopes, separated by spaces, or ``None`` if they are unknown. It is a parameter of
    ``WWW-Authenticate`` if it has the form of RFC 6749 section 3.3 and at most 1024 characters.
    """

    code = ErrorCode.INSUFFICIENT_SCOPE
    http_status = 403
    oauth_error = "insufficient_scope"
    _description = "the token's scopes do not allow this"

    def __init__(self, detail: str | None = None, scope: str | None = None) -> None:
        super().__init__(detail)
        self.scope = scope

    def _more_parameters(self) -> dict[str, str]:
        # The sender of a request chooses the resource, and so a part of this text.
        if self.scope is None or len(self.scope) > 1024 or not _SCOPE.fullmatch(self.scope):
            return {}
        return {"scope": self.scope}


class ScopeSyntaxError(ValueError):
    """A text is not a scope of the grammar."""


__all__ = ["InsufficientScopeError", "ScopeSyntaxError"]
