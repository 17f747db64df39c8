"""Parse ``application/problem+json`` (RFC 9457), leniently: any other body becomes the detail of a problem."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from watchword.providers.agentwrit.models import ProblemDetail

#: Longer bodies are not parsed.
_MAX_BYTES = 64 * 1024

#: Longer texts are truncated: they become messages of exceptions, and get into logs.
_MAX_TEXT = 512

_TEXTS = tuple(field.name for field in dataclasses.fields(ProblemDetail) if field.name != "status")


def read_problem(
    body: str | bytes, *, status_code: int, instance: str = "", secrets: Iterable[str] = ()
) -> ProblemDetail:
    """Return the problem in the body of a response with this HTTP status; ``instance`` is used if the body has none.

    A member of the wrong type is ignored (section 3.1). A body that is not a problem document becomes the detail of
    one. Texts are truncated to 512 characters, and spaces replace their control characters. ``secrets`` are those of
    the request, which are removed in case the answer repeats them. Never raises for the content of the body.
    """
    hidden = tuple(secrets)
    members = _members(body)
    if members is None:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        return ProblemDetail(
            title=f"HTTP {status_code}",
            detail=bounded(text, hidden) or "the response has no body",
            instance=instance,
            status=status_code,
        )
    texts: dict[str, Any] = {
        name: bounded(members[name], hidden) for name in _TEXTS if isinstance(members.get(name), str)
    }
    status = members.get("status")
    is_status = isinstance(status, int) and not isinstance(status, bool)
    return ProblemDetail(**{"instance": instance, **texts}, status=status if is_status else None)


def bounded(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text of the broker's for messages and logs: 512 characters at most, without control characters."""
    for secret in filter(None, secrets):
        # As it is, and as it stands in JSON that is not parsed.
        for form in (secret, json.dumps(secret)[1:-1]):
            text = text.replace(form, "[...]")
    return "".join(ch if ch.isprintable() else " " for ch in text[:_MAX_TEXT]).strip()


def _members(body: str | bytes) -> dict[str, Any] | None:
    if len(body) > _MAX_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


__all__ = ["bounded", "read_problem"]
