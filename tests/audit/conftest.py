"""A generated log of 200,000 rows, for all tests of audits."""

from __future__ import annotations

import pytest
from log_files import LogFiles, cached

from watchword.testing.token_log import TokenLog


@pytest.fixture(scope="session", name="log_files")
def _log_files() -> LogFiles:
    """Parquet files of 200,000 rows with as many tokens; making them takes half a minute, once."""
    pytest.importorskip("pyarrow", reason="the extra audit is not installed")
    return cached(TokenLog(200_000))
