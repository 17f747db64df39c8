"""Malformed and out-of-range variants of every sample, which a verifier must reject although it accepts the sample.

They are generated from a sample's claims; ``provider_cases`` has those whose verdict is known.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mint
from provider_samples import KEYS, Claims, Sample

#: What a claim may be replaced with. ``mint.OMIT`` leaves it out.
VALUES: dict[str, Any] = {
    "missing": mint.OMIT,
    "null": None,
    "empty string": "",
    "space": " ",
    "string": "x",
    "not ASCII": "agent_é",
    "long string": "x" * 300,
    "true": True,
    "zero": 0,
    "negative": -1,
    "five": 5,
    "fraction": 1.5,
    "too large": 10**30,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "empty list": [],
    "empty object": {},
    "list of strings": ["x", "y"],
    "list of a number": [1],
    "object": {"x": 1},
}

#: The values of a claim that the sample lacks.
ADDED = ("null", "empty string", "string", "true", "five", "empty list", "empty object", "list of strings", "object")

#: Claims that mean something to one provider or another.
CLAIMS = (
    *("nbf", "jti", "scope", "scp", "client_id", "azp", "nonce", "at_hash", "organizations", "email", "name"),
    *("agent_id", "agentId", "trust_score", "trustScore", "roles", "scopes", "permissions"),
    *("act", "may_act", "cnf", "delegation_chain", "chain_hash", "orch_id", "task_id", "sid"),
    *("vc", "vp", "type", "@context", "credentialSubject", "issuer", "validFrom", "validUntil", "credentialStatus"),
    *("delegation", "delegation_id", "receipt_id", "actor_chain", "action_context"),
    *("agent_type", "agent_model", "agent_version", "agent_provider", "agent_instance_id", "human_root"),
    *("txn", "req_wl", "rctx", "tctx", "token_jti", "parent_jti", "htm", "htu", "events"),
)

#: Seconds from now, for the claims that are dates. Clocks may differ by five seconds, or by none.
MOMENTS = (-86_400, -6, -5, -4, -3, 60, 86_400)

#: Values of ``typ``.
TYPES = (
    *("JWT", "jwt", "application/jwt", "at+jwt", "vc+jwt", "VC+JWT", "application/vc+jwt", "txntoken+jwt"),
    *("", None, 5, mint.OMIT),
)


@dataclass(frozen=True)
class Variant:
    """A token that differs from a sample in one thing. ``code`` is its verdict (``None``: valid), if that is known."""

    sample: Sample
    name: str
    claims: Claims
    header: dict[str, Any] = field(default_factory=dict)
    code: str | None = "not known"

    def __str__(self) -> str:
        return f"{self.sample}: {self.name}"

    def mint(self) -> str:
        key = KEYS[self.sample.algorithm]
        head = {"alg": self.sample.algorithm, "kid": key, "typ": self.sample.typ, **self.header}
        written = {name: value for name, value in head.items() if value is not mint.OMIT}
        return mint.token(self.claims, written, key=key, algorithm=self.sample.algorithm)


def variants(sample: Sample, now: int) -> Iterator[Variant]:
    """The generated variants of a sample, and the sample itself first."""
    good = sample.payload(now)
    yield Variant(sample, "as it is", good)
    for path in _paths(good):
        for name, value in VALUES.items():
            yield Variant(sample, f"{'.'.join(map(str, path))} is {name}", changed(good, *path, to=value))
    for claim in CLAIMS:
        for name in ADDED if claim not in good else ():
            yield Variant(sample, f"with {claim}, {name}", {**good, claim: VALUES[name]})
    yield Variant(sample, "with an actor who has no sub", {**good, "act": {"client_id": "web"}})
    for claim in ("exp", "nbf", "iat"):
        for seconds in MOMENTS:
            for moment in (now + seconds, now + seconds + 0.5):
                yield Variant(sample, f"{claim} is {moment - now} s from now", {**good, claim: moment})
    for typ in TYPES:
        yield Variant(sample, f"typ is {'missing' if typ is mint.OMIT else repr(typ)}", good, {"typ": typ})
    for kid in (mint.OMIT, "", "x", 5):
        yield Variant(sample, f"kid is {'missing' if kid is mint.OMIT else repr(kid)}", good, {"kid": kid})


def changed(document: Any, *path: Any, to: Any = mint.OMIT) -> Any:
    """A copy of the document with another value at this path, or without it."""
    copied = copy.deepcopy(document)
    inner = copied
    for name in path[:-1]:
        inner = inner[name]
    if to is mint.OMIT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return copied


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(document, dict):
        members: list[tuple[Any, Any]] = list(document.items())
    else:
        members = list(enumerate(document)) if isinstance(document, list) else []
    for name, value in members:
        yield from _paths(value, (*path, name))
