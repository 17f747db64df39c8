"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

COMMAND = [sys.executable, "-m", "watchword.cli"]

#: The names of the commands.
COMMANDS = (
    "verify",
    "audit",
    "inspect",
    "thumbprint",
    "keys",
    "check",
    "explain",
    "serve",
    "demo",
    "completion",
    "man",
)


def start(*arguments: str, **options) -> subprocess.Popen[bytes]:
    """With pipes for its streams, unless ``options`` say otherwise."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "PYTHONWARNINGS": "error", "NO_COLOR": "", "COLUMNS": "80"}
    return subprocess.Popen([*COMMAND, *arguments], **{**streams, "env": environment, **options})
