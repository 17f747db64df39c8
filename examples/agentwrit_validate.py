"""Validate a broker's tokens offline. Run it: ``python examples/agentwrit_validate.py``."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import watchword as ww
from watchword.providers.agentwrit import Broker, scope_is_subset, trust_broker, validate

# A stand-in for the broker: it signs tokens and delegation records.
signing_key = Ed25519PrivateKey.generate()
pem = signing_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def token(**claims: object) -> str:
    now = int(time.time())
    body = {
        "exp": now + 300,
        "nbf": now,
        "iat": now,
        "jti": "9f86d081",
        "orch_id": "support",
        "task_id": "42",
        **claims,
    }
    signed = f"{encoded({'alg': 'EdDSA', 'typ': 'JWT', 'kid': ww.thumbprint(pem=pem)})}.{encoded(body)}"
    return f"{signed}.{base64.urlsafe_b64encode(signing_key.sign(signed.encode())).rstrip(b'=').decode()}"


def delegation_record(agent: str, scope: list[str]) -> dict[str, Any]:
    at = "2026-11-21T07:00:00Z"
    signature = signing_key.sign(f"{agent}|{','.join(scope)}|{at}".encode()).hex()
    return {"agent": agent, "scope": scope, "delegated_at": at, "signature": signature}


# Your program, once at start: the broker's URL, and its public key as obtained from its operator.
trust_broker(Broker("https://broker.example", public_key=pem))

planner, mailer = (f"spiffe://agentwrit.local/agent/support/42/{instance}" for instance in ("a1b2c3d4", "e5f60718"))
raw = token(sub=planner, scope=["read:data:*", "send:mail:customer-7"])

# For every request.
result = validate("https://broker.example", raw)
assert result.valid, result.error
assert result.claims is not None
print(result.claims.sub, result.claims.scope)
print("may read:", scope_is_subset(["read:data:customer-7"], result.claims.scope))
print("may delete:", scope_is_subset(["delete:data:customer-7"], result.claims.scope))

# The planner delegated a part of its scopes to the mailer.
records = [delegation_record(planner, ["read:data:*", "send:mail:customer-7"])]
digest = hashlib.sha256(json.dumps(records, separators=(",", ":")).encode()).hexdigest()
chain = {"delegation_chain": records, "chain_hash": digest}
delegated = validate("https://broker.example", token(sub=mailer, scope=["send:mail:customer-7"], **chain))
assert delegated.delegation is not None
print("for", delegated.delegation.subject, "acts", *(actor.subject for actor in delegated.delegation.actors))

# Rejected tokens and their error codes.
for bad in (
    token(sub=mailer, scope=["send:mail:*"], **chain),
    token(sub=planner, scope=["read:data:*"], exp=int(time.time()) - 60),
    token(sub="app:1", scope=["app:agents:*"]),
    raw[:-4] + "AAAA",
):
    print(validate("https://broker.example", bad).code)
