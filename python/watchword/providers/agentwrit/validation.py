"""The verdict on a token: by the broker's key if that is configured, else the broker's own."""

from __future__ import annotations

from watchword.client import Answer, Request, Verb
from watchword.errors import ErrorCode
from watchword.limits import MAX_TOKEN_BYTES
from watchword.providers.agentwrit.answers import read_verdict
from watchword.providers.agentwrit.models import ValidateResult


def ask_broker(token: str | bytes) -> Verb[ValidateResult]:
    """Return the broker's verdict. A token of a size that it could not have is not sent.

    Raises ``TypeError`` if the token is neither ``str`` nor ``bytes``.
    """
    if not isinstance(token, (str, bytes)):
        raise TypeError(f"token must be str or bytes, not {type(token).__name__}")
    if len(token) > MAX_TOKEN_BYTES:
        return _rejected(ErrorCode.TOO_LARGE, f"the token is longer than {MAX_TOKEN_BYTES} bytes")
    text = token if isinstance(token, str) else token.decode("latin-1")
    if not text or not text.isascii():
        return _rejected(ErrorCode.MALFORMED_TOKEN, "the token is empty, or not ASCII")
    # It changes nothing at the broker.
    answer: Answer = yield Request("POST", "/v1/token/validate", json={"token": text}, repeatable=True)
    return read_verdict(answer, text)


def _rejected(code: ErrorCode, why: str) -> ValidateResult:
    return ValidateResult(valid=False, error=f"{code.value}: {why}", code=code)


__all__ = ["ask_broker"]
