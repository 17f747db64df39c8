"""Install the servers of the live tests, once, into a folder that git ignores."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "live"
CI = os.environ.get("CI", "").lower() in {"1", "true"}


def unavailable(reason: str) -> NoReturn:
    """Fail if the installation is required; otherwise, on a developer's machine, skip."""
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


def authgent() -> Path:
    """The ``authgent-server`` command of its own virtual environment."""

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder)], "make a virtual environment")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        run([*pip, "-r", str(HERE / "requirements-authgent.txt")], "install authgent-server")

    pinned = (HERE / "requirements-authgent.txt").read_bytes()
    return once("authgent", install, pinned) / "bin" / "authgent-server"


def node_packages() -> Path:
    """The folder whose ``node_modules`` holds ``oidc-provider`` and ``pyright``."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        unavailable("node and npm are needed for oidc-provider and pyright")

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "install oidc-provider and pyright", cwd=folder)

    return once("node", install, (HERE / "package-lock.json").read_bytes())


def mcp_conformance() -> list[str]:
    """The command of the MCP project's conformance suite, with the Node.js that it needs."""
    npm = shutil.which("npm")
    if npm is None:
        unavailable("npm is needed for the MCP conformance suite")
    pinned = HERE / "mcp-conformance"

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, folder / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run(command, "install the MCP conformance suite", cwd=folder)

    modules = once("mcp-conformance", install, (pinned / "package-lock.json").read_bytes()) / "node_modules"
    nodes = [*(str(found) for found in modules.glob("node-*/bin/node")), shutil.which("node") or ""]
    return [nodes[0], str(modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js")]


def run(command: list[str], purpose: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """The standard output of a command that must succeed; installs that fail make the tests unavailable."""
    # A lock file for the tests' own environment says nothing about other environments.
    environment = {k: v for k, v in (env or os.environ).items() if k not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        unavailable(f"could not {purpose}: {error}")
    if done.returncode != 0:
        unavailable(f"could not {purpose}: {(done.stderr or done.stdout)[-1000:]}")
    return done.stdout


def once(name: str, install: Callable[[Path], None], pinned: bytes) -> Path:
    """The folder of what ``pinned`` describes, installed there unless an earlier run finished doing so."""
    folder = CACHE / f"{name}-{hashlib.sha256(pinned).hexdigest()[:12]}"
    finished = folder / ".installed"
    # Two test runs in one checkout install it once.
    with locked(CACHE / f"{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            install(folder)
            finished.touch()
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the file ``path`` against other processes."""
    import fcntl  # not on every system that can collect these tests and skip them

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
