"""Every child of a fork verifies, at any moment of the fork. The long form of this is ``fork_loop.py`` itself:

python tests/forks/fork_loop.py --forks 10000
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

LOOP = Path(__file__).with_name("fork_loop.py")
FORKS = int(os.environ.get("WATCHWORD_FORKS", "288"))


def test_every_child_verifies() -> None:
    """In a process of its own: pytest's may have threads."""
    ended = subprocess.run(
        [sys.executable, str(LOOP), "--forks", str(FORKS)], capture_output=True, text=True, check=False
    )
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert set(summary["outcomes"]) == {"verified"}, f"{summary}\n{ended.stderr}"
    assert summary["outcomes"]["verified"] >= FORKS
