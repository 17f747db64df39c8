"""The exception for an answer that is an error, and for a call that has no valid answer."""

from __future__ import annotations

import re
from collections.abc import Collection

from watchword.client import (
    Answer,
    CallError,
    InvalidAnswerError,
    Members,
    NoAnswerError,
    retry_after_seconds,
    server_text,
)
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.wire import WireFormat, snake_case

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def of_answer(answer: Answer, wire: WireFormat, secrets: Collection[str]) -> ClawAuthError:
    """Return the exception for an answer whose status is not 2xx.

    ``secrets`` are those of the request: what the server says is dropped if it repeats one.
    """
    members = answer.members_if_any().raw
    nested = members.get("error")
    # {"code": …, "message": …}, the same below "error", or as OAuth's errors are (RFC 6749 section 5.2).
    inner = nested if isinstance(nested, dict) else members
    texts = [server_text(inner.get(name), secrets) for name in ("code", "error", "message", "error_description")]
    code = next((text for text in texts[:2] if text and _CODE.fullmatch(text)), None)
    description = texts[2] or texts[3] or (texts[1] if texts[1] != code else None)
    kind = wire.codes.get(snake_case(code or "")) or wire.statuses.get(answer.status, ClawAuthError)
    return kind(
        f"{answer.route} returned HTTP {answer.status}",
        code or (_code(answer.status) if kind is ClawAuthError else None),
        status=answer.status,
        description=description,
        retry_after=retry_after_seconds(answer),
    )


def of_call(error: CallError) -> ClawAuthError:
    """Return the exception for a call that has no valid answer."""
    if isinstance(error, NoAnswerError):
        return ClawAuthError(error.detail, "timeout" if error.is_timeout else "no_answer")
    return ClawAuthError(error.detail, "invalid_answer", status=getattr(error, "status", None))


def contradiction(members: Members, name: str, why: str) -> InvalidAnswerError:
    """Return the error for a member that contradicts something; ``why`` completes the sentence."""
    invalid = members.invalid(name)
    return InvalidAnswerError(f"{invalid.detail}: {why}", invalid.status)


def _code(status: int) -> str:
    if status >= 500:
        return "server_error"
    return "not_found" if status == 404 else ClawAuthError.default_code


__all__ = ["contradiction", "of_answer", "of_call"]
