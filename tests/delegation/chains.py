"""Chains in every form, and signed recorded chains: written from the description of the format alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import mint

import watchword as ww

Claims = dict[str, Any]

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)


def verified(**changes: Any) -> ww.VerifiedToken:
    """A token with these claims changed, signed and verified."""
    return ww.verify(mint.token(mint.claims(**changes)), KEYS, POLICY, now=mint.NOW)


def act(*actors: str, innermost: Any = mint.OMIT) -> Claims:
    """Return nested acts, the nearest actor first; ``innermost`` is the ``act`` of the last one."""
    level = innermost
    for actor in reversed(actors):
        level = {"sub": actor} if level is mint.OMIT else {"sub": actor, "act": level}
    return level


def record(agent: str, scope: list[str], at: str = "2026-11-21T07:00:00.123456789Z", **changes: Any) -> Claims:
    """One record of a recorded chain, signed."""
    signed = f"{agent}|{','.join(scope)}|{at}".encode("utf-8", "surrogatepass")
    signature = mint.sign("EdDSA", "ed25519", signed).hex()
    return {"agent": agent, "scope": scope, "delegated_at": at, "signature": signature, **changes}


def chain_hash(records: list[Claims]) -> str:
    """SHA-256 of the records as Go's ``encoding/json`` writes them."""
    fields = ("agent", "scope", "delegated_at", "signature")
    plain = [{field: one.get(field, "") for field in fields} for one in records]
    written = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    for ch in "<>&\u2028\u2029":
        written = written.replace(ch, f"\\u{ord(ch):04x}")
    return hashlib.sha256(written.encode()).hexdigest()


def recorded(*records: Claims, sub: str = "agent:holder", scope: Any = (), **changes: Any) -> Claims:
    """The claims of a token with a recorded chain."""
    claims = {
        "sub": sub,
        "scope": list(scope),
        "delegation_chain": list(records),
        "chain_hash": chain_hash(list(records)),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not mint.OMIT}


def names(chain: ww.DelegationChain) -> list[str]:
    return [actor.subject for actor in chain.actors]
