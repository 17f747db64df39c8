"""A generated log of 200,000 rows, for all tests of audits: made once, and kept outside the repository."""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

import watchword as ww
import watchword.testing
from watchword.jwks.archive import KeyArchive
from watchword.testing.token_log import TokenLog


@dataclass(frozen=True)
class LogFiles:
    """The files of a data set (``watchword.testing.token_log.data_set``), and what they are audited with."""

    directory: Path
    log: TokenLog

    @property
    def tokens(self) -> Path:
        return self.directory / "tokens.parquet"

    @property
    def truth(self) -> Path:
        return self.directory / "truth.parquet"

    @functools.cached_property
    def keys(self) -> KeyArchive:
        return KeyArchive.open(self.directory / "keys.ndjson")

    @property
    def policy(self) -> ww.Policy:
        return self.log.policy


@pytest.fixture(scope="session")
def log_files() -> LogFiles:
    """200,000 rows with all tokens distinct, as Parquet."""
    pytest.importorskip("pyarrow", reason="the extra audit is not installed")
    from watchword.testing.token_log.data_set import write_data_set

    log = TokenLog(200_000)
    # Another program makes another log: its digest is part of the name.
    program = hashlib.sha256()
    for source in sorted(Path(watchword.testing.__file__).parent.rglob("*.py")):
        program.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "watchword-tests" / f"log-{log.rows}-{program.hexdigest()[:16]}"
    write_data_set(directory, log)
    return LogFiles(directory, log)
