"""One token of every kind of the five providers, by the same keys, from the same issuer, for the same audience.

So nothing but its shape keeps one apart from another. Written from the descriptions of the formats alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mint

Claims = dict[str, Any]

AGENT, DELEGATE = (f"spiffe://agentwrit.local/agent/my-service/task-1/00000000000000{end}" for end in ("aa", "bb"))
VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"


@dataclass(frozen=True)
class Sample:
    """A kind of token: its provider, its algorithm, its type, and the claims beside ``iss``, ``aud``, ``iat``, ``exp``.

    ``claims`` may be a function of the moment. What is ``mint.OMIT`` is left out.
    """

    provider: str | None
    kind: str
    algorithm: str
    claims: Claims | Callable[[int], Claims]
    typ: Any = "JWT"
    note: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, (self.provider, self.kind, self.note))).replace(" ", "-")

    def payload(self, now: int = mint.NOW, issuer: str = mint.ISSUER) -> Claims:
        """The claims as of ``now``."""
        own = self.claims(now) if callable(self.claims) else self.claims
        common = {"iss": issuer, "aud": mint.AUDIENCE, "iat": now, "exp": now + 300}
        return {name: value for name, value in {**common, **own}.items() if value is not mint.OMIT}

    def mint(self, now: int = mint.NOW, *, algorithm: str | None = None, issuer: str = mint.ISSUER) -> str:
        """The token as of ``now``, signed with this algorithm instead of its own if one is given."""
        signed_by = algorithm or self.algorithm
        key = KEYS[signed_by]
        head = {"alg": signed_by, "kid": key, **({} if self.typ is mint.OMIT else {"typ": self.typ})}
        return mint.token(self.payload(now, issuer), head, key=key, algorithm=signed_by)


#: The key of each algorithm, which all providers share here.
KEYS = {"EdDSA": "ed25519", "ES256": "p256", "RS256": "rsa"}
JWKS = mint.jwks(*KEYS.values())


def record(agent: str, scope: list[str]) -> Claims:
    """One record of a chain of the broker's."""
    at = "2026-11-21T07:00:00.123456789Z"
    signature = mint.sign("EdDSA", "ed25519", f"{agent}|{','.join(scope)}|{at}".encode()).hex()
    return {"agent": agent, "scope": scope, "delegated_at": at, "signature": signature}


def _broker(now: int, **claims: Any) -> Claims:
    return {"nbf": now, "jti": "0123456789abcdef0123456789abcdef", **claims}


def _agent(now: int, **claims: Any) -> Claims:
    return _broker(
        now, **{"sub": AGENT, "scope": ["read:data:*"], "task_id": "task-1", "orch_id": "my-service", **claims}
    )


def _delegated_agent(now: int) -> Claims:
    records = [record(AGENT, ["read:data:*"])]
    written = json.dumps(records, separators=(",", ":"))
    digest = hashlib.sha256(written.encode()).hexdigest()
    return _agent(now, sub=DELEGATE, scope=["read:data:a"], delegation_chain=records, chain_hash=digest)


_ACCESS = {"sub": "client:agnt_1", "jti": "tok_Zm9vYmFyYmF6cXV1eA", "scope": "read write", "client_id": "agnt_1"}
_ATTESTATION = {
    "sub": "principal-1",
    "challenge_id": "chl_1",
    "delegation_id": "dlg_1",
    "receipt_id": "rcp_1",
    "actor_chain": {"principal_id": "principal-1", "agent": {"provider": "openai", "agent_id": "shopping-agent"}},
    "action_context": {"scope": "purchase", "amount_minor": 1500, "currency": "GBP"},
}
_CREDENTIAL = {"@context": [VC_CONTEXT], "type": ["VerifiableCredential"], "credentialSubject": _ATTESTATION}
_DELEGATION = {
    "@context": [VC_CONTEXT],
    "type": ["VerifiableCredential", "PaphweyDelegationCredential"],
    "credentialSubject": {"delegation_id": "dlg_1"},
}
_ORGANIZATION = {"title": "Admin", "scopes": ["projects:**"], "joined_at": 1_700_000_000}

