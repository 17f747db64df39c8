"""Archives of a few keys, whose times are short to write."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where an archive may be written."""
    return str(tmp_path / "keys.ndjson")
