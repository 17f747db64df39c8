"""For all tests: the folder of shared vectors, hypothesis profiles, markers, and an optional late clock.

This folder is not a package: pytest puts it on ``sys.path``, so that the helpers beside this file are imported by name.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest
from late_clock import LateClock

LATE_CLOCK = LateClock() if os.environ.get("WATCHWORD_TEST_CLOCK") == "late" else None

CI = os.environ.get("CI", "").lower() in {"1", "true"}

# A deadline measures the machine, not the code. CI must give the same verdict twice, so it draws the same examples each
# time, and more of them; a developer's run explores.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=400,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if CI else "default"))


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell starts what it runs in the background; the programs that tests interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "live: takes tokens from third-party servers, started on loopback")
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    if LATE_CLOCK is not None:
        config.pluginmanager.register(LATE_CLOCK)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test vectors that the project does not own; the test is skipped if it does not exist."""
    named = os.environ.get("WATCHWORD_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"no shared vectors in {folder}: set WATCHWORD_SHARED to their folder")
    return folder
