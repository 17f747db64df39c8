"""What a user's type checker says: nothing about a correct program, and something about each of these mistakes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import watchword.jwks

HERE = Path(__file__).parent
GOOD = HERE / "uses_everything.py"
BAD = HERE / "mistakes.py"

pytestmark = pytest.mark.slow


def _mypy(path: Path, folder: Path) -> list[str]:
    """What ``mypy --strict`` prints, without the project's own settings, for a file that is not part of the project."""
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            *("--hide-error-context", f"--cache-dir={folder / 'cache'}", copy.name),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("program", sorted(HERE.glob("uses_*.py")), ids=lambda path: path.stem)
def test_a_program_without_mistakes_is_accepted(program: Path, tmp_path: Path) -> None:
    assert _mypy(program, tmp_path) == []


@pytest.mark.parametrize(("name", "module"), [("ww", watchword), ("jwks", watchword.jwks)])
def test_that_program_uses_every_public_name(name: str, module: ModuleType) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(GOOD.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    assert set(module.__all__) <= used


def test_each_mistake_is_found_and_nothing_else(tmp_path: Path) -> None:
    expected = {}
    for number, line in enumerate(BAD.read_text().splitlines(), start=1):
        marked = re.search(r"# mistake: (.+)$", line)
        if marked:
            expected[number] = marked[1]
    assert expected
    found = {}
    for line in _mypy(BAD, tmp_path):
        error = re.fullmatch(r"mistakes\.py:(\d+): error: .*\[([a-z-]+)\]", line)
        if error:
            found[int(error[1])] = error[2]
    assert found == expected
