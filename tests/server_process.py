"""A server in a process of its own: started, ready when its endpoints answer, always stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

#: Seconds: two cores may be busy with something else; a healthy start takes two or three.
START_TIMEOUT = 60.0

#: Ends the server when this process ends, in whatever way.
GUARD = Path(__file__).with_name("process_guard.py")


class ServerDied(Exception):
    """The process ended before it was ready."""


@contextmanager
def serving(
    command: list[str],
    *,
    log: Path,
    ready: Callable[[], bool],
    cwd: Path,
    env: dict[str, str] | None = None,
    timeout: float = START_TIMEOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` while the block runs; its output is written to ``log``.

    It ends with this process even if that is killed (``process_guard.py``). Raises :class:`ServerDied` or
    ``TimeoutError`` if it is not ready within ``timeout`` seconds, with the end of the log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", str(GUARD), *command],
            cwd=cwd,
            env=env or dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the tests, which then stop their servers in order.
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + timeout
        while not ready():
            if process.poll() is not None:
                raise ServerDied(f"{command[0]} ended with {process.returncode}: {tail(log)}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} was not ready after {timeout} s: {tail(log)}")
            time.sleep(0.05)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits, insists."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def answers(url: str) -> bool:
    """Whether ``url`` answers 200."""
    try:
        return httpx2.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
