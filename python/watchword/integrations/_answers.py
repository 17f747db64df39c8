"""The responses that an integration sends by itself: a decision's rejection, and the protected resource metadata."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate

_logger = logging.getLogger("watchword.integrations")

# Metadata is read by clients in browsers, too, from pages of any origin; it is public, and depends on no cookie. Their
# preflight asks because of headers such as MCP-Protocol-Version.
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "*"),
)


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def rejection(decision: Decision) -> Answer:
    """Return the answer of a decision that rejects a request."""
    return Answer(decision.status, tuple(decision.headers), decision.body)


def failed(gate: Gate, error: Exception) -> Decision:
    """Return the gate's rejection for an exception. Raises the exception if there is none."""
    try:
        decision = gate.failed(error)
        if not decision.allowed:
            return decision
    except Exception:
        _logger.exception("the gate has no answer to an exception")
    raise error


def metadata(document: Mapping[str, object], method: str) -> Answer:
    """Return the answer to a request for the protected resource metadata (RFC 9728 section 3)."""
    if method in ("GET", "HEAD"):
        body = json.dumps(document).encode()
        return Answer(200, (("Content-Type", "application/json"), *_CORS), body)
    if method == "OPTIONS":
        return Answer(204, _CORS, b"")
    return Answer(405, (("Allow", "GET, HEAD, OPTIONS"),), b"")


def joined(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return headers as a mapping, for frameworks that have one; the values of a repeated name are joined by a comma.

    A comma separates challenges (RFC 9110 section 11.6.1), and no other header of an answer is repeated.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


__all__ = ["Answer", "failed", "joined", "metadata", "rejection"]
