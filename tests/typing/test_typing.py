"""What a user's type checker reports: nothing about a correct program, and each of these mistakes."""

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
    """Return the output of ``mypy --strict``, without the project's settings, for a file outside of the project."""
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


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all programs: what mypy caches about Watchword is the same for each."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("program", sorted(HERE.glob("uses_*.py")), ids=lambda path: path.stem)
def test_a_program_without_mistakes_is_accepted(program: Path, folder: Path) -> None:
    assert _mypy(program, folder) == []


@pytest.mark.parametrize(("name", "module"), [("ww", watchword), ("jwks", watchword.jwks)])
def test_that_program_uses_every_public_name(name: str, module: ModuleType) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(GOOD.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    assert set(module.__all__) <= used


def test_each_mistake_is_found_and_nothing_else(folder: Path) -> None:
    expected = {}
    for number, line in enumerate(BAD.read_text().splitlines(), start=1):
        marked = re.search(r"# mistake: (.+)$", line)
        if marked:
            expected[number] = marked[1]
    assert expected
    found = {}
    for line in _mypy(BAD, folder):
        error = re.fullmatch(r"mistakes\.py:(\d+): error: .*\[([a-z-]+)\]", line)
        if error:
            found[int(error[1])] = error[2]
    assert found == expected
