"""Reading ``application/problem+json`` (RFC 9457), whatever it is that came."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from watchword.providers.agentwrit.models import ProblemDetail

#: No problem that a person is meant to read is longer.
_LONGEST = 64 * 1024

_TEXTS = tuple(field.name for field in dataclasses.fields(ProblemDetail) if field.name != "status")


def read_problem(body: str | bytes, *, status_code: int, instance: str = "") -> ProblemDetail:
    """The problem in the body of an answer with this HTTP status; ``instance`` stands for a missing one.

    A member of the wrong type is taken for missing (section 3.1), and a body that is no problem at all for the detail
    of one. Never raises for what the body holds.
    """
    members = _members(body)
    if members is None:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        return ProblemDetail(
            title=f"HTTP {status_code}",
            detail=text[:1024] or "the answer says nothing",
            instance=instance,
            status=status_code,
        )
    told: dict[str, Any] = {name: members[name] for name in _TEXTS if isinstance(members.get(name), str)}
    status = members.get("status")
    is_status = isinstance(status, int) and not isinstance(status, bool)
    return ProblemDetail(**{"instance": instance, **told}, status=status if is_status else None)


def _members(body: str | bytes) -> dict[str, Any] | None:
    if len(body) > _LONGEST:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


__all__ = ["read_problem"]
