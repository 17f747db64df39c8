"""docs/gate-config.md names every key of a configuration, and its examples are valid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from watchword.gate import GateConfig

PAGE = (Path(__file__).parents[2] / "docs" / "gate-config.md").read_text(encoding="utf-8")

#: Headings, and where the keys are in the schema.
SECTIONS = {
    "Top of the file": "",
    "`[proxy]`": "proxy",
    "`[token]`": "token",
    "`[[issuers]]`": "issuers",
    "`[issuers.cache]`": "issuers/cache",
    "`[dpop]`": "dpop",
    "`[token_cache]`": "token_cache",
    "`[[routes]]`": "routes",
    "`[log]`": "log",
    "`[metrics]`": "metrics",
    "`[server]`": "server",
}


def properties(path: str) -> dict[str, Any]:
    schema = json.loads(GateConfig.json_schema())
    for name in filter(None, path.split("/")):
        schema = schema["properties"][name]
        schema = schema.get("items", schema)
    return schema["properties"]


def keys_of(heading: str) -> list[str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_on_the_page(heading: str) -> None:
    documented = keys_of(heading)
    if heading == "`[[issuers]]`":
        documented += keys_of("`[token]`")
    assert sorted(documented) == sorted(properties(SECTIONS[heading]))


def test_every_section_is_on_the_page() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(SECTIONS)


def test_the_examples_are_valid() -> None:
    examples = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        assert GateConfig.from_toml(example).warnings == ()
