"""Parse ``application/problem+json`` (RFC 9457), leniently: any other body becomes the detail of a problem."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from watchword.client import server_text
from watchword.providers.agentwrit.models import ProblemDetail

#: Longer bodies are not parsed.
_MAX_BYTES = 64 * 1024

_TEXTS = tuple(field.name for field in dataclasses.fields(ProblemDetail) if field.name != "status")


def read_problem(
    body: str | bytes, *, status_code: int, instance: str = "", secrets: Iterable[str] = ()
) -> ProblemDetail:
    """Return the problem in the body of a response with this HTTP status; ``instance`` is used if the body has none.

    A member of the wrong type is ignored (section 3.1). A body that is not a problem document becomes the detail of
    one. Texts are on one line and have 512 characters at most; one that repeats any of ``secrets``, those of the
    request, is ignored. Never raises for the content of the body.
    """
    hidden = tuple(secrets)
    members = _members(body)
    if members is None:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        return ProblemDetail(
            title=f"HTTP {status_code}",
            detail=server_text(text, hidden) or "the response has no text to show",
            instance=instance,
            status=status_code,
        )
    found = {name: server_text(members.get(name), hidden) for name in _TEXTS}
    texts: dict[str, Any] = {name: text for name, text in found.items() if text is not None}
    status = members.get("status")
    is_status = isinstance(status, int) and not isinstance(status, bool)
    return ProblemDetail(**{"instance": instance, **texts}, status=status if is_status else None)


def _members(body: str | bytes) -> dict[str, Any] | None:
    if len(body) > _MAX_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


__all__ = ["read_problem"]
