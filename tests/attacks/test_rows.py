"""Each row of the list of attacks is a test by name."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from rows import COVERED, ELSEWHERE


@pytest.mark.parametrize("test", [test for tests in COVERED.values() for test in tests])
def test_each_named_test_exists(test: str) -> None:
    module, _, name = test.partition("::")
    assert callable(getattr(importlib.import_module(module), name))


def test_each_row_is_covered_or_elsewhere(shared: Path) -> None:
    table = (shared / "facts" / "attacks.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in table if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        names = [name for name in (*COVERED, *ELSEWHERE) if row.startswith(name)]
        assert len(names) == 1, f"{row!r} is named by {names}"
