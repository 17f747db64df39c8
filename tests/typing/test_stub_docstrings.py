"""The stub of the kernel says what the compiled kernel says: its signatures, and its docstrings, which editors show."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_stub import STUB, documented, runtime_docstring, with_runtime_docstrings

import watchword
import watchword._kernel

HERE = Path(__file__).parent
TEXT = STUB.read_text(encoding="utf-8")
UPDATE = "differs from rust/python: run `python tests/typing/update_stub.py`"


def test_each_docstring_is_that_of_the_compiled_kernel() -> None:
    stub = {name: inspect.cleandoc(ast.get_docstring(node, clean=False) or "") for name, node in documented(TEXT)}
    compiled = {name: runtime_docstring(name) for name in stub}
    assert [name for name in stub if not compiled[name]] == [], "without a docstring in rust/python"
    assert [name for name in stub if stub[name] != compiled[name]] == [], UPDATE


def test_the_stub_declares_every_name_of_the_compiled_kernel() -> None:
    declared = {name for name, _ in documented(TEXT)}
    for name, value in vars(watchword._kernel).items():
        if isinstance(value, type):
            assert name in declared
            members = {f"{name}.{member}" for member in vars(value) if not member.startswith("__")}
            assert members <= declared


def test_updating_twice_is_updating_once() -> None:
    updated = with_runtime_docstrings(TEXT)
    assert with_runtime_docstrings(updated) == updated


@pytest.mark.slow
def test_the_signatures_are_those_of_the_compiled_kernel(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "watchword._kernel"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
