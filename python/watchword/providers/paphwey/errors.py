"""Paphwey's exceptions. Each has a ``code`` for programs and, if a server sent one, a ``trace_id``.

Those of the clients' calls also have the ``status`` of the gateway's answer. Their codes are the gateway's own, if it
sends one; :class:`PaphweyTransportError` has ``timeout``, ``transport_error`` or ``invalid_response``.

The codes of :class:`PaphweyVerificationError` are those of :class:`watchword.ErrorCode` and, for the contents of an
attestation: ``malformed_credential``, ``wrong_delegation``, ``wrong_action``, ``amount_exceeded``,
``invalid_confirmation_key``; for the gateway's answer about it, also ``wrong_attestation``.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "PaphweyAuthError",
    "PaphweyConflictError",
    "PaphweyError",
    "PaphweyNotFoundError",
    "PaphweyPolicyError",
    "PaphweyRateLimitError",
    "PaphweyRequestError",
    "PaphweyTransportError",
    "PaphweyVerificationError",
]


class PaphweyError(Exception):
    """The base class of Paphwey's exceptions.

    ``message`` is one sentence for a person (it never contains a token, a key or a secret), ``code`` is for programs,
    ``trace_id`` is for Paphwey's support, ``status`` is the HTTP status; both are ``None`` if no server was involved.
    """

    default_code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "the call failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        trace_id: str | None = None,
        status: int | None = None,
    ) -> None:
        self.message = self.default_message if message is None else message
        self.code = self.default_code if code is None else code
        self.trace_id = trace_id
        self.status = status
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, message={self.message!r}, trace_id={self.trace_id!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), vars(self))


class PaphweyAuthError(PaphweyError):
    """401 or 403: the API key is invalid, or its scopes do not suffice."""

    default_code = "permission_denied"
    default_message = "the API key was not accepted"


class PaphweyRequestError(PaphweyError):
    """400: the body is malformed."""

    default_code = "malformed_request"
    default_message = "the request is malformed"


class PaphweyNotFoundError(PaphweyError):
    """404: there is no such delegation or challenge."""

    default_code = "not_found"
    default_message = "there is no such delegation or challenge"


class PaphweyConflictError(PaphweyError):
    """409: the delegation or challenge was already revoked or consumed."""

    default_code = "conflict"
    default_message = "the delegation or challenge was already revoked or consumed"


class PaphweyPolicyError(PaphweyError):
    """422: the scope, the ceiling or the lifetime exceeds what the policy allows."""

    default_code = "policy_violation"
    default_message = "the policy does not allow this"


class PaphweyRateLimitError(PaphweyError):
    """429: too many requests. ``retry_after_seconds`` is how many seconds to wait, 1 if unknown."""

    default_code = "rate_limited"
    default_message = "there were too many requests"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after_seconds: int = 1,
        code: str | None = None,
        trace_id: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, trace_id=trace_id, status=status)
        self.retry_after_seconds = retry_after_seconds


class PaphweyVerificationError(PaphweyError):
    """The attestation, or a proof of its key, is invalid: ``code`` names the reason."""

    default_code = "invalid_attestation"
    default_message = "the attestation is invalid"


class PaphweyTransportError(PaphweyError):
    """The network or TLS failed, or the answer is unusable, so nothing was verified.

    ``code`` is ``keys_unavailable`` if keys are missing; ``timeout`` if there was no answer in time;
    ``invalid_response`` if the answer is not what the gateway documents. It may have acted on the request.
    """

    default_code = "transport_error"
    default_message = "there was no response"
