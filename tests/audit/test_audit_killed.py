"""An audit that is killed at any moment is resumed, to the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_twenty_times_and_more(tmp_path: Path, seed: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, str(HERE / "killed_audits.py"), str(tmp_path), str(seed), "6"],
        capture_output=True,
        env=environment,
        check=True,
        timeout=300,
    )
    found = json.loads(answer.stdout)
    assert found["equal"] == 6
    assert found["killed"] >= 10
