"""Whether a request is sent again, and after how many seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from watchword.client.answer import Answer
from watchword.client.errors import NoAnswerError
from watchword.client.request import Request
from watchword.client.settings import CallSettings


def delay(
    request: Request,
    outcome: Answer | NoAnswerError,
    attempt: int,
    settings: CallSettings,
    *,
    now: float,
    rand: Callable[[], float] = random.random,
) -> float | None:
    """Return the seconds to wait before the next attempt; ``None`` if the outcome is final.

    ``attempt`` counts from 0, ``now`` is the time in Unix seconds, ``rand`` returns a number from 0 to 1.
    """
    if attempt >= settings.max_retries or not _may_repeat(request, outcome):
        return None
    jitter = rand() * min(settings.max_delay, settings.first_delay * 2.0 ** min(attempt, 64))
    asked = retry_after(outcome, now) if isinstance(outcome, Answer) else None
    # Not before the time that the server named, and not all clients at that moment.
    return jitter if asked is None else asked + rand() * settings.first_delay


def _may_repeat(request: Request, outcome: Answer | NoAnswerError) -> bool:
    if isinstance(outcome, NoAnswerError):
        return request.repeatable and outcome.is_transient
    # The server did not act on a request that it answers with 429 (RFC 6585 section 4).
    return outcome.status == 429 or (request.repeatable and outcome.status >= 500)


def retry_after(answer: Answer, now: float) -> float | None:
    """Return the seconds that the server asks to wait (RFC 9110 section 10.2.3); ``None`` if it names no valid time."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        # More digits than any deadline has; int() of very many digits would raise.
        return float(int(value[:12]))
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def retry_after_seconds(answer: Answer, *, now: float | None = None) -> int | None:
    """As :func:`retry_after`, in whole seconds, rounded up; ``now`` in Unix seconds (``None``: the clock's)."""
    seconds = retry_after(answer, datetime.now(UTC).timestamp() if now is None else now)
    return None if seconds is None else math.ceil(seconds)


__all__ = ["delay", "retry_after", "retry_after_seconds"]
