"""A strict stand-in for AgentWrit's broker, on loopback: headers and fields that its API does not document are errors.

It is written from the API's description. Its tokens and chains are signed as a broker's are, so that they verify
offline with :data:`PEM`. ``violations`` lists what no broker would have been sent; a test must find it empty.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import endpoint
import mint
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from endpoint import Request, Server, answer

import watchword as ww

KEY = "ed25519"
PEM = mint.private_key(KEY).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CLIENT_ID, CLIENT_SECRET = "app-1", "app-s3cret-app-s3cret"
CEILING = ("read:data:*", "write:data:*")
APP_SCOPES = ["app:launch-tokens:*", "app:agents:*", "app:audit:read"]

_HEADERS = {"host", "accept", "accept-encoding", "connection", "user-agent"}
_BODY_HEADERS = {"content-type", "content-length"}
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass
class Call:
    """A request as the routes see it: its JSON members, and the claims of its bearer token."""

    body: dict[str, Any]
    claims: dict[str, Any] = field(default_factory=dict)
    token: str = ""


class Violation(Exception):
    """What the API does not document."""


class Problem(Exception):
    """A rejection that the API documents."""

    def __init__(self, status: int, kind: str, detail: str, **headers: object) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers


class BrokerStandin:
    """A broker's state, and its routes on a :class:`endpoint.Server`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.violations: list[str] = []
        self.revoked: set[str] = set()
        self.launch_tokens: dict[str, dict[str, Any]] = {}
        self.nonces: set[str] = set()
        self.agents: set[str] = set()
        self.app_lifetime = 1800
        self.auth_limit: int | None = None
        """How many more times an application may authenticate."""
        self.headers: list[dict[str, str]] = []
        routes: dict[str, tuple[str, str, Callable[[Call], tuple[int, object]]]] = {
            "/v1/app/auth": ("POST", "client_id client_secret", self._auth),
            "/v1/app/launch-tokens": ("POST", "agent_name allowed_scope max_ttl single_use", self._launch),
            "/v1/challenge": ("GET", "", self._challenge),
            "/v1/register": (
                "POST",
                "launch_token nonce public_key signature orch_id task_id requested_scope",
                self._register,
            ),
            "/v1/token/renew": ("POST", "", self._renew),
            "/v1/token/release": ("POST", "", self._release),
            "/v1/delegate": ("POST", "delegate_to scope ttl?", self._delegate),
            "/v1/token/validate": ("POST", "token", self._validate),
            "/v1/health": ("GET", "", self._health),
        }
        for path, (method, members, route) in routes.items():
            server.routes[path] = self._serve(method, members.split(), route)

    def revoke(self, token: str) -> None:
        """As the operator does."""
        self.revoked.add(unverified(token)["jti"])

    def _serve(
        self, method: str, members: list[str], route: Callable[[Call], tuple[int, object]]
    ) -> endpoint.Behaviour:
        def behave(connection: socket.socket, request: Request) -> None:
            self.headers.append(request.headers)
            try:
                status, document = route(self._read(method, members, request))
            except Violation as error:
                self.violations.append(f"{request.method} {request.path}: {error}")
                answer("violation", 400, Content_Type="text/plain")(connection, request)
            except Problem as problem:
                document = {
                    "type": f"urn:agentwrit:error:{problem.kind}",
                    "title": problem.kind.replace("_", " "),
                    "status": problem.status,
                    "detail": problem.detail,
                    "instance": request.path,
                    "error_code": problem.kind,
                    "request_id": "rid-1",
                }
                answer(
                    json.dumps(document), problem.status, Content_Type="application/problem+json", **problem.headers
                )(connection, request)
            else:
                if document is None:
                    endpoint.raw(endpoint.head(status, Connection="close"))(connection, request)
                else:
                    answer(json.dumps(document), status, Content_Type="application/json")(connection, request)

        return behave

    def _read(self, method: str, members: list[str], request: Request) -> Call:
        if request.method != method:
            raise Violation("method")
        bearer = request.path in ("/v1/app/launch-tokens", "/v1/token/renew", "/v1/token/release", "/v1/delegate")
        allowed = _HEADERS | (_BODY_HEADERS if members else {"content-length"} if method == "POST" else set())
        allowed |= {"authorization"} if bearer else set()
        if set(request.headers) - allowed:
            raise Violation(f"headers {sorted(set(request.headers) - allowed)}")
        if not members:
            if request.body or request.headers.get("content-length", "0") != "0":
                raise Violation("a body")
            call = Call({})
        else:
            if request.headers.get("content-type") != "application/json":
                raise Violation("content-type")
            body = json.loads(request.body)
            required = {name for name in members if not name.endswith("?")}
            if not required <= set(body) <= {name.rstrip("?") for name in members}:
                raise Violation(f"members {sorted(body)}")
            call = Call(body)
        if bearer:
            scheme, _, call.token = request.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer":
                raise Violation("authorization")
            call.claims = self._verified(call.token)
        return call

    def _verified(self, token: str) -> dict[str, Any]:
        keys = ww.KeySet.from_pem(PEM, key_id=ww.thumbprint(pem=PEM))
        try:
            found = ww.verify(token, keys, ww.Policy(algorithms=("EdDSA",), leeway=0))
        except ww.VerificationError:
            found = None
        if found is None or found.claims["jti"] in self.revoked:
            raise Problem(401, "unauthorized", "token verification failed")
        return dict(found.claims)

    def _token(self, ttl: int, **claims: object) -> str:
        now = int(time.time())
        times = {"exp": now + ttl, "nbf": now, "iat": now, "jti": secrets.token_hex(16)}
        header = {"alg": "EdDSA", "typ": "JWT", "kid": ww.thumbprint(pem=PEM)}
        return mint.token({"iss": "", **claims, **times}, header, key=KEY)

    # The routes.

    def _auth(self, call: Call) -> tuple[int, object]:
        if self.auth_limit is not None:
            self.auth_limit -= 1
            if self.auth_limit < 0:
                raise Problem(429, "rate_limited", "rate limit exceeded", Retry_After=60)
        if call.body != {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}:
            raise Problem(401, "unauthorized", "invalid client credentials")
        token = self._token(self.app_lifetime, sub=f"app:{CLIENT_ID}", scope=APP_SCOPES)
        return 200, {
            "access_token": token,
            "expires_in": self.app_lifetime,
            "token_type": "Bearer",
            "scopes": APP_SCOPES,
        }

    def _launch(self, call: Call) -> tuple[int, object]:
        if not call.claims["sub"].startswith("app:"):
            raise Problem(403, "insufficient_scope", "token lacks required scope: app:launch-tokens:*")
        body = call.body
        if not (isinstance(body["agent_name"], str) and type(body["max_ttl"]) is int and body["single_use"] is True):
            raise Violation("types")
        if not covered(body["allowed_scope"], CEILING):
            detail = f"requested scopes exceed app ceiling; allowed: {list(CEILING)}"
            raise Problem(403, "forbidden", detail)
        token = secrets.token_hex(32)
        self.launch_tokens[token] = body
        policy = {"allowed_scope": body["allowed_scope"], "max_ttl": body["max_ttl"]}
        return 201, {"launch_token": token, "expires_at": "2026-01-01T00:00:30Z", "policy": policy}

    def _challenge(self, call: Call) -> tuple[int, object]:
        nonce = secrets.token_hex(32)
        self.nonces.add(nonce)
        return 200, {"nonce": nonce, "expires_in": 30}

    def _register(self, call: Call) -> tuple[int, object]:
        body = call.body
        launch = self.launch_tokens.get(body["launch_token"])
        if launch is None:
            raise Problem(401, "unauthorized", "launch token not found")
        if not covered(body["requested_scope"], launch["allowed_scope"]):
            raise Problem(403, "scope_violation", "requested scope exceeds the launch token's")
        if body["nonce"] not in self.nonces:
            raise Problem(401, "unauthorized", "nonce not found or used")
        self.nonces.remove(body["nonce"])
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(body["public_key"], validate=True))
            key.verify(base64.b64decode(body["signature"], validate=True), bytes.fromhex(body["nonce"]))
        except (ValueError, InvalidSignature):
            raise Problem(401, "unauthorized", "signature verification failed") from None
        del self.launch_tokens[body["launch_token"]]
        if not all(_SEGMENT.fullmatch(body[name]) for name in ("orch_id", "task_id")):
            raise Problem(500, "internal_error", "registration failed")
        agent_id = f"spiffe://agentwrit.local/agent/{body['orch_id']}/{body['task_id']}/{secrets.token_hex(8)}"
        self.agents.add(agent_id)
        token = self._token(
            launch["max_ttl"],
            sub=agent_id,
            scope=body["requested_scope"],
            task_id=body["task_id"],
            orch_id=body["orch_id"],
        )
        return 200, {"agent_id": agent_id, "access_token": token, "expires_in": launch["max_ttl"]}

    def _renew(self, call: Call) -> tuple[int, object]:
        claims = call.claims
        self.revoked.add(claims["jti"])
        ttl = claims["exp"] - claims["iat"]
        kept = {name: value for name, value in claims.items() if name not in ("exp", "nbf", "iat", "jti")}
        return 200, {"access_token": self._token(ttl, **kept), "expires_in": ttl}

    def _release(self, call: Call) -> tuple[int, object]:
        self.revoked.add(call.claims["jti"])
        return 204, None

    def _delegate(self, call: Call) -> tuple[int, object]:
        claims, body = call.claims, call.body
        if not body["scope"] or not body["delegate_to"]:
            raise Problem(500, "internal_error", "delegation failed")
        chain = claims.get("delegation_chain", [])
        if not covered(body["scope"], claims["scope"]) or len(chain) >= 5:
            raise Problem(403, "scope_violation", "scope exceeds the delegator's, or the chain is too long")
        if body["delegate_to"] not in self.agents:
            raise Problem(404, "not_found", "delegate agent not found")
        chain = [*chain, signed_record(claims["sub"], claims["scope"])]
        ttl = body.get("ttl") or 60
        token = self._token(
            ttl,
            sub=body["delegate_to"],
            scope=body["scope"],
            task_id=claims["task_id"],
            orch_id=claims["orch_id"],
            delegation_chain=chain,
            chain_hash=chain_hash(chain),
        )
        return 200, {"access_token": token, "expires_in": ttl, "delegation_chain": chain}

    def _validate(self, call: Call) -> tuple[int, object]:
        if not call.body["token"]:
            raise Problem(400, "invalid_request", "token is required")
        try:
            return 200, {"valid": True, "claims": self._verified(call.body["token"])}
        except Problem:
            return 200, {"valid": False, "error": "token is invalid or expired"}

    def _health(self, call: Call) -> tuple[int, object]:
        return 200, {"status": "ok", "version": "2.0.0", "uptime": 5, "db_connected": True, "audit_events_count": 3}


def signed_record(agent: str, scope: list[str]) -> dict[str, Any]:
    at = "2026-01-01T00:00:00.123456789Z"
    signature = mint.sign("EdDSA", KEY, f"{agent}|{','.join(scope)}|{at}".encode()).hex()
    return {"agent": agent, "scope": scope, "delegated_at": at, "signature": signature}


def chain_hash(chain: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(chain, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def covered(scope: list[str], held: list[str] | tuple[str, ...]) -> bool:
    """As the broker compares: equal, or the same but for the identifier where ``*`` is held."""
    return all(one in held or f"{one.rpartition(':')[0]}:*" in held for one in scope)


def unverified(token: str) -> dict[str, Any]:
    return dict(json.loads(mint.unb64(token.split(".")[1])))


@contextlib.contextmanager
def running() -> Iterator[BrokerStandin]:
    """A broker, which must not have been sent anything that its API does not document."""
    with endpoint.running() as server:
        broker = BrokerStandin(server)
        yield broker
        unknown = {request.path for request in server.requests} - set(server.routes)
        assert (broker.violations, unknown) == ([], set())
