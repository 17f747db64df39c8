"""What the middlewares of :mod:`watchword.gate.IdentityHeaders` answer, and what they log."""

from __future__ import annotations

import json
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from watchword.gate import IdentityHeaders

if TYPE_CHECKING:
    from watchword import VerificationError

#: The key under which the application finds the :class:`~watchword.gate.Identity`.
IDENTITY: Final = "watchword.identity"

_LOG_EVERY = 60

_logger = logging.getLogger("watchword.integrations")


class IdentityRejection(NamedTuple):
    """A response to a request whose identity headers are not those of the gate."""

    status: int
    code: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class RejectionLog:
    """Logs why requests are rejected: each reason, of which there are few, once a minute."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def add(self, error: VerificationError) -> None:
        """Log a rejection."""
        now = time.monotonic()
        if now >= self._logged.get(error.detail, now):
            self._logged[error.detail] = now + _LOG_EVERY
            _logger.warning("a request was rejected: %s", error)


def identity_rejection(error: VerificationError) -> IdentityRejection:
    """Return the answer: a problem document (RFC 9457) that says no more than the code."""
    status = HTTPStatus(error.http_status)
    document = {
        "title": status.phrase,
        "status": status.value,
        "detail": type(error)().detail,
        "code": error.code.value,
    }
    headers = (("Content-Type", "application/problem+json"), ("Cache-Control", "no-store"))
    return IdentityRejection(status.value, error.code.value, headers, json.dumps(document).encode())


def check_identity_headers(identity_headers: object) -> None:
    """Raise ``TypeError`` unless it can read identity headers: otherwise the first request would notice."""
    if not isinstance(identity_headers, IdentityHeaders):
        raise TypeError(
            f"identity_headers must be a watchword.gate.IdentityHeaders, not {type(identity_headers).__name__}"
        )


__all__ = ["IDENTITY", "IdentityRejection", "RejectionLog", "check_identity_headers", "identity_rejection"]
