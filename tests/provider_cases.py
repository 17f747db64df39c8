"""Variants of the samples, written by hand, each with the verdict that every verifier of its provider must return."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import mint
from provider_samples import AGENT, DELEGATE, SAMPLES, VC_CONTEXT, Claims, record
from provider_variants import Variant, changed

Change = Callable[[Claims, int], Claims]


class Case(NamedTuple):
    """What is changed in a sample's claims as of a moment, and the verdict: a code, or ``None`` for "valid"."""

    name: str
    code: str | None
    change: Change
    header: dict[str, Any] = {}  # noqa: RUF012 - never written to


def put(*path: Any, to: Any) -> Change:
    """Another value for the claim at this path."""
    return lambda claims, _: changed(claims, *path, to=to)


def without(name: str) -> Change:
    return lambda claims, _: changed(claims, name)


def at(name: str, seconds: int) -> Change:
    """A date so many seconds from now, in Unix seconds."""
    return lambda claims, now: {**claims, name: now + seconds}


def dated(name: str, seconds: int) -> Change:
    """A date so many seconds from now, in the credential."""

    def change(claims: Claims, now: int) -> Claims:
        moment = datetime.fromtimestamp(now + seconds, UTC).isoformat()
        return changed(claims, *(("vc",) if "vc" in claims else ()), name, to=moment)

    return change


def all_of(*changes: Change) -> Change:
    def change(claims: Claims, now: int) -> Claims:
        for one in changes:
            claims = one(claims, now)
        return claims

    return change


def chain(*held: list[str], scope: list[str], hashed: bool = True) -> Change:
    """A chain of agents who held these scopes, the oldest first."""
    records = [record(f"{AGENT[:-2]}{number or 170:02x}", scopes) for number, scopes in enumerate(held)]
    digest = hashlib.sha256(json.dumps(records, separators=(",", ":")).encode() if hashed else b"").hexdigest()
    more = {"sub": DELEGATE, "scope": scope, "delegation_chain": records, "chain_hash": digest}
    return lambda claims, _: {**claims, **more}


READ, NARROW = ["read:data:*"], ["read:data:a"]
BOUND = put("cnf", to={"jkt": "x" * 43})
UNCHANGED = put("unknown", to=True)
VC = {"@context": [VC_CONTEXT], "type": ["VerifiableCredential"], "credentialSubject": {"delegation_id": "dlg_1"}}
OTHER_VC = changed(VC, "credentialSubject", "delegation_id", to="dlg_2")
ENCRYPTING = mint.public_jwk("p256", use="enc")
DELEGATION = ["VerifiableCredential", "PaphweyDelegationCredential"]
SNAPSHOT = put("delegation", to={"delegation_id": "dlg_1"})
MEMBERSHIP = ("organizations", 0)

_IN_A_CREDENTIAL = (
    Case("validUntil has passed", "expired", dated("validUntil", -6)),
    Case("validUntil passes now", "expired", dated("validUntil", -5)),
    Case("validUntil may not have passed", None, dated("validUntil", -4)),
    Case("validFrom comes", "not_yet_valid", dated("validFrom", 6)),
    Case("validFrom may have come", None, dated("validFrom", 5)),
    Case("ends with validUntil", None, all_of(without("exp"), dated("validUntil", 60))),
    Case("ended with validUntil", "expired", all_of(without("exp"), dated("validUntil", -60))),
    Case("without an end", "missing_claim", without("exp")),
    Case("exp has passed", "expired", all_of(at("exp", -6), dated("validUntil", 60))),
    Case("a presentation", "malformed_credential", put("vp", to={})),
)

