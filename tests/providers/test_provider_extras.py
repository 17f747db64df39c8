"""Importing a provider whose extra is not installed names the extra."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("paphwey.verify", "pydantic", "paphwey"),
        ("clawauth", "pydantic", "clawauth"),
        ("authpi", "pydantic", "authpi"),
        ("authgent.middleware.fastapi", "fastapi", "fastapi"),
        ("authgent.middleware.flask", "flask", "flask"),
    ],
)
def test_a_missing_extra_is_named(module: str, missing: str, extra: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import watchword.providers.{module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(f"pip install 'watchword[{extra}]'"), done.stderr
