"""What a process uses: memory, open files, connections. From Linux' ``/proc``."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition, and return how long that took. Raises ``TimeoutError`` after so many seconds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - begun


def below(pid: int) -> list[int]:
    """Return the processes that this one started, and those that they started."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *below(int(child))]
    return found


def started_in(folder: Path, begins: str) -> list[int]:
    """Return the processes below this one that run in the folder, and whose command line begins like this."""
    found = []
    for pid in below(os.getpid()):
        with contextlib.suppress(OSError):
            line = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            if line.startswith(begins) and os.readlink(_PROC / str(pid) / "cwd") == str(folder.resolve()):
                found.append(pid)
    return found


def resident(pid: int) -> int:
    """Return the bytes of memory that are resident."""
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise ValueError(f"{pid} has no memory of its own: it has ended")


def open_files(pid: int) -> list[str]:
    """Return what the file descriptors of a process lead to."""
    found = []
    for link in (_PROC / str(pid) / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(link))
    return found


def connections(pid: int) -> int:
    """Return the number of TCP connections of a process, in whatever state."""
    sockets = {name for name in open_files(pid) if name.startswith("socket:")}
    lines = [line.split() for line in (_PROC / str(pid) / "net/tcp").read_text().splitlines()[1:]]
    return sum(f"socket:[{line[9]}]" in sockets and line[3] != _LISTENS for line in lines)
