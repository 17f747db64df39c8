"""The record of a decision: what a line of the decision log contains. No token, and no header."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from watchword import DelegationChain, VerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watchword.gate import Decision

#: The longest name in a record, in bytes of JSON. A token's issuer, or the sender of an invalid one, chose it.
MAX_TEXT_BYTES = 256

#: The number of actors in a record, the nearest ones.
MAX_ACTORS = 8


def decision_record(decision: Decision, seconds: float, at: float) -> dict[str, Any]:
    """Return what is logged of a decision that took ``seconds`` and ended at ``at`` in Unix seconds.

    Members without a value are left out. What a token says is there only if its signature was valid.
    """
    error = decision.error
    record = {
        "time": timestamp(at),
        "decision": "allowed" if decision.allowed else "rejected",
        "code": str(decision.code),
        "status": None if decision.allowed else decision.status,
        "route": _bounded(decision.route),
        "issuer": _bounded(decision.issuer),
        **_names(decision),
        "scheme": decision.scheme,
        "token_hash": None if error is None else error.token_hash,
        "trace_id": decision.trace_id,
        "elapsed": round(seconds, 7),
        "detail": None if error is None else _bounded(error.detail),
    }
    return {name: value for name, value in record.items() if value is not None}


def to_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of JSON, in ASCII: no text in it can begin another line."""
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def timestamp(at: float) -> str:
    """Return Unix seconds as RFC 3339 writes them, in UTC, to the millisecond."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _names(decision: Decision) -> dict[str, Any]:
    """Return who the token is for, and who uses it on whose behalf."""
    token, error = decision.token, decision.error
    claims = token.claims if token is not None else error.token_claims if error is not None else None
    if claims is None:
        return {}
    names: dict[str, Any] = {
        "subject": _bounded(claims.get("sub")),
        "client_id": _bounded(claims.get("client_id")),
        "token_id": _bounded(claims.get("jti")),
    }
    try:
        chain = token.delegation if token is not None else _chain(claims)
    except VerificationError:
        return names  # its delegation is malformed
    if chain.actors:
        names["actors"] = [
            {
                name: value
                for name, value in (
                    ("subject", _bounded(actor.subject)),
                    ("issuer", None if actor.issuer == chain.issuer else _bounded(actor.issuer)),
                )
                if value is not None
            }
            for actor in chain.actors[:MAX_ACTORS]
        ]
        names["depth"] = chain.depth
    return names


def _chain(claims: Mapping[str, Any]) -> DelegationChain:
    if "delegation_chain" in claims:
        return DelegationChain.from_records(claims)
    if "actor_chain" in claims:
        return DelegationChain.from_actor_chain(claims)
    return DelegationChain.from_act(claims)


def _bounded(text: object) -> str | None:
    """Return text that takes at most ``MAX_TEXT_BYTES`` in a line, and a mark if it was cut; ``None`` for no text."""
    if not isinstance(text, str):
        return None
    if len(text) <= MAX_TEXT_BYTES // 12:
        return text  # the longest escape of a character takes 12 bytes
    cut, size = text[:MAX_TEXT_BYTES], 0
    while (size := len(json.dumps(cut)) - 2) > MAX_TEXT_BYTES:
        cut = cut[: len(cut) * MAX_TEXT_BYTES // size]
    return text if cut == text else cut + "…"


__all__ = ["MAX_ACTORS", "MAX_TEXT_BYTES", "decision_record", "timestamp", "to_line"]
