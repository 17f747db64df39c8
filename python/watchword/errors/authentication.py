"""Errors of user authentication (RFC 9470)."""

from __future__ import annotations

from typing import Any

from watchword.errors.code import ErrorCode
from watchword.errors.verification import VerificationError


class InsufficientUserAuthenticationError(VerificationError):
    """The token is valid, but its user authenticated too weakly or too long ago (RFC 9470 section 3): 401.

    ``acr_values`` are the accepted authentication contexts, the best first, ``max_age`` the greatest age of the
    authentication in seconds; both are parameters of ``WWW-Authenticate``, so that the client knows what to request.
    """

    code = ErrorCode.INSUFFICIENT_USER_AUTHENTICATION

    def __init__(self, detail: str | None = None, acr_values: tuple[str, ...] = (), max_age: int | None = None) -> None:
        super().__init__(detail)
        self.acr_values = acr_values
        self.max_age = max_age

    def _more_parameters(self) -> dict[str, Any]:
        return {"acr_values": " ".join(self.acr_values) or None, "max_age": self.max_age}


__all__ = ["InsufficientUserAuthenticationError"]
