"""docs/errors.md has each code once, with its class and its HTTP status."""

from __future__ import annotations

import re
from pathlib import Path

import watchword as ww
from watchword import dpop

PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text()
SECTIONS = re.findall(r"^### (\w+)\n\n`watchword\.(?:dpop\.)?(\w+)`, status (\d+)$", PAGE, flags=re.MULTILINE)


def test_every_code_has_a_section() -> None:
    assert sorted(code for code, _, _ in SECTIONS) == sorted(code.value for code in ww.ErrorCode)


def test_the_sections_name_class_and_status() -> None:
    for code, name, status in SECTIONS:
        error = getattr(ww, name, None) or getattr(dpop, name)
        assert (error.code.value, error.http_status) == (code, int(status))
