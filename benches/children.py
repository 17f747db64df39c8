"""What has to be built or installed before its processes can be measured: the kernel's benches, and fast-jwt."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KERNEL = HERE / "kernel" / "Cargo.toml"
NODE = HERE / "node"


@functools.cache
def kernel_binaries() -> dict[str, Path]:
    """The binaries of ``benches/kernel``, compiled."""
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", str(KERNEL)]
    command += ["--bins", "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    messages = map(json.loads, built.stdout.splitlines())
    return {found["target"]["name"]: Path(found["executable"]) for found in messages if found.get("executable")}


def kernel_interleaved(rounds: int, seconds: float, text: str = "") -> list[dict[str, Any]]:
    """What the kernel's contenders took in turns: groups whose name has the text in it, kept as those of Python are."""
    command = [kernel_binaries()["interleaved"], str(rounds), str(seconds), text]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def criterion() -> list[dict[str, Any]]:
    """Runs ``cargo bench`` and reads what criterion wrote: nanoseconds, by group and contender."""
    command = ["cargo", "bench", "--locked", "--manifest-path", str(KERNEL)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--manifest-path", str(KERNEL)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return read_criterion(Path(json.loads(metadata.stdout)["target_directory"]) / "criterion")


def read_criterion(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.glob("**/new/estimates.json")):
        benchmark = json.loads((path.parent / "benchmark.json").read_text())
        estimates = json.loads(path.read_text())
        found.append(
            {
                "group": benchmark["group_id"],
                "contender": benchmark["function_id"],
                "nanoseconds": {name: estimates[name]["point_estimate"] for name in ("median", "mean")},
            }
        )
    return found


def node() -> str:
    """The command that runs JavaScript."""
    found = shutil.which("node")
    if found is None:
        raise RuntimeError("node is not installed: --without node leaves out what needs it")
    return found


@functools.cache
def node_package() -> Path:
    """The folder of fast-jwt's contender, its packages installed as the lock file says."""
    wanted = NODE / "package-lock.json"
    # npm writes this file when it is done.
    done = NODE / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, stdout=subprocess.DEVNULL, check=True)
    return NODE
