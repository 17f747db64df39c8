"""A server never outlives the test run that started it, and neither does what the server started."""

from __future__ import annotations

import subprocess
import sys

import pytest
from server_process import GUARD

#: It has a child; both write to standard output, which ends once neither runs any more.
SERVER = "sleep 600 & echo started; wait"


def _guarded(script: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", str(GUARD), "sh", "-c", script]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


# The second ignores SIGTERM, as does its child.
@pytest.mark.parametrize("script", [SERVER, f"trap '' TERM; {SERVER}"], ids=["obedient", "stubborn"])
def test_a_server_ends_with_the_input_and_takes_its_children_along(script: str) -> None:
    with _guarded(script) as guard:
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"started\n"
        # Closes the standard input, then reads to the end of the output.
        output, _ = guard.communicate(timeout=60)
    assert output == b""


def test_a_server_ends_with_the_guard() -> None:
    with _guarded(SERVER) as guard:
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"started\n"
        guard.terminate()
        guard.wait(timeout=60)
        output, _ = guard.communicate(timeout=60)
    assert output == b""


def test_the_code_that_a_server_ends_with_is_the_guards() -> None:
    with _guarded("exit 3") as guard:
        assert guard.wait(timeout=60) == 3
