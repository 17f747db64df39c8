"""The exceptions for what the gateway answers, and for when it does not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from watchword.client import Answer, CallError, InvalidAnswerError, NoAnswerError, retry_after_seconds, server_text
from watchword.providers.paphwey.errors import (
    PaphweyAuthError,
    PaphweyConflictError,
    PaphweyError,
    PaphweyNotFoundError,
    PaphweyPolicyError,
    PaphweyRateLimitError,
    PaphweyRequestError,
    PaphweyTransportError,
    PaphweyVerificationError,
)
from watchword.providers.paphwey.gateway_api import GatewayApi

#: As Paphwey documents them. 429 has a class of its own; every other status is a plain PaphweyError.
_BY_STATUS: Mapping[int, type[PaphweyError]] = {
    400: PaphweyRequestError,
    401: PaphweyAuthError,
    403: PaphweyAuthError,
    404: PaphweyNotFoundError,
    409: PaphweyConflictError,
    422: PaphweyPolicyError,
}

# Codes and trace ids are logged: no line breaks, and no dots, so that no whole token or API key fits.
_LOGGABLE = re.compile(r"[A-Za-z0-9_:-]{1,128}", flags=re.ASCII)

_MAX_SECONDS = 10**9


class GatewayErrors:
    """Makes exceptions of answers. Texts of the gateway's are not quoted, and its codes only if they can be logged."""

    def __init__(self, api: GatewayApi, api_key: str) -> None:
        self._api = api
        self._api_key = api_key

    def of_answer(self, answer: Answer, attestation: str | None = None) -> PaphweyError:
        """Return the exception for an answer that is no success; ``attestation``: that of ``verify_outcome``."""
        members, status = answer.members_if_any().raw, answer.status
        named: dict[str, Any] = {**self.names(members, attestation), "status": status}
        if attestation is not None and status in self._api.invalid_attestation_statuses:
            return PaphweyVerificationError(**named)
        if status == 429:
            seconds = retry_after_seconds(answer)
            if seconds is None:
                seconds = _whole_seconds(_first(members, self._api.retry_after_seconds))
            return PaphweyRateLimitError(retry_after_seconds=1 if seconds is None else seconds, **named)
        if status in _BY_STATUS:
            return _BY_STATUS[status](**named)
        return PaphweyError(f"the gateway answered {status}", **{**named, "code": named["code"] or f"http_{status}"})

    def of_invalid_attestation(
        self, members: Mapping[str, Any], status: int, attestation: str
    ) -> PaphweyVerificationError:
        """Return the exception for an attestation that the gateway calls invalid."""
        return PaphweyVerificationError(**self.names(members, attestation), status=status)

    def names(self, members: Mapping[str, Any], attestation: str | None = None) -> dict[str, str | None]:
        """Return the ``code`` and the ``trace_id`` that an answer names, if any; not if they contain a secret."""
        secrets = (self._api_key, attestation)
        named = {"code": _first(members, self._api.error_code), "trace_id": _first(members, self._api.trace_id)}
        return {name: _loggable(value, secrets) for name, value in named.items()}


def _loggable(value: object, secrets: Iterable[str | None]) -> str | None:
    text = server_text(value, secrets)
    return text if text == value and _LOGGABLE.fullmatch(text or "") else None


def of_call_error(error: CallError) -> PaphweyError:
    """Return the exception for a call without a usable answer."""
    if isinstance(error, InvalidAnswerError):
        return PaphweyTransportError(error.detail, code="invalid_response", status=error.status)
    is_timeout = isinstance(error, NoAnswerError) and error.is_timeout
    return PaphweyTransportError(error.detail, code="timeout" if is_timeout else None)


def _first(members: Mapping[str, Any], names: Iterable[str]) -> object:
    """Return the first of these members that is there and no object."""
    for name in names:
        value: object = members
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and not isinstance(value, Mapping):
            return value
    return None


def _whole_seconds(value: object) -> int | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _MAX_SECONDS:
        return None
    return math.ceil(value)


__all__ = ["GatewayErrors", "of_call_error"]
