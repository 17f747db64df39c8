"""The short form of ``python tests/soak/gateway.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import gateway
import pytest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory and open files are read from /proc")
def test_every_answer_through_nginx_is_right_while_everything_changes(tmp_path: Path) -> None:
    report = gateway.run(seconds=15, seed=20261122, clients=6, folder=tmp_path)
    print(*report.describe(), sep="\n")
    assert report.tally.wrong == []
    assert report.problems == []
    assert not [name for operator in report.operators for name in operator.missing()]
