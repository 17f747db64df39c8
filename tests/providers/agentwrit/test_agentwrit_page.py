"""The calls in docs/providers/agentwrit.md run, in their order, at the stand-in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from standins.agentwrit import CLIENT_ID, CLIENT_SECRET, BrokerStandin

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "agentwrit.md"


def examples(heading: str) -> str:
    """The indented code of a section, up to the calls of no application."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    section = section.partition("For programs that call")[0]
    return "\n".join(line[4:] for line in section.splitlines() if re.match(r" {4}|$", line))


def test_the_calls_run(
    broker: BrokerStandin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"BROKER_URL": broker.url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}.items():
        monkeypatch.setenv(f"AGENTWRIT_{name}", value)
    space: dict[str, Any] = {}
    for heading in ("Clients", "Errors"):
        exec(compile(examples(heading), heading, "exec"), space)
    delegated, health, valid, error = capsys.readouterr().out.splitlines()
    assert delegated.startswith("False 60 [DelegationRecord(")
    assert health.startswith("HealthStatus(status='ok'")
    assert valid == "True"
    assert error == (
        "403 forbidden requested scopes exceed app ceiling; allowed: ['read:data:*', 'write:data:*'] rid-1"
    )
