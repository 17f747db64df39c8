"""The verdicts on a generated log are exactly those that it announces: with tokens that repeat, and with proofs."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")

import pyarrow.parquet as pq  # noqa: E402 - after what may be missing

from watchword.audit import Auditor  # noqa: E402
from watchword.jwks.archive import KeyArchive  # noqa: E402
from watchword.testing.token_log import TokenLog  # noqa: E402
from watchword.testing.token_log.data_set import write_data_set  # noqa: E402


def audited(log: TokenLog, directory: Path, **columns: str) -> tuple[pa.Table, pa.Table, Auditor]:
    write_data_set(directory, log)
    auditor = Auditor(KeyArchive.open(directory / "keys.ndjson"), log.policy)
    tokens = pq.read_table(directory / "tokens.parquet")
    verdicts = auditor.verify_column(tokens, token="token", time="used_at", **columns)
    return pa.table(verdicts), pq.read_table(directory / "truth.parquet"), auditor


def codes(log: TokenLog) -> dict[Any, int]:
    return {None: log.valid_count, **log.codes}


def test_tokens_that_are_used_fifty_times(tmp_path: Path) -> None:
    log = TokenLog(200_000, uses_per_token=50)
    verdicts, truth, auditor = audited(log, tmp_path)
    assert verdicts["code"].to_pylist() == truth["code"].to_pylist()
    assert collections.Counter(verdicts["code"].to_pylist()) == codes(log)
    distinct = len(set(verdicts["token_hash"].to_pylist()) - {None})
    # Once to be seen, once to be kept; and again if it is used on both sides of a change of keys.
    assert auditor.examined <= 2.2 * distinct < 0.1 * log.rows


def test_proofs_and_their_replays(tmp_path: Path) -> None:
    log = TokenLog(20_000, proofs=True)
    verdicts, truth, _ = audited(log, tmp_path, method="method", uri="uri", proof="proof")
    assert verdicts["code"].to_pylist() == truth["code"].to_pylist()
    assert collections.Counter(verdicts["code"].to_pylist()) == codes(log)
    uses = collections.Counter(filter(None, verdicts["proof_hash"].to_pylist()))
    assert sum(count - 1 for count in uses.values()) == log.replay_count > 0
