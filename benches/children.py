"""Processes that must be built or installed before they are measured: the kernel's benchmarks, and fast-jwt."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KERNEL = HERE / "kernel" / "Cargo.toml"
NODE = HERE / "node"


@functools.cache
def kernel_binaries() -> dict[str, Path]:
    """Compile and return the binaries of ``benches/kernel``."""
    built = _cargo("build", "--release", "--locked", "--bins", "--message-format", "json-render-diagnostics")
    messages = map(json.loads, built.splitlines())
    return {found["target"]["name"]: Path(found["executable"]) for found in messages if found.get("executable")}


def kernel_interleaved(rounds: int, seconds: float, text: str = "") -> list[dict[str, Any]]:
    """Return the times of the kernel's contenders, for groups whose name contains ``text``, as Python's are kept."""
    command = [str(kernel_binaries()["interleaved"]), str(rounds), str(seconds), text]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def criterion() -> list[dict[str, Any]]:
    """Run ``cargo bench`` and return criterion's results: nanoseconds, by group and contender."""
    start = time.time()
    _cargo("bench", "--locked")
    folder = (
        Path(json.loads(_cargo("metadata", "--no-deps", "--format-version", "1"))["target_directory"]) / "criterion"
    )
    # The folder still has the results of earlier runs, perhaps of groups that no longer exist.
    written = (path for path in folder.glob("**/new/estimates.json") if path.stat().st_mtime >= start)
    return [_estimate(path) for path in sorted(written)]


def _estimate(path: Path) -> dict[str, Any]:
    benchmark, estimates = json.loads((path.parent / "benchmark.json").read_text()), json.loads(path.read_text())
    nanoseconds = {name: estimates[name]["point_estimate"] for name in ("median", "mean")}
    return {"group": benchmark["group_id"], "contender": benchmark["function_id"], "nanoseconds": nanoseconds}


def _cargo(*arguments: str) -> str:
    """Return its standard output."""
    command = ["cargo", arguments[0], "--manifest-path", str(KERNEL), *arguments[1:]]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def node() -> str:
    """Return the command that runs JavaScript."""
    found = shutil.which("node")
    if found is None:
        raise RuntimeError("node is not installed: --without node leaves out what needs it")
    return found


@functools.cache
def node_package() -> Path:
    """Install the packages of fast-jwt's contender, as pinned in the lock file, and return their folder."""
    wanted = NODE / "package-lock.json"
    # npm writes this file last.
    done = NODE / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, stdout=subprocess.DEVNULL, check=True)
    return NODE
