"""A stand-in for Paphwey's gateway, as far as it is documented, with the assumed names of what is not.

It is strict: a header, a member or a path that it does not know is answered with 400 and recorded in ``violations``,
which its users must find empty. Attestations are really signed. It listens on a free port of loopback.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watchword import Issuer
from watchword.dpop import DpopProver
from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.providers.paphwey.verify import OfflineVerifier
from watchword.testing import LocalIssuer

API_KEY = "sk_test_8f3a2b4c.deadbeefcafef00d1234567890abcdef"
REVOKE_ONLY_KEY = "sk_test_0a0a0a0a.0123456789abcdef0123456789abcdef"
#: Each key with its scopes.
KEYS = {API_KEY: {"agent:delegate"}, REVOKE_ONLY_KEY: {"agent:revoke"}}
POLICIES = {"AGE_VERIFICATION_REQUIRED", "HIGH_VALUE_PURCHASE_REQUIRED", "LOGIN_ASSURANCE"}
MAX_TTL = 3600

CREATE = "/api/v1/agent/delegations"
VERIFY = "/api/v1/agent/outcomes/verify"
_PRESENT = re.compile(r"/api/v1/agent/delegations/([0-9a-f-]{36})/present")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

#: The members of each request, with their types; those in _OPTIONAL may be absent.
_MEMBERS: dict[str, dict[str, type]] = {
    "create": {
        "principal_email": str,
        "provider": str,
        "agent_id": str,
        "allowed_scopes": list,
        "allowed_challenge_types": list,
        "max_amount_minor": int,
        "currency": str,
        "valid_until": str,
        "metadata": dict,
    },
    "present": {"challenge_type": str, "audience": str, "payload": dict, "callback_url": str, "ttl_seconds": int},
    "verify": {"attestation_token": str, "audience": str, "expected_delegation_id": str, "expected_action": dict},
}
_OPTIONAL = {"max_amount_minor", "currency", "metadata", "callback_url", "ttl_seconds", "expected_action"}
_HEADERS = {"host", "connection", "accept", "accept-encoding", "content-type", "content-length", "user-agent"}


class _Refused(Exception):
    def __init__(self, status: int, code: str, **members: Any) -> None:
        super().__init__(code)
        self.status, self.body = status, {"code": code, "trace_id": f"tr-{uuid.uuid4().hex}", **members}


class PaphweyGateway:
    """The gateway: ``requests`` lists method, path, headers and body of what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.issuer = LocalIssuer(url, audience="merchant.example", algorithms=("RS256",))
        self.jwks = json.dumps(self.issuer.jwks()).encode()
        self.agent = DpopProver("ES256")
        self.violations: list[str] = []
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.failures: deque[tuple[int, dict[str, str]]] = deque()
        """The statuses and headers with which the next requests are answered, without being acted on."""
        self.lost: deque[bool] = deque()
        """Whether the answers of the next requests are lost: acted on, and the connection is then closed."""
        self._verifier = OfflineVerifier(Issuer(url, jwks=self.issuer.jwks()))
        self._delegations: dict[str, dict[str, Any]] = {}
        self._challenges: dict[str, dict[str, Any]] = {}
        self._consumed: set[str] = set()
        self._cached: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {}
        self._lock = threading.RLock()

    @property
    def delegations(self) -> dict[str, dict[str, Any]]:
        """The delegations by their ids."""
        return self._delegations

    def sent(self, index: int = -1) -> tuple[dict[str, str], Any]:
        """Return the headers and the body of a request."""
        return self.requests[index][2:]

    def revoke(self, delegation_id: str) -> None:
        self._delegations[delegation_id]["status"] = "revoked"

    def approve(self, approval_url: str, **claims: Any) -> str:
        """Approve a challenge on the principal's device, and return the attestation that the agent brings."""
        challenge_id = approval_url.rpartition("/")[2]
        challenge = self._challenges[challenge_id]
        delegation = self._delegations[challenge["delegation_id"]]
        agent = {"provider": delegation["provider"], "agent_id": delegation["agent_id"]}
        return self.issuer.mint(
            {
                "sub": "principal-7",
                "aud": challenge["audience"],
                "challenge_id": challenge_id,
                "delegation_id": challenge["delegation_id"],
                "receipt_id": f"rcpt-{challenge_id}",
                "actor_chain": {"principal_id": "principal-7", "agent": agent},
                "action_context": challenge["payload"]["action_context"],
                "cnf": {"jwk": self.agent.jwk},
                "client_id": None,
                "scope": None,
                **claims,
            },
            header={"typ": "JWT"},
        )

    def answer(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], Any]:
        """Return the status, headers and body of the answer to a request."""
        with self._lock:
            try:
                body = json.loads(raw) if raw else None
                self.requests.append((method, path, headers, body))
                if self.failures:
                    status, more = self.failures.popleft()
                    return status, more, {"code": "try_again", "trace_id": "tr-1"}
                return (*self._answer(method, path, headers, body),)
            except _Refused as refused:
                return refused.status, {}, refused.body

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        if method == "GET" and path.startswith("/approve/") and path.rpartition("/")[2] in self._challenges:
            return 200, {}, {"attestation_token": self.approve(path)}
        present = _PRESENT.fullmatch(path)
        kind = {CREATE: "create", VERIFY: "verify"}.get(path) or ("present" if present else "")
        if not kind or method != "POST":
            raise self._violation(f"{method} {path} is not documented")
        self._check_headers(kind, headers)
        self._check_members(kind, body)
        if kind == "verify":
            return 200, {}, self._verify(body)
        slot = (headers["x-api-key"], path, headers["idempotency-key"])
        if slot not in self._cached:
            made = self._create(body) if present is None else self._present(present[1], body)
            self._cached[slot] = (201, made)
        status, made = self._cached[slot]
        return status, {}, made

    def _check_headers(self, kind: str, headers: dict[str, str]) -> None:
        key = headers.get("x-api-key", "")
        if key not in KEYS:
            raise _Refused(401, "permission_denied")
        if "agent:delegate" not in KEYS[key]:
            raise _Refused(403, "permission_denied")
        known = _HEADERS | {"x-api-key"} | (set() if kind == "verify" else {"idempotency-key"})
        if set(headers) - known:
            raise self._violation(f"unknown headers: {sorted(set(headers) - known)}")
        expected = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        for name, value in expected.items():
            if headers.get(name) != value:
                raise self._violation(f"{name} is {headers.get(name)!r}")
        if not headers.get("user-agent", "").startswith("watchword/"):
            raise self._violation("the User-Agent is not the client's")
        if kind != "verify" and not headers.get("idempotency-key"):
            raise self._violation("there is no Idempotency-Key")

    def _check_members(self, kind: str, body: Any) -> None:
        types = _MEMBERS[kind]
        if not isinstance(body, dict):
            raise self._violation("the body is not an object")
        if unknown := sorted(set(body) - set(types)):
            raise self._violation(f"unknown members: {unknown}")
        if missing := sorted(set(types) - set(body) - _OPTIONAL):
            raise self._violation(f"missing members: {missing}")
        for name, value in body.items():
            if not isinstance(value, types[name]) or isinstance(value, bool):
                raise self._violation(f"{name} has the wrong type")

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        if not _UTC.fullmatch(body["valid_until"]):
            raise self._violation("valid_until is not in UTC, to the second")
        if "@" not in body["principal_email"]:
            raise _Refused(400, "malformed_request")
        if not set(body["allowed_challenge_types"]) <= POLICIES:
            raise _Refused(422, "POLICY_NOT_ALLOWED")
        if datetime.fromisoformat(body["valid_until"]) <= datetime.now(UTC):
            raise _Refused(422, "TTL_EXCEEDED")
        delegation_id = str(uuid.uuid4())
        self._delegations[delegation_id] = {**body, "status": "active"}
        return {"delegation_id": delegation_id, "status": "active", "valid_until": body["valid_until"]}

    def _present(self, delegation_id: str, body: dict[str, Any]) -> dict[str, Any]:
        delegation = self._delegations.get(delegation_id)
        if delegation is None:
            raise _Refused(404, "DELEGATION_NOT_FOUND")
        if delegation["status"] != "active":
            raise _Refused(409, "DELEGATION_REVOKED")
        action = body["payload"].get("action_context")
        if set(body["payload"]) - {"action_context", "minimum_assurance"} or not isinstance(action, dict):
            raise self._violation("the payload is not an action_context and a minimum_assurance")
        if set(action) - {"scope", "amount_minor", "currency", "merchant"}:
            raise self._violation("the action_context has unknown members")
        if body["challenge_type"] not in delegation["allowed_challenge_types"]:
            raise _Refused(422, "POLICY_NOT_ALLOWED")
        if action["scope"] not in delegation["allowed_scopes"]:
            raise _Refused(422, "SCOPE_NOT_ALLOWED")
        if action.get("amount_minor", 0) > delegation.get("max_amount_minor", 0):
            raise _Refused(422, "SPEND_CAP_EXCEEDED")
        if body.get("ttl_seconds", 900) > MAX_TTL:
            raise _Refused(422, "TTL_EXCEEDED")
        challenge_id = f"chl_{uuid.uuid4().hex}"
        self._challenges[challenge_id] = {**body, "delegation_id": delegation_id}
        url = f"{self.url}/approve/{challenge_id}"
        return {"challenge_id": challenge_id, "approval_url": url, "status": "pending"}

    def _verify(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            outcome = self._verifier.verify(**body)
        except PaphweyVerificationError as error:
            return {"valid": False, "code": error.code, "trace_id": "tr-2"}
        if outcome.receipt_id in self._consumed:
            raise _Refused(409, "ALREADY_CONSUMED")
        self._consumed.add(str(outcome.receipt_id))
        delegation = {"delegation_id": body["expected_delegation_id"], "agent_did": "did:example:shopping-agent"}
        return {
            "valid": True,
            "claims": outcome.claims,
            "delegation": delegation,
            "actor_chain": outcome.actor_chain,
            "receipt_id": outcome.receipt_id,
            "cnf_jwk": outcome.cnf_jwk,
            "verified_at": int(time.time()),
        }

    def _violation(self, what: str) -> _Refused:
        self.violations.append(what)
        return _Refused(400, "malformed_request")


@contextlib.contextmanager
def serving() -> Iterator[PaphweyGateway]:
    """Serve a gateway, and fail at the end if it was asked for anything that is not documented."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/.well-known/jwks.json":
                return self._send(200, {}, gateway.jwks)
            sent = [name.lower() for name in self.headers]
            if len(sent) != len(set(sent)):
                gateway.violations.append("a header is repeated")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = gateway.answer(self.command, self.path, headers, raw)
            if gateway.lost and gateway.lost.popleft():
                self.close_connection = True
                return None
            return self._send(status, more, json.dumps(body).encode())

        def _send(self, status: int, more: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **more}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _any

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        gateway = PaphweyGateway(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
    assert gateway.violations == []
