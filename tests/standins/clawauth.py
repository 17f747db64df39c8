"""A stand-in for ClawAuth's server, as strict as its documents allow: what they do not have is an error.

Every header and every member of each request is checked; what is wrong is answered with 400 and kept in ``problems``.
Paths and names that ClawAuth does not publish are those of ``WireFormat()``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import endpoint
import mint
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from endpoint import Behaviour, Request, Server

ISSUER = "https://api.clawauth.com"
SERVICE = "orders"
API_KEY = "svc_s3cr3t-s3cr3t"

#: In an e-mail to the agent's owner.
EMAIL_CODE = "123456"
EMAIL_SIGNATURE = "9f3c-signature-from-the-e-mail"

_NUMBER = (int, float)


class Refused(Exception):
    """An error that the API answers."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message}


@dataclass
class Agent:
    id: str
    name: str
    email: str
    key: ec.EllipticCurvePublicKey
    roles: list[str] = field(default_factory=list)
    score: float = 5.0
    status: str = "active"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    """A regular expression; its groups are arguments."""
    call: Callable[..., tuple[int, dict[str, Any] | None]]
    is_service: bool = False
    members: dict[str, Any] | None = None
    optional: tuple[str, ...] = ()


class StandIn:
    """The server's state. ``server`` is on loopback; ``overrides`` has other behaviours of paths."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.problems: list[str] = []
        self.overrides: dict[str, Behaviour] = {}
        self.agents: dict[str, Agent] = {}
        self.registrations: dict[str, str] = {}
        self.challenges: dict[str, tuple[str, bytes, float]] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.reports: list[tuple[str, float, str | None]] = []
        self.signature_format = "der"
        self.nonce_encoding = "utf-8"
        self.challenge_seconds = 300.0
        self._lock = threading.Lock()
        self._routes = self._all_routes()
        server.routes = _Router(self)

    @property
    def url(self) -> str:
        return self.server.url

    def _all_routes(self) -> tuple[Route, ...]:
        registering = {"email": str, "name": str, "publicKey": str}
        verifying = {"registrationId": str, "code": str, "signature": str}
        report = {"score": _NUMBER, "reason": str}
        answering = {"challengeId": str, "signature": str}
        agent = "/agents/([^/]+)"
        return (
            Route("POST", "/auth/register", self._register, members=registering),
            Route("POST", "/auth/verify-email", self._verify_email, members=verifying),
            Route("POST", "/auth/challenge", self._challenge, members={"agentId": str}),
            Route("POST", "/auth/authenticate", self._authenticate, members=answering),
            Route("POST", "/auth/refresh", self._refresh, members={"refreshToken": str}),
            Route("POST", "/auth/verify", self._verify, is_service=True, members={"token": str}),
            Route("GET", agent, self._get_agent, is_service=True),
            Route("POST", f"{agent}/roles", self._assign, is_service=True, members={"roleId": str}),
            Route("DELETE", f"{agent}/roles/([^/]+)", self._revoke, is_service=True),
            Route("POST", f"{agent}/trust", self._report, is_service=True, members=report, optional=("reason",)),
        )

    # The exchange.

    def respond(self, connection: socket.socket, request: Request) -> None:
        """Answer a request."""
        with self._lock:
            try:
                status, body = self._handle(request)
            except Refused as refused:
                status, body = refused.status, refused.body
                if status == 400:
                    self.problems.append(f"{request.method} {request.path}: {refused.body}")
        data = "" if body is None else json.dumps(body)
        endpoint.answer(data, status, Content_Type="application/json")(connection, request)

    def _handle(self, request: Request) -> tuple[int, dict[str, Any] | None]:
        for route in self._routes:
            match = re.fullmatch(route.path, request.path)
            if match and route.method == request.method:
                self._check_headers(request, route)
                body = self._body(request, route)
                return route.call(*match.groups(), **body)
        raise Refused(400, "unknown_route", f"{request.method} {request.path}")

    def _check_headers(self, request: Request, route: Route) -> None:
        expected = {
            "host": f"127.0.0.1:{self.server.port}",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": r"watchword/[0-9.a-z+-]+",
            "connection": "keep-alive|close",
        }
        if route.members is not None:
            expected |= {"content-type": "application/json", "content-length": str(len(request.body))}
        if route.is_service:
            expected |= {"authorization": "Bearer .+", "x-service-id": SERVICE}
        if request.headers.keys() != expected.keys():
            raise Refused(400, "headers", f"{sorted(request.headers.keys() ^ expected.keys())}")
        for name, value in expected.items():
            if not re.fullmatch(value, request.headers[name]):
                raise Refused(400, "header", name)
        if route.is_service and request.headers["authorization"] != f"Bearer {API_KEY}":
            raise Refused(401, "invalid_api_key", "The API key is unknown")

    def _body(self, request: Request, route: Route) -> dict[str, Any]:
        if route.members is None:
            if request.body:
                raise Refused(400, "body", "there must be none")
            return {}
        body = json.loads(request.body)
        if not isinstance(body, dict):
            raise Refused(400, "body", "no object")
        required = route.members.keys() - set(route.optional)
        if not required <= body.keys() <= route.members.keys():
            raise Refused(400, "members", f"{sorted(body.keys() ^ route.members.keys())}")
        for name, value in body.items():
            if not isinstance(value, route.members[name]) or isinstance(value, bool):
                raise Refused(400, "member", name)
        return body

    # The agent's side.

    def _register(self, email: str, name: str, publicKey: str) -> tuple[int, dict[str, Any]]:
        if "PUBLIC KEY" not in publicKey or not email or not name:
            raise Refused(400, "invalid_registration", "an e-mail address, a name and a public key are needed")
        key = load_pem_public_key(publicKey.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise Refused(400, "invalid_key", "P-256")
        agent = Agent(f"agent_{secrets.token_hex(4)}", name, email, key)
        self.agents[agent.id] = agent
        registration = f"reg_{secrets.token_hex(4)}"
        self.registrations[registration] = agent.id
        return 201, {
            "agentId": agent.id,
            "publicKeyHash": f"sha256:{hashlib.sha256(publicKey.encode()).hexdigest()}",
            "status": agent.status,
            "registrationId": registration,
            "ownerConsole": "https://console.clawauth.example",
        }

    def _verify_email(self, registrationId: str, code: str, signature: str) -> tuple[int, dict[str, Any]]:
        if (code, signature) != (EMAIL_CODE, EMAIL_SIGNATURE):
            raise Refused(401, "invalid_code", "The code or the signature is wrong")
        agent_id = self.registrations.pop(registrationId, None)
        if agent_id is None:
            raise Refused(404, "unknown_registration", "There is no such registration")
        return 200, {"agentId": agent_id, "status": "verified"}

    def _challenge(self, agentId: str) -> tuple[int, dict[str, Any]]:
        if agentId not in self.agents:
            raise Refused(404, "unknown_agent", "There is no such agent")
        challenge, nonce = f"chal_{secrets.token_hex(6)}", secrets.token_hex(32)
        until = time.time() + self.challenge_seconds
        signed = nonce.encode() if self.nonce_encoding == "utf-8" else bytes.fromhex(nonce)
        self.challenges[challenge] = (agentId, signed, until)
        expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        return 200, {"challengeId": challenge, "nonce": nonce, "expiresAt": expires_at}

    def _authenticate(self, challengeId: str, signature: str) -> tuple[int, dict[str, Any]]:
        # Once only, whether the signature is valid or not.
        agent_id, nonce, until = self.challenges.pop(challengeId, ("", b"", 0.0))
        if time.time() >= until:
            raise Refused(401, "challenge_expired", "The challenge is unknown or has expired")
        if not re.fullmatch("(?:[0-9a-f]{2})+", signature):
            raise Refused(400, "signature", "lower-case hexadecimal digits")
        try:
            self.agents[agent_id].key.verify(self._der(bytes.fromhex(signature)), nonce, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refused(401, "INVALID_SIGNATURE", "The signature is invalid") from None
        return 200, self._tokens(agent_id)

    def _der(self, signature: bytes) -> bytes:
        if self.signature_format == "der":
            return signature
        if len(signature) != 64:
            raise Refused(400, "signature", "64 bytes")
        return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))

    def _refresh(self, refreshToken: str) -> tuple[int, dict[str, Any]]:
        agent_id = self.refresh_tokens.pop(refreshToken, None)
        if agent_id is None:
            raise Refused(401, "invalid_refresh_token", "The refresh token was used before, or is unknown")
        return 200, self._tokens(agent_id)

    def _tokens(self, agent_id: str) -> dict[str, Any]:
        refresh_token = f"rf_{secrets.token_hex(16)}"
        self.refresh_tokens[refresh_token] = agent_id
        return {"accessToken": self.token(agent_id), "refreshToken": refresh_token, "expiresIn": 3600}

    def token(self, agent_id: str, **claims: Any) -> str:
        """Return an access token of an agent, with claims changed or (``mint.OMIT``) omitted."""
        agent = self.agents[agent_id]
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "sub": agent.id,
            "iat": now,
            "exp": now + 3600,
            "name": agent.name,
            "email": agent.email,
            "trustScore": agent.score,
            "roles": agent.roles,
            "permissions": ["orders:read"],
            **claims,
        }
        kept = {name: value for name, value in payload.items() if value is not mint.OMIT}
        return mint.token(kept, {"alg": "ES256", "typ": "JWT"}, key="p256", algorithm="ES256")

    # The service's side.

    def _verify(self, token: str) -> tuple[int, dict[str, Any]]:
        head, _, signature = token.rpartition(".")
        raw = mint.unb64(signature)
        try:
            r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
            key = mint.private_key("p256").public_key()
            key.verify(encode_dss_signature(r, s), head.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return 200, {"valid": False, "error": "Invalid signature"}
        claims = json.loads(mint.unb64(head.partition(".")[2]))
        if claims["exp"] <= time.time():
            return 200, {"valid": False, "error": "Token expired", "agent": self._described(claims["sub"])}
        return 200, {"valid": True, "agent": self._described(claims["sub"]), "checkedAt": int(time.time())}

    def _described(self, agent_id: str) -> dict[str, Any]:
        agent = self.agents[agent_id]
        return {
            "id": agent.id,
            "name": agent.name,
            "email": agent.email,
            "trustScore": agent.score,
            "roles": agent.roles,
            "permissions": ["orders:read"],
            "homeRegion": "eu",
        }

    def _agent(self, agent_id: str) -> Agent:
        if agent_id not in self.agents:
            raise Refused(404, "unknown_agent", "There is no such agent")
        return self.agents[agent_id]

    def _get_agent(self, agent_id: str) -> tuple[int, dict[str, Any]]:
        agent = self._agent(agent_id)
        return 200, {
            "id": agent.id,
            "name": agent.name,
            "trustScore": agent.score,
            "status": agent.status,
            "lastSeenAt": "2026-02-09T14:30:00Z",
            "homeRegion": "eu",
        }

    def _assign(self, agent_id: str, roleId: str) -> tuple[int, dict[str, Any]]:
        if roleId == "owner":
            raise Refused(403, "forbidden", "This service cannot assign that role")
        self._agent(agent_id).roles.append(roleId)
        return 201, {"assigned": True}

    def _revoke(self, agent_id: str, role_id: str) -> tuple[int, None]:
        if role_id not in self._agent(agent_id).roles:
            raise Refused(404, "unknown_role", "The agent does not have this role")
        self.agents[agent_id].roles.remove(role_id)
        return 204, None

    def _report(self, agent_id: str, score: float, reason: str | None = None) -> tuple[int, dict[str, Any]]:
        self._agent(agent_id)
        self.reports.append((agent_id, score, reason))
        return 202, {}


class _Router(dict[str, Behaviour]):
    """Every path has a behaviour: that of the stand-in, unless it is overridden."""

    def __init__(self, standin: StandIn) -> None:
        super().__init__()
        self._standin = standin

    def get(self, path: str, default: object = None) -> Behaviour:  # type: ignore[override]  # there is always one
        del default
        return self._standin.overrides.get(path, self._standin.respond)

    def values(self) -> Any:
        # The server releases those that hang when it stops.
        return self._standin.overrides.values()


@contextlib.contextmanager
def running() -> Iterator[StandIn]:
    """Start a stand-in, and see that nothing was wrong with any request."""
    with endpoint.running() as server:
        standin = StandIn(server)
        yield standin
        assert standin.problems == []


__all__ = ["API_KEY", "EMAIL_CODE", "EMAIL_SIGNATURE", "ISSUER", "SERVICE", "StandIn", "running"]
