"""The providers' pages are correct: their code runs, and their lists are complete."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from standins.paphwey import API_KEY, serving

from watchword.providers import clawauth, paphwey
from watchword.providers.clawauth import exceptions as clawauth_exceptions
from watchword.providers.clawauth import types as clawauth_types
from watchword.providers.paphwey import errors, testing, verify

PAGES = Path(__file__).parents[3] / "docs" / "providers"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def code(name: str) -> str:
    """The blocks of Python, without those that are files of a recipe: test_paphwey_recipes.py runs those."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in blocks if not re.match(r"# [\w/]+\.py\n", block))


def run(program: str, **environment: str) -> None:
    assert "assert" in program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr


#: The principal's phone, and the agent: the stand-in approves whatever is opened.
APPROVE = """
def approve(url):
    import json
    import urllib.request

    with urllib.request.urlopen(url) as answer:
        return json.load(answer)["attestation_token"]


import logging

log = logging.getLogger("merchant")
"""


def test_the_code_of_paphweys_page_runs() -> None:
    calls = """
assert grant(request)[1] == 200
paphwey = FakePaphweyClient()
for error, status in ((PaphweyPolicyError(), 422), (PaphweyRateLimitError(retry_after_seconds=3), 503)):
    paphwey.enqueue_delegation(error)
    assert grant(request)[1] == status
"""
    with serving() as gateway:
        run(APPROVE + code("paphwey") + calls, PAPHWEY_BASE_URL=gateway.url, PAPHWEY_API_KEY=API_KEY)
        assert len(gateway.delegations) == 3


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("paphwey", paphwey.PaphweyClient),
        ("paphwey", paphwey.AsyncPaphweyClient),
        ("paphwey", paphwey.GatewayApi),
        ("paphwey", verify.OfflineVerifier),
        ("paphwey", verify.OfflineVerifier.from_base_url),
        ("clawauth", clawauth.ClawAuth),
        ("clawauth", clawauth.ClawAuthAgent),
    ],
)
def test_a_page_names_every_setting(name: str, call: Any) -> None:
    text = page(name)
    for setting in set(inspect.signature(call).parameters) - {"settings"}:
        assert re.search(rf"\b{setting}\b", text), setting


def test_a_page_names_every_claim_and_every_exception() -> None:
    for names, text in ((verify.ClaimNames, page("paphwey")), (clawauth.ClaimNames, page("clawauth"))):
        for field in dataclasses.fields(names):
            assert f"`{field.name}`" in text, field.name
    assert all(f"`{name}" in page("paphwey") for name in errors.__all__)
    assert all(f"`{name}" in page("clawauth") for name in clawauth_exceptions.__all__)
    assert all(f"`{name}`" in page("clawauth") for name in clawauth_types.__all__)
    assert all(f"`{name}" in page("paphwey") for name in (*paphwey.__all__, *testing.__all__))
