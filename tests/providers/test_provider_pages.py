"""The pages of the providers are correct: their code runs, and their lists are complete."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from provider_samples import SAMPLES

from watchword.providers import PROVIDERS, agentwrit

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["providers.md", "providers/agentwrit.md", "providers/authpi.md"])
def test_the_code_of_a_page_runs(name: str) -> None:
    if "authpi" in name:
        pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL))
    assert "assert" in program
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def names_all(text: str, names: list[str]) -> None:
    assert [name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", text)] == []


def parameters(*calls: Any) -> list[str]:
    return sorted({name for call in calls for name in inspect.signature(call).parameters} - {"self"})


def test_agentwrits_page_names_everything() -> None:
    text = page("providers/agentwrit.md")
    names_all(text, agentwrit.__all__)
    names_all(text, parameters(agentwrit.Broker, agentwrit.validate, agentwrit.Broker.validate, agentwrit.AgentWritApp))


def test_authpis_page_names_everything() -> None:
    pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")
    from watchword.providers import authpi

    text = page("providers/authpi.md")
    names_all(text, authpi.__all__)
    names_all(
        text, parameters(authpi.IdTokenVerifier, authpi.IdTokenVerifier.create_agent, authpi.IdTokenVerifier.verify)
    )
    calls = [one for name, one in inspect.getmembers(authpi.IdpClientSync, inspect.isfunction) if name[0] != "_"]
    names_all(text, [call.__name__ for call in calls if call.__name__ != "close"])
    names_all(text, sorted(set(parameters(authpi.IdpClientSync, *calls)) - {"verification", "agent", "token", "code"}))


def test_the_index_names_every_provider_and_every_kind() -> None:
    text = page("providers.md")
    for provider in PROVIDERS:
        assert f"(providers/{provider}.md)" in text
        assert f"`watchword.providers.{provider}`" in text
        kinds = {sample.kind for sample in SAMPLES if sample.provider == provider}
        (row,) = re.findall(rf"^\| `{provider}` \| (.*) \|$", text, re.MULTILINE)
        assert {kind.strip("`") for kind in row.split(", ")} == kinds


def rows(text: str) -> list[str]:
    """The rows of the table of differences, without its head."""
    table = re.search(r"^\|[^|\n]*(?:\|[^|\n]*)?\| published[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n?)+)", text, re.MULTILINE)
    assert table is not None
    return table[1].splitlines()


@pytest.mark.parametrize("path", sorted((DOCS / "providers").glob("*.md")), ids=lambda path: path.stem)
def test_a_page_has_a_table_of_differences_and_the_index_links_to_it(path: Path) -> None:
    differences = rows(path.read_text(encoding="utf-8"))
    assert len(differences) > 10
    assert all(len(row.split("|")) == 7 for row in differences)
    assert re.search(rf"\(providers/{path.stem}\.md#differences-from-[a-z-]+\)", page("providers.md"))
