"""The published packages' own suites over ours: how many of their tests pass.

The others use private names, message texts, or ID tokens that nobody signed, which a verifying client must reject.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import live_install
import pytest

ALIASES = Path(__file__).with_name("published_suites")

#: What the suites need beside this environment.
PLUGINS = ("pytest-asyncio==1.5.0", "pytest-httpx==0.36.2")

#: Package, version, its tests, and how many of how many must pass.
SUITES = (
    ("authgent", "0.3.4", "tests", 33, 48),
    ("authpi-idp", "0.3.0", "tests", 163, 200),
    ("authpi-idp", "1.1.2", "tests", 211, 275),
    ("agentwrit", "0.3.0", "tests/unit", 73, 99),
)


def _installed() -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

    def install(folder: Path) -> None:
        live_install.run(
            [*pip, "install", "--no-deps", "--target", str(folder / "plugins"), *PLUGINS], "install plugins"
        )
        for name, version, _, _, _ in SUITES:
            source = [*pip, "download", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
            live_install.run([*source, f"{name}=={version}"], f"download {name}")
        for archive in folder.glob("*.tar.gz"):
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")

    return live_install.once("published-suites", install, repr((PLUGINS, SUITES)).encode())


@pytest.mark.parametrize(("name", "version", "tests", "least", "total"), SUITES, ids=str)
def test_the_published_suite(name: str, version: str, tests: str, least: int, total: int) -> None:
    folder = _installed()
    source = folder / f"{name.replace('-', '_')}-{version}"
    alias = f"alias_{name.partition('-')[0]}"
    paths = [str(source), str(ALIASES), str(folder / "plugins"), *sys.path]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", alias, "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", str(source), "-o", "asyncio_mode=auto", tests],
        cwd=source,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|skipped)", done.stdout[-300:])}
    assert sum(counts.values()) == total, done.stdout[-3000:] + done.stderr[-3000:]
    assert counts["passed"] >= least, done.stdout[-3000:]
