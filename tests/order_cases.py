"""Tokens with one defect, or with several at once, from the table of the order of checks (``order_of_checks.json``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mint

from watchword import ErrorCode

_TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("order_of_checks.json").read_bytes())

#: The policy under which each row is a defect.
POLICY: dict[str, Any] = _TABLE["policy"]

#: The last step of the JWS layer; all later ones are about claims.
SIGNATURE_STEP = 10


@dataclass(frozen=True)
class OrderCase:
    """A defect, and the step of docs/verification.md that finds it."""

    name: str
    step: int
    code: ErrorCode
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header_raw: str = ""
    claims_raw: str = ""
    signature: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def changes(self) -> set[str]:
        """What it changes: two cases that change the same cannot be combined."""
        members = {f"header {name}" for name in self.header} | {f"claim {name}" for name in self.claims}
        return members | {name for name in ("header_raw", "claims_raw", "signature", "suffix") if getattr(self, name)}


CASES = tuple(OrderCase(**{**row, "code": ErrorCode(row["code"])}) for row in _TABLE["cases"])


def can_be_combined(*cases: OrderCase) -> bool:
    changes = [change for case in cases for change in case.changes]
    return len(set(changes)) == len(changes)


def token_with(*cases: OrderCase, **claims: Any) -> str:
    """Return a token that has all these defects. ``claims`` are further ones, which no case changes."""
    header, payload = mint.header(), mint.claims(tenant="blue", **claims)
    for case in cases:
        _apply(case.header, header)
        _apply(case.claims, payload)
    header_raw = ",".join(case.header_raw for case in cases if case.header_raw)
    claims_raw = ",".join(case.claims_raw for case in cases if case.claims_raw)
    token = mint.token(
        mint.with_member(payload, claims_raw) if claims_raw else payload,
        mint.with_member(header, header_raw) if header_raw else header,
    )
    if any(case.signature for case in cases):
        signed, _, signature = token.rpartition(".")
        changed = bytearray(mint.unb64(signature))
        changed[7] ^= 1
        token = f"{signed}.{mint.b64(bytes(changed))}"
    return token + "".join(case.suffix for case in cases)


def _apply(changes: dict[str, Any], members: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value == {"$absent": True}:
            members.pop(name, None)
        else:
            members[name] = _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "$now" in value:
        return mint.NOW + value["$now"]
    if isinstance(value, dict) and "$letters" in value:
        return "x" * value["$letters"]
    return value
