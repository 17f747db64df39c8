"""The providers' pages are correct: their code runs, and their lists are complete."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from watchword.providers import clawauth, paphwey
from watchword.providers.clawauth import exceptions as clawauth_exceptions
from watchword.providers.clawauth import types as clawauth_types
from watchword.providers.paphwey import errors, verify

PAGES = Path(__file__).parents[3] / "docs" / "providers"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


# ClawAuth's calls a server: tests/providers/clawauth/test_clawauth_page.py runs it.
@pytest.mark.parametrize("name", ["paphwey"])
def test_the_code_of_a_page_runs(name: str) -> None:
    program = "\n".join(re.findall(r"^```python\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL))
    assert "assert" in program
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "call"),
    [
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
    assert paphwey.__doc__