SAMPLES: tuple[Sample, ...] = (
    Sample("agentwrit", "agent_token", "EdDSA", _agent),
    Sample("agentwrit", "delegated_agent_token", "EdDSA", _delegated_agent),
    Sample("agentwrit", "app_token", "EdDSA", lambda now: _broker(now, sub="app:1", scope=["app:agents:*"])),
    Sample("agentwrit", "admin_token", "EdDSA", lambda now: _broker(now, sub="admin", scope=["admin:revoke:*"])),
    Sample("authgent", "access_token", "ES256", _ACCESS),
    Sample("authgent", "access_token", "ES256", {**_ACCESS, "act": {"sub": "client:agnt_2"}}, note="delegated"),
    Sample(
        "authgent",
        "transaction_token",
        "ES256",
        {"sub": "user:ada", "txn": "t-1", "scope": "read", "req_wl": "client:agnt_1", "rctx": {"req_ip": "192.0.2.1"}},
        typ="txntoken+jwt",
    ),
    Sample(
        "authgent",
        "delegation_receipt",
        "ES256",
        {
            "type": "delegation_receipt",
            "token_jti": "tok_b",
            "parent_jti": "tok_a",
            "chain_hash": "00" * 32,
            "exp": mint.OMIT,
            "aud": mint.OMIT,
        },
    ),
    Sample("authgent", "chaining_grant", "ES256", lambda now: {**_ACCESS, "nbf": now}),
    Sample("authpi", "id_token", "RS256", {"sub": "usr_1", "organizations": [{"id": "org_1", **_ORGANIZATION}]}),
    Sample("authpi", "id_token", "ES256", {"sub": "usr_1", "organizations": {"org_1": _ORGANIZATION}}, note="older"),
    Sample("authpi", "id_token", "EdDSA", {"sub": "key_1", "email": "ada@example.com"}, typ=mint.OMIT, note="no typ"),
    Sample(
        "clawauth",
        "agent_token",
        "ES256",
        {"sub": "agent_abc123", "name": "Bot", "email": "bot@example.com", "trust_score": 7.5, "roles": ["user"]},
    ),
    Sample("paphwey", "attestation", "RS256", _ATTESTATION),
    Sample("paphwey", "attestation", "ES256", _ATTESTATION, note="by another algorithm"),
    Sample("paphwey", "attestation", "RS256", {"vc": _CREDENTIAL, "sub": "principal-1"}, note="in a vc claim"),
    Sample("paphwey", "attestation", "RS256", _CREDENTIAL, typ="vc+jwt", note="as the payload"),
    Sample("paphwey", "delegation_credential", "RS256", {"sub": "paphwey:delegation:d00f27a4", "vc": _DELEGATION}),
    Sample("paphwey", "delegation_credential", "RS256", _DELEGATION, typ="vc+jwt", note="as the payload"),
    Sample(None, "dpop_proof", "ES256", {"jti": "p-1", "htm": "GET", "htu": "https://api.example/"}, typ="dpop+jwt"),
    Sample(None, "", "RS256", {"sub": "alice", "scope": "openid"}, note="of nobody"),
    Sample(None, "", "EdDSA", {"sub": "usr_1", "events": {"http://x/backchannel-logout": {}}}, typ="logout+jwt"),
)

#: The kinds of tokens that each provider's verifier accepts by default, and by which algorithms.
ACCEPTED: dict[str, tuple[str, ...]] = {
    "agentwrit": ("agent_token", "delegated_agent_token"),
    "authgent": ("access_token",),
    "authpi": ("id_token",),
    "clawauth": ("agent_token",),
    "paphwey": ("attestation",),
}
ALGORITHMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ACCEPTED, tuple(KEYS)),
    "agentwrit": ("EdDSA",),
    "authgent": ("ES256",),
    "clawauth": ("ES256",),
}
