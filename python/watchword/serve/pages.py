"""What the status port answers: metrics, readiness, liveness, and the status page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchword.serve.status_page import status_page

if TYPE_CHECKING:
    from watchword.serve.state import ServerState

#: Status, content type and body.
Answer = tuple[int, str, bytes]

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Pages:
    """The pages of a server, by their paths.

    ``state`` returns what it shows, ``metrics`` the text for Prometheus, ``stuck`` what of it does not run any more.
    """

    def __init__(
        self, state: Callable[[], ServerState], metrics: Callable[[], bytes], stuck: Callable[[], list[str]]
    ) -> None:
        self._state = state
        self._metrics = metrics
        self._stuck = stuck

    def __call__(self, path: str) -> Answer:
        """Return the page at ``path``, of which a query is ignored."""
        path = path.partition("?")[0]
        if path == "/":
            return 200, "text/html; charset=utf-8", status_page(self._state()).encode()
        if path == "/metrics":
            return 200, _METRICS, self._metrics()
        if path == "/readyz":
            return self._readiness()
        if path == "/livez":
            stuck = self._stuck()
            return (503, _TEXT, f"stuck: {', '.join(stuck)}\n".encode()) if stuck else (200, _TEXT, b"alive\n")
        return 404, _TEXT, b"not found: /, /metrics, /readyz and /livez are here\n"

    def _readiness(self) -> Answer:
        state = self._state()
        body = {
            "ready": state.ready,
            "stopping": state.stopping,
            "issuers": {
                issuer.name: "missing"
                if issuer.name in state.missing
                else "expired"
                if issuer.keys is None
                else "loaded"
                for issuer in state.issuers
            },
        }
        return 200 if state.ready else 503, _JSON, json.dumps(body).encode() + b"\n"


__all__ = ["Answer", "Pages"]
