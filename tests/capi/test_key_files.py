"""libwatchword with files of keys that change, and under a clock that is set."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import endpoint
import native_gate
import pytest
from native_gate import NativeGate

from watchword.testing import LocalIssuer

ORIGIN = "https://api.example"
ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "PS256")


@pytest.fixture(autouse=True)
def _library() -> None:
    native_gate.require_library()


@contextlib.contextmanager
def opened(config: Path, keys: Path | None = None) -> Iterator[Callable[[str], str]]:
    """Yield what returns the code of the decision on a token."""
    gate = NativeGate(config, keys)
    try:
        yield lambda token: gate.check("GET", "/orders", [("Authorization", f"Bearer {token}")]).code
    finally:
        gate.close()


def write_config(folder: Path, *issuers: dict[str, object]) -> Path:
    config = {"public_url": ORIGIN, "token": {"audience": ORIGIN}, "issuers": issuers, "routes": [{"path": "/orders"}]}
    path = folder / "gate.json"
    path.write_text(json.dumps(config))
    return path


def sync(config: Path, output: Path) -> int:
    arguments = ("keys", "sync", "--config", str(config), "--output", str(output), "--once")
    command = [sys.executable, "-m", "watchword.cli", *arguments]
    return subprocess.run(command, capture_output=True, timeout=endpoint.LONG, check=False).returncode


def wait_for(code: str, check: Callable[[str], str], token: str) -> None:
    deadline = time.monotonic() + endpoint.LONG
    while check(token) != code:
        assert time.monotonic() < deadline, check(token)
        time.sleep(0.02)


def test_the_file_of_keys_sync(tmp_path: Path) -> None:
    output = tmp_path / "keys.json"
    first = LocalIssuer(audience=ORIGIN, algorithms=ALGORITHMS)
    second = LocalIssuer(audience=ORIGIN)
    with first.serve() as one, second.serve() as other:
        config = write_config(
            tmp_path, *({"issuer": issuer.issuer, "allow_loopback_http": True} for issuer in (one, other))
        )
        with other.outage():
            assert sync(config, output) == 1
        with opened(config, output) as check:
            assert [check(one.mint(algorithm=algorithm)) for algorithm in ALGORITHMS] == ["allowed"] * len(ALGORITHMS)
            assert check(other.mint()) == "keys_unavailable"
            # No issuer's keys are used for another's tokens.
            assert check(second.mint(iss=one.issuer, algorithm="EdDSA")) == "invalid_signature"

            assert sync(config, output) == 0
            wait_for("allowed", check, other.mint())
            old = other.mint()
            other.rotate()
            assert check(other.mint()) == "unknown_key"
            assert sync(config, output) == 0
            wait_for("allowed", check, other.mint())
            assert check(old) == "allowed"
            other.remove_key("eddsa-1")
            assert sync(config, output) == 0
            wait_for("unknown_key", check, old)


_CLOCK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile long stepped;

void step_clock(long seconds) { stepped += seconds; }

int clock_gettime(clockid_t clock, struct timespec *found) {
  long result = syscall(SYS_clock_gettime, clock, found);
  if (result == 0 && clock == CLOCK_REALTIME) found->tv_sec += stepped;
  return (int)result;
}
"""

_STEPS = """
import ctypes, sys
from pathlib import Path
from native_gate import NativeGate

gate, step_clock = NativeGate(Path(sys.argv[1])), ctypes.CDLL(None).step_clock
step_clock.argtypes = [ctypes.c_long]
for step in (3_600, -7_200, 86_400, -86_400):
    step_clock(step)
    print(gate.check("GET", "/orders", [("Authorization", "Bearer " + sys.argv[2])]).code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clock is replaced as Linux's linker allows it")
def test_a_clock_that_is_set_does_not_make_keys_unavailable(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (tmp_path / "clock.c").write_text(_CLOCK)
    clock = tmp_path / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(clock), str(tmp_path / "clock.c")], check=True)
    issuer = LocalIssuer(audience=ORIGIN)
    config = write_config(tmp_path, {"issuer": issuer.issuer, "jwks": issuer.jwks()})
    token = issuer.mint(iat=None, expires_in=10 * 86_400)
    environment = {**os.environ, "LD_PRELOAD": str(clock), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _STEPS, str(config), token]
    stepped = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (stepped.stdout.split(), stepped.stderr) == (["allowed"] * 4, "")
