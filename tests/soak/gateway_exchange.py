"""One request through the gateway, and what must be true of every answer."""

from __future__ import annotations

import http.client
import json
import os
import time
from dataclasses import dataclass
from typing import Any

import wire
from gate_answers import check_rejection, plain_name
from gate_cases import Expected
from gate_routes import ORIGIN
from soak_tally import Answer
from upstream import Seen

from watchword.gate import IdentityHeaders

HOST = ORIGIN.removeprefix("https://")

#: Of a request, in seconds, on however slow a machine.
TIMEOUT = 60.0

#: What clients forge. nginx removes no header by its prefix, but each of those that the gate sets.
FORGED = dict.fromkeys(("X-Auth-Sub", "X-Auth-Scope", "X_Auth_Sub", "X.Auth.Sub", "x-auth-jkt"), "forged")

_ERRORS: dict[str, str | None] = {
    "missing_token": None,
    "no_route": None,
    "keys_unavailable": None,
    "dpop_replay_unavailable": None,
    "insufficient_scope": "insufficient_scope",
    "dpop_replayed": "invalid_dpop_proof",
}
_UNCHALLENGED = ("no_route", "keys_unavailable", "dpop_replay_unavailable")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    answer: Answer
    #: The answer as it came.
    raw: wire.Answer
    scheme: str
    mark: str
    trace_id: str

    @property
    def seen(self) -> Seen:
        """What the application saw, which answers with that."""
        return Seen(self.raw.body, b"")

    def check(self) -> None:
        """Assert what is true of every answer: that it is this request's, and that a rejection has its challenge."""
        if self.answer.code == "allowed":
            assert self.seen.all("x-case") == [self.mark]
            return
        code = self.answer.code
        error = _ERRORS.get(code, "invalid_token")
        challenge = None if code in _UNCHALLENGED else (self.scheme, error)
        check_rejection(self.raw, Expected(self.answer.status, code, challenge))
        assert self.raw.json["trace_id"] == self.trace_id
        assert bool(self.raw.all("retry-after")) == (self.answer.status == 503)

    def check_identity(self, claims: dict[str, Any], key_thumbprint: str | None, secret: str) -> None:
        """Assert that the application saw the identity of these claims, and nothing else."""
        headers = self.seen.headers
        found = [(plain_name(name), value) for name, value in headers if plain_name(name).startswith("x-auth-")]
        told = dict(found)
        assert len(told) == len(found), f"a header is repeated: {found}"
        assert told.pop("x-auth-secret", None) == secret
        assert told.pop("x-auth-trace-id", None) == self.trace_id
        assert told.pop("x-auth-route", None) == self.answer.route
        names = ("sub", "iss", "client_id", "scope", "jti", "exp")
        expected = {f"x-auth-{name.replace('_', '-')}": str(claims[name]) for name in names if name in claims}
        if key_thumbprint is not None:
            expected["x-auth-jkt"] = key_thumbprint
        assert told == expected
        # The application's own check.
        read = IdentityHeaders(secret, empty_headers="dropped").read(headers)
        assert (read.subject, read.proof_key) == (claims.get("sub"), key_thumbprint)


class Connection:
    """A connection to the gateway, which is opened again if it was closed."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._pending = ("", "", "", 0.0)

    def exchange(self, method: str, target: str, headers: dict[str, str]) -> Exchange:
        self.begin(method, target, headers)
        return self.finish()

    def begin(self, method: str, target: str, headers: dict[str, str]) -> None:
        """Send a request."""
        mark, trace_id = os.urandom(8).hex(), os.urandom(16).hex()
        scheme = "DPoP" if "DPoP" in headers else "Bearer"
        more = {"Host": HOST, "X-Case": mark, "traceparent": f"00-{trace_id}-{os.urandom(8).hex()}-01"}
        self._pending = (scheme, mark, trace_id, time.monotonic())
        self._connection.request(method, target, headers={**more, **headers})

    def finish(self) -> Exchange:
        """Wait for the answer."""
        response = self._connection.getresponse()
        raw = wire.Answer(response.status, tuple(response.getheaders()), response.read())
        answered = time.monotonic()
        scheme, mark, trace_id, sent = self._pending
        if raw.status == 200:
            routes = Seen(raw.body, b"").all("x-auth-route")
            answer = Answer(raw.status, "allowed", routes[0] if routes else None, sent, answered)
        else:
            answer = Answer(raw.status, _code(raw), None, sent, answered)
        return Exchange(answer, raw, scheme, mark, trace_id)

    def close(self) -> None:
        self._connection.close()


def _code(raw: wire.Answer) -> str:
    try:
        return str(json.loads(raw.body)["code"])
    except (ValueError, KeyError, TypeError):
        return "none"
