"""The tokens of a log: access tokens of agents (RFC 9068, RFC 8693), each with the defect of its case."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from watchword.testing.defects import Defect
from watchword.testing.draft import Draft
from watchword.testing.tamper import can_have, tamper
from watchword.testing.token_log.cases import (
    ANOTHER_KEY,
    FORGED_WITH_STOLEN_KEY,
    KEY_NOT_LISTED,
    KEY_OF_ANOTHER_ISSUER,
    SIGNED_AFTER_THE_THEFT,
    Case,
)
from watchword.testing.token_log.key_plan import (
    AUDIENCE,
    DAY,
    HOUR,
    ISSUERS,
    LINES,
    SUBSTITUTE_LINE,
    KeyPlan,
    Line,
    PlannedKey,
)

#: Seconds after the first use in which a defective token is used again.
REPEATED_FOR = 600
#: The longest time from the expiry of a token to a late use, in seconds.
LATEST_USE = 5_000
_LIFETIMES = (300, 900, 3_600)
_PERCENTS = [line.percent for line in LINES]
_SCOPES = (
    "orders:read orders:write catalog:read profile",
    "orders:read catalog:read",
    "catalog:read",
    "payments:read payments:refund orders:read",
)


class Token(NamedTuple):
    """An encoded token without a defect, with its ``iat`` and ``exp`` in Unix seconds."""

    text: str
    issued_at: int
    expires_at: int


def valid_token(keys: KeyPlan, rng: random.Random, at: float, jkt: str | None = None) -> Token:
    """Return a valid token that is issued at ``at`` (Unix seconds), bound to the key of ``jkt`` if it is given."""
    draft = _draft(_signer(keys, rng, at), rng, int(at), rng.choice(_LIFETIMES))
    if jkt is not None:
        draft.claims["cnf"] = {"jkt": jkt}
    return Token(draft.write(), draft.claims["iat"], draft.claims["exp"])


def defective_token(case: Case, keys: KeyPlan, rng: random.Random, at: float) -> str:
    """Return an encoded token with the defect of ``case``, for uses from ``at`` (Unix seconds) to ten minutes later."""
    issued_at = int(at) - rng.randrange(1_200)
    if case is FORGED_WITH_STOLEN_KEY:
        # The thief's: only the time of use shows that it is forged.
        issued_at = max(int(keys.stolen.starts) + DAY, int(keys.stolen_since) - rng.randrange(HOUR, 10 * DAY))
        draft = _draft(keys.stolen, rng, issued_at, int(at) + HOUR - issued_at)
        draft.claims["sub"] = "admin"
        return draft.write()
    if case is SIGNED_AFTER_THE_THEFT:
        return _draft(keys.stolen, rng, issued_at, HOUR).write()
    signer = _signer(keys, rng, issued_at)
    while isinstance(case.defect, Defect) and not can_have(case.defect, signer.key):
        signer = _signer(keys, rng, issued_at)
    if case is KEY_NOT_LISTED:
        signer = rng.choice(keys.unlisted(signer.line, at, margin=5 * DAY))
    draft = _draft(signer, rng, issued_at, HOUR)
    draft.now = int(at)
    if case is KEY_OF_ANOTHER_ISSUER:
        draft.claims["iss"] = rng.choice([issuer for issuer in ISSUERS if issuer != signer.line.issuer])
    elif case is ANOTHER_KEY:
        draft.sign = keys.current(_line_with_the_same_algorithm(signer.line), issued_at).key.sign
    elif isinstance(case.defect, Defect):
        tamper(case.defect, draft)
    return draft.write()


def _signer(keys: KeyPlan, rng: random.Random, at: float) -> PlannedKey:
    """Return the current key of some line: the stolen one only if no use of its token is after the theft."""
    (line,) = rng.choices(LINES, _PERCENTS)
    signer = keys.current(line, at)
    if signer is keys.stolen and at + max(_LIFETIMES) + LATEST_USE >= keys.stolen_since:
        return keys.current(SUBSTITUTE_LINE, at)
    return signer


def _line_with_the_same_algorithm(line: Line) -> Line:
    return next(other for other in LINES if other.algorithm == line.algorithm and other.issuer != line.issuer)


def _draft(signer: PlannedKey, rng: random.Random, issued_at: int, lifetime: int) -> Draft:
    client = f"agent-{rng.randrange(400):03d}"
    claims: dict[str, Any] = {
        "iss": signer.line.issuer,
        "sub": f"user-{rng.randrange(50_000):05d}",
        "aud": AUDIENCE,
        "exp": issued_at + lifetime,
        "iat": issued_at,
        "nbf": issued_at,
        "jti": f"{rng.getrandbits(128):032x}",
        "client_id": client,
        "scope": rng.choice(_SCOPES),
        "tenant": f"t-{rng.randrange(300):03d}",
    }
    if rng.random() < 0.4:
        claims["act"] = _actors(rng, client, rng.choices((1, 2, 3), (6, 3, 1))[0])
    header = {"typ": "at+jwt", "alg": signer.line.algorithm, "kid": signer.key.key_id}
    return Draft(signer.key, header, claims, issued_at)


def _actors(rng: random.Random, nearest: str, depth: int) -> dict[str, Any]:
    """Return ``act`` (RFC 8693 section 4.1): the client is the nearest actor, who presents the token."""
    act: dict[str, Any] = {}
    for _ in range(depth - 1):
        act = {"sub": f"agent-{rng.randrange(400):03d}", **({"act": act} if act else {})}
    return {"sub": nearest, **({"act": act} if act else {})}
