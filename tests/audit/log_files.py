"""A generated log on disk: its files, and what they are audited with."""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import watchword as ww
import watchword.testing
from watchword.jwks.archive import KeyArchive
from watchword.testing.token_log import TokenLog


@dataclass(frozen=True)
class LogFiles:
    """A data set of ``watchword.testing.token_log.data_set``."""

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


def cached(log: TokenLog) -> LogFiles:
    """Return the log as Parquet, outside the repository: written unless it was, by the same program."""
    from watchword.testing.token_log.data_set import write_data_set

    program = hashlib.sha256()
    for source in sorted(Path(watchword.testing.__file__).parent.rglob("*.py")):
        program.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"log-{log.rows}-{log.uses_per_token}-{log.seed}-{program.hexdigest()[:16]}"
    directory = cache / "watchword-tests" / name
    write_data_set(directory, log)
    return LogFiles(directory, log)
