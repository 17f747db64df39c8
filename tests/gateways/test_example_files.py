"""The configurations of the gateways' examples, as a user copies them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gateways import EXAMPLES, GATEWAYS, SECRET


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_the_configuration_of_the_gate_is_valid(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "gate.toml", tmp_path)
    (tmp_path / "identity.secret").write_text(SECRET)
    (tmp_path / "identity.secret").chmod(0o600)
    # Those inside a proxy have no server.
    is_served = "[server]" in (folder / "gate.toml").read_text()
    arguments = ["serve", "--config", "gate.toml", "--check"] if is_served else ["check", "gate.toml"]
    command = [sys.executable, "-m", "watchword.cli", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_is_run() -> None:
    assert {folder.name for folder in EXAMPLES.iterdir()} == {gateway.example for gateway in GATEWAYS}
