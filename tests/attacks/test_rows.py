"""Each row of the list of attacks is a test by name."""

from __future__ import annotations

import importlib
from pathlib import Path

from rows import COVERED, ELSEWHERE


def test_each_named_test_exists() -> None:
    named = [test.partition("::") for tests in COVERED.values() for test in tests]
    assert [test for test in named if not hasattr(importlib.import_module(test[0]), test[2])] == []


def test_each_row_is_covered_or_elsewhere(shared: Path) -> None:
    table = (shared / "facts" / "attacks.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in table if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        names = [name for name in (*COVERED, *ELSEWHERE) if row.startswith(name)]
        assert len(names) == 1, f"{row!r} is named by {names}"
