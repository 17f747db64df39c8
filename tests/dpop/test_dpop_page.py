"""The page about DPoP lists every error code."""

from __future__ import annotations

from pathlib import Path

import watchword as ww

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dpop.md"


def test_the_page_names_every_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for code in ww.ErrorCode:
        if code.value.startswith("dpop_") or code.value in ("missing_token", "malformed_request"):
            assert f"`{code.value}`" in page, code