CASES: dict[str, tuple[Case, ...]] = {
    "agentwrit-agent_token": (
        Case("scope is a string", "wrong_type", put("scope", to="read:data:*")),
        Case("jti is empty", "wrong_type", put("jti", to="")),
        Case("of another task", "malformed_claims", put("task_id", to="task-2")),
        Case("typ in lower case", None, UNCHANGED, {"typ": "jwt"}),
        Case("bound", "dpop_proof_required", BOUND),
        Case("chain of five", None, chain(READ, READ, READ, READ, READ, scope=READ)),
        Case("chain of six", "delegation_too_deep", chain(READ, READ, READ, READ, READ, READ, scope=READ)),
        Case("wider", "delegation_scope_widened", chain(NARROW, scope=READ)),
        Case("another hash", "delegation_hash_mismatch", chain(READ, scope=READ, hashed=False)),
        Case("a hash of nothing", "delegation_malformed", put("chain_hash", to="0" * 64)),
    ),
    "agentwrit-delegated_agent_token": (
        Case("at another time", "delegation_hash_mismatch", put("delegation_chain", 0, "delegated_at", to="2026")),
        Case("no chain", "delegation_malformed", without("delegation_chain")),
        Case("no hash", "delegation_malformed", without("chain_hash")),
        Case("an empty chain", "malformed_claims", all_of(put("delegation_chain", to=[]), without("chain_hash"))),
        Case("of another task", "malformed_claims", put("task_id", to="task-2")),
    ),
    "authgent-access_token": (
        Case("client_id is a number", "malformed_claims", put("client_id", to=5)),
        Case("agent_type is a list", "malformed_claims", put("agent_type", to=["x"])),
        Case("scope is a list", None, put("scope", to=["read"])),
        Case("scope is a list of numbers", "malformed_claims", put("scope", to=[5])),
        Case("act is a list", "malformed_claims", put("act", to=[])),
        Case("expired three seconds ago", "expired", at("exp", -3)),
        Case("a grant", "wrong_type", at("nbf", 0)),
        Case("a receipt", "wrong_type", put("type", to="delegation_receipt")),
        Case("a proof", "wrong_type", put("htm", to="GET")),
        Case("of no key", "unknown_key", UNCHANGED, {"kid": mint.OMIT}),
        Case("bound", "dpop_proof_required", BOUND),
    ),
    "authpi-id_token": (
        Case("a scope is a number", "malformed_claims", put(*MEMBERSHIP, "scopes", to=[5])),
        Case("a title is a list", "malformed_claims", put(*MEMBERSHIP, "title", to=[])),
        Case("joined yesterday", "malformed_claims", put(*MEMBERSHIP, "joined_at", to="yesterday")),
        Case("joined: true", "malformed_claims", put(*MEMBERSHIP, "joined_at", to=True)),
        Case("no membership", None, put("organizations", to=["org_1", {"scopes": [5]}])),
        Case("at_hash is a number", "malformed_claims", put("at_hash", to=5)),
        Case("azp is a number", "wrong_audience", put("azp", to=5)),
        Case("azp is another", "wrong_audience", put("azp", to="cli_2")),
        Case("two audiences", "missing_claim", put("aud", to=[mint.AUDIENCE, mint.AUDIENCE])),
        Case("another's subject", "wrong_type", put("sub", to="agent_1")),
        Case("an access token", "wrong_type", put("scope", to="")),
    ),
    "clawauth-agent_token": (
        Case("a person's", "wrong_type", put("sub", to="user_7")),
        Case("two agents", "malformed_claims", put("agent_id", to="agent_1")),
        Case("a person's agent", "malformed_claims", all_of(put("sub", to="user_7"), put("agentId", to="agent_1"))),
        Case("of nobody", "missing_claim", without("sub")),
        Case("trust score 99", "malformed_claims", put("trust_score", to=99)),
        Case("trust score 10.1", "malformed_claims", put("trust_score", to=10.1)),
        Case("trust score -1", "malformed_claims", put("trust_score", to=-1)),
        Case("trust score true", "malformed_claims", put("trust_score", to=True)),
        Case("trust score as text", "malformed_claims", put("trust_score", to="7.5")),
        Case("trust score 10", None, put("trust_score", to=10)),
        Case("trust score 0", None, put("trust_score", to=0.0)),
        Case("two trust scores", "malformed_claims", put("trustScore", to=8)),
        Case("roles is a string", "malformed_claims", put("roles", to="admin")),
        Case("a role is a number", "malformed_claims", put("roles", to=["user", 5])),
        Case("scopes is a number", "malformed_claims", put("scopes", to=5)),
        Case("typ in full", None, UNCHANGED, {"typ": "application/jwt"}),
        Case("bound", "dpop_proof_required", BOUND),
    ),
    "paphwey-attestation": (
        Case("receipt_id is a number", "malformed_claims", put("receipt_id", to=5)),
        Case("actor_chain is a list", "malformed_claims", put("actor_chain", to=[])),
        Case("a presentation", "malformed_credential", put("vp", to={})),
        Case("vc is a string", "malformed_credential", put("vc", to="x")),
        Case("vc is null", "malformed_credential", put("vc", to=None)),
        Case("vc is empty", "malformed_credential", put("vc", to={})),
        Case("vc says the same", None, put("vc", to=VC)),
        Case("vc says another thing", "malformed_claims", put("vc", to=OTHER_VC)),
        Case("no delegation", "missing_claim", without("delegation_id")),
        Case("the delegation is in its snapshot", None, all_of(without("delegation_id"), SNAPSHOT)),
        Case("two delegations", "wrong_delegation", put("delegation", to={"delegation_id": "dlg_2"})),
        Case("without an end", "missing_claim", without("exp")),
        Case("without an issuer", "missing_claim", without("iss")),
        Case("no credential", "malformed_credential", UNCHANGED, {"typ": "vc+jwt"}),
        Case("no credential, typ in full", "malformed_credential", UNCHANGED, {"typ": "application/VC+JWT"}),
        Case("confirms a key", None, put("cnf", to={"jwk": mint.public_jwk("p256")})),
        Case("confirms no good key", "invalid_confirmation_key", put("cnf", to={"jwk": ENCRYPTING})),
        Case("confirms a hash alone", "unsupported", BOUND),
    ),
    "paphwey-attestation-in-a-vc-claim": (
        *_IN_A_CREDENTIAL,
        Case("validUntil is a number", "malformed_credential", put("vc", "validUntil", to=2_000_000_000)),
        Case("validUntil is no date", "malformed_credential", put("vc", "validUntil", to="2030-02-31T00:00:00Z")),
        Case("two subjects", "malformed_credential", put("vc", "credentialSubject", to=[{}, {}])),
        Case("another context", "malformed_credential", put("vc", "@context", 0, to="https://www.w3.org/2018/credentials/v1")),
        Case("no credential by its type", "malformed_credential", put("vc", "type", to=["Other"])),
        Case("a delegation credential", "wrong_type", put("vc", "type", to=DELEGATION)),
        Case("another's credential", "wrong_issuer", put("vc", "issuer", to="https://other.example")),
        Case("its own credential", None, put("vc", "issuer", to={"id": mint.ISSUER})),
    ),
    "paphwey-attestation-as-the-payload": (
        *_IN_A_CREDENTIAL,
        Case("issuer for iss", None, all_of(without("iss"), put("issuer", to=mint.ISSUER))),
        Case("another issuer for iss", "wrong_issuer", all_of(without("iss"), put("issuer", to="https://other.example"))),
        Case("typ in upper case", None, UNCHANGED, {"typ": "VC+JWT"}),
        Case("typ in full", None, UNCHANGED, {"typ": "application/vc+jwt"}),
        Case("a vc beside it", "malformed_credential", put("vc", to={})),
    ),
}  # fmt: skip


def cases(provider: str, now: int) -> list[Variant]:
    """The cases of a provider, as of a moment."""
    by_name = {str(sample): sample for sample in SAMPLES}
    return [
        Variant(sample, case.name, case.change(sample.payload(now), now), case.header, case.code)
        for sample, listed in ((by_name[name], listed) for name, listed in CASES.items())
        for case in listed
        if sample.provider == provider
    ]
