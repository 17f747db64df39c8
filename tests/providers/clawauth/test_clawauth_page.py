"""ClawAuth's page is correct: its code runs, and its lists are complete."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

from standins.clawauth import API_KEY, EMAIL_CODE, EMAIL_SIGNATURE, running

from watchword.providers import clawauth
from watchword.providers.clawauth import ClawAuth, ClawAuthAgent, WireFormat, exceptions, types

PAGE = (Path(__file__).parents[3] / "docs" / "providers" / "clawauth.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs() -> None:
    with running() as standin:
        pair = ClawAuthAgent.generate_keypair()
        registration = ClawAuthAgent.register("a@agents.example", "A", pair["public_key"], standin.url)
        names: dict[str, Any] = {
            "api_key": API_KEY,
            "agent_token": standin.token(registration.agent_id),
            "code_from_email": EMAIL_CODE,
            "signature_from_email": EMAIL_SIGNATURE,
        }
        blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        for block in blocks:
            exec(block.replace('base_url="https://api.clawauth.com"', f"base_url={standin.url!r}"), names)
        assert len(blocks) == 5
        paths = {re.sub("agent_[0-9a-f]+", "AGENT", one.path) for one in standin.server.requests}
        assert len(paths) == 10
        assert len(standin.reports) == 2


def test_the_page_names_everything() -> None:
    calls = (ClawAuth, ClawAuthAgent, ClawAuthAgent.register, ClawAuth.verify, ClawAuth.report_trust)
    named = [
        *clawauth.__all__,
        *exceptions.__all__,
        *types.__all__,
        *(name for call in calls for name in inspect.signature(call).parameters if name not in ("self", "now", "name")),
        *(one.name for one in dataclasses.fields(WireFormat)),
        *vars(exceptions.ClawAuthError()),
        *(getattr(exceptions, name).default_code for name in exceptions.__all__),
    ]
    assert [name for name in named if not re.search(rf"`[^`]*\b{name}\b[^`]*`", PAGE)] == []


def test_the_defaults_of_the_wire_format_are_those_of_the_page() -> None:
    for one in dataclasses.fields(WireFormat):
        if isinstance(one.default, str):
            assert f'| `{one.name}` | `"{one.default}"` |' in PAGE
