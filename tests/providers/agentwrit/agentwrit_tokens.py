"""A broker that signs tokens and chains of delegation: written from the format's description alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import mint
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import watchword as ww
from watchword.providers.agentwrit import Broker

URL = "https://broker.example"
PEM = mint.private_key("ed25519").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
KEY_ID = ww.thumbprint(pem=PEM)

ROOT, MIDDLE, LEAF = (
    f"spiffe://agentwrit.local/agent/my-service/task-1/{instance}"
    for instance in ("00000000000000aa", "00000000000000bb", "00000000000000cc")
)
#: An agent of another task, to whom authority may be handed as well.
ELSEWHERE = "spiffe://agentwrit.local/agent/other-service/task-9/00000000000000dd"


def broker(**options: Any) -> Broker:
    return Broker(URL, **{"public_key": PEM, "clock": lambda: mint.NOW, **options})


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an agent's token as of ``mint.NOW``, changed or (``mint.OMIT``) omitted."""
    good = {
        "iss": "",
        "sub": ROOT,
        "exp": mint.NOW + 300,
        "nbf": mint.NOW,
        "iat": mint.NOW,
        "jti": "0123456789abcdef0123456789abcdef",
        "scope": ["read:data:*", "write:data:customer-1"],
        "task_id": "task-1",
        "orch_id": "my-service",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not mint.OMIT}


def token(payload: dict[str, Any] | None = None, *, key: str = "ed25519", **header: Any) -> str:
    head = {"alg": "EdDSA", "typ": "JWT", "kid": KEY_ID, **header}
    kept = {name: value for name, value in head.items() if value is not mint.OMIT}
    return mint.token(claims() if payload is None else payload, kept, key=key)


def record(agent: str, scope: list[str], at: str = "2030-03-17T17:46:40.123456789Z", **changes: Any) -> dict[str, Any]:
    signed = f"{agent}|{','.join(scope)}|{at}".encode()
    signature = mint.sign("EdDSA", "ed25519", signed).hex()
    return {"agent": agent, "scope": scope, "delegated_at": at, "signature": signature, **changes}


def hashed(records: list[dict[str, Any]]) -> str:
    """As Go's ``encoding/json`` writes them: compact, and safe inside HTML."""
    written = json.dumps(records, separators=(",", ":"), ensure_ascii=False)
    for ch in "<>&\u2028\u2029":
        written = written.replace(ch, f"\\u{ord(ch):04x}")
    return hashlib.sha256(written.encode()).hexdigest()


def delegated(*records: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The claims of a token that was delegated along these records, the oldest first."""
    listed = list(records)
    held = {"sub": LEAF, "scope": ["read:data:customer-1"], "delegation_chain": listed, "chain_hash": hashed(listed)}
    return claims(**{**held, **changes})


TWO_HOPS = (record(ROOT, ["read:data:*", "write:data:a"]), record(MIDDLE, ["read:data:*"]))

APP = {"sub": "app:app-1", "scope": ["app:launch-tokens:*", "app:agents:*", "app:audit:read"]}
ADMIN = {"sub": "admin", "scope": ["admin:launch-tokens:*", "admin:revoke:*", "admin:audit:*"]}
NO_TASK = {"task_id": mint.OMIT, "orch_id": mint.OMIT}
