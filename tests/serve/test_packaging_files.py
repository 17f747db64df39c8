"""The systemd unit and the container file: what they allow, and that they use options that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from watchword.cli.command import build_parser

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "watchword.service"
CONTAINER = (ROOT / "packaging" / "Containerfile").read_text()

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def commands() -> list[list[str]]:
    """The commands of both files."""
    found = re.findall(r"^Exec\w+=/usr/bin/env watchword (.*)$", UNIT.read_text(), re.MULTILINE)
    entry, arguments, health = (
        json.loads(re.search(rf"^\s*{name} (\[.*\])$", CONTAINER, re.MULTILINE)[1])
        for name in ("ENTRYPOINT", 'CMD(?= \\["--)', 'CMD(?= \\["w)')
    )
    return [*(line.split() for line in found), [*entry, *arguments][1:], health[1:]]


def test_the_commands_exist() -> None:
    assert len(commands()) == 4
    for command in commands():
        assert build_parser().parse_args(command).verb == "serve"


@needs_systemd
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    copy = shutil.copy(UNIT, tmp_path / UNIT.name)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_unit_is_a_sandbox() -> None:
    """Its exposure, from 0 to 100: 12 with the network that it needs."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_container_runs_as_nobody_and_builds_with_what_the_workspace_needs() -> None:
    assert re.search(r"^USER 10001:10001$", CONTAINER, re.MULTILINE)
    needed = re.search(r'^rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    given = re.search(r"RUST_VERSION=([\d.]+)", CONTAINER)[1]
    assert [*map(int, given.split("."))] >= [*map(int, needed.split("."))]
