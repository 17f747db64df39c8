"""Measured times, by work and input."""

from __future__ import annotations

from typing import Any

from rounds import Times

#: By work and input: "verify", "EdDSA".
Measured = dict[tuple[str, str], Times]


def read(groups: list[dict[str, Any]]) -> Measured:
    """Return the times from a run's JSON."""
    return {(group["work"], group["what"]): _times(group) for group in groups}


def _times(group: dict[str, Any]) -> Times:
    return {contender["name"]: contender["microseconds"] for contender in group["contenders"]}
