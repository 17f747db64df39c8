"""Audits on a real Spark: a driver, a master and two executors, which write the verdicts as Parquet.

It takes a minute, so that it runs with ``WATCHWORD_LIVE=all`` only. Without Java or PySpark it is skipped; in CI that
is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

CI = os.environ.get("CI", "").lower() in {"1", "true"}


def unavailable(reason: str) -> NoReturn:
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


if os.environ.get("WATCHWORD_LIVE") != "all":
    pytest.skip("takes a minute, and needs Java: WATCHWORD_LIVE=all", allow_module_level=True)

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")

import pyarrow.parquet as pq  # noqa: E402 - after what may be missing
from engine_tables import example, plain, run  # noqa: E402
from log_files import LogFiles  # noqa: E402

import watchword  # noqa: E402
from watchword.audit import Auditor  # noqa: E402
from watchword.jwks.archive import KeyArchive  # noqa: E402
from watchword.testing.token_log import TokenLog  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # It supports what is used here: no data frame of pandas is made.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

EXECUTORS = 2


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        unavailable("Spark needs Java 17")
    try:
        import pandas  # noqa: F401 - what mapInArrow requires
        import pyspark
        from pyspark.sql import SparkSession
    except ImportError as error:
        unavailable(f"the extra spark is not installed: {error}")
    folder = tmp_path_factory.mktemp("spark")
    package = str(Path(watchword.__file__).parents[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        # Executors are started in Spark's home, into which they write: that of an installed package may be read-only.
        home = folder / "home"
        home.mkdir()
        for part in ("bin", "jars"):
            (home / part).symlink_to(Path(pyspark.__file__).with_name(part))
        patch.setenv("SPARK_HOME", str(home))
        session = (
            SparkSession.builder.master(f"local-cluster[{EXECUTORS},1,1024]")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.executorEnv.PYTHONPATH", package)
            .config("spark.local.dir", str(folder / "local"))
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.sql.session.timeZone", "America/New_York")
            # Some partitions for each executor, whatever the size of the files.
            .config("spark.sql.files.maxPartitionBytes", str(16 << 20))
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
        gateway = session.sparkContext._gateway
        yield session
        session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(60)


@pytest.fixture(scope="module")
def auditor(log_files: LogFiles) -> Auditor:
    return Auditor(log_files.keys, log_files.policy)


@pytest.fixture(scope="module")
def alone(auditor: Auditor, log_files: LogFiles) -> pa.Table:
    table = pq.read_table(log_files.tokens)
    audited = plain(auditor.verify_column(table, token="token", time="used_at", keep=["request_id"]))
    return audited.sort_by("request_id")


def test_the_example_writes_the_same_verdict_on_each_row(
    spark: Any, log_files: LogFiles, alone: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.parquet").symlink_to(log_files.tokens)
    (tmp_path / "keys.ndjson").symlink_to(log_files.directory / "keys.ndjson")
    monkeypatch.chdir(tmp_path)

    class InThisFolder:
        """The session, whose working directory is another."""

        class read:
            @staticmethod
            def parquet(name: str) -> Any:
                return spark.read.parquet(str(tmp_path / name))

    written = tmp_path / "audited.parquet"
    blocks = [block.replace('"audited.parquet"', repr(str(written))) for block in example("Spark")]
    run([*example(""), *blocks], {"spark": InThisFolder})
    parts = sorted(written.glob("part-*.parquet"))
    assert len(parts) > EXECUTORS
    assert plain(pq.read_table(written)).sort_by("request_id").equals(alone)
    # One part has a partition's rows in their order.
    part = pq.read_table(parts[0])["request_id"].to_pylist()
    start = pq.read_table(log_files.tokens, columns=["request_id"])["request_id"].to_pylist().index(part[0])
    assert part == pq.read_table(log_files.tokens)["request_id"].slice(start, len(part)).to_pylist()


def test_every_executor_verifies(spark: Any, log_files: LogFiles, auditor: Auditor, alone: pa.Table) -> None:
    from pyspark.sql.functions import count

    from watchword.audit.spark import verify_with

    df = spark.read.parquet(str(log_files.tokens)).repartition(8)
    audited = verify_with(auditor, df, token="token", time="used_at")
    counts = {row["code"]: row["rows"] for row in audited.groupBy("code").agg(count("*").alias("rows")).collect()}
    assert counts == {None: log_files.log.valid_count, **log_files.log.codes}
    executors = spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    assert len(executors) == EXECUTORS + 1  # and the driver


def test_kept_columns_have_their_types(spark: Any, log_files: LogFiles, auditor: Auditor) -> None:
    from watchword.audit.spark import verify_with

    df = spark.read.parquet(str(log_files.tokens)).limit(50).selectExpr(
        "token AS `the.token`", "unix_micros(used_at) / 1e6D AS at", "CAST(1.5 AS DECIMAL(9, 2)) AS `a``b`",
        "named_struct('n', 1) AS record", "map('k', array(1)) AS counts", "used_at", "current_date() AS day",
    )  # fmt: skip
    keep = ["a`b", "record", "counts", "used_at", "day", "the.token"]
    audited = verify_with(auditor, df, token="the.token", time="at", keep=keep)
    assert audited.columns[: len(keep)] == keep
    assert [audited.schema[name].dataType for name in keep] == [df.schema[name].dataType for name in keep]
    for row in audited.collect():
        assert row["a`b"] == row["a`b"].__class__("1.50")
        assert row["record"].n == 1
        assert row["counts"] == {"k": [1]}
        assert row["time"] == row["used_at"]


def test_times_of_all_types_are_the_same_moments(spark: Any, auditor: Auditor, log_files: LogFiles) -> None:
    from watchword.audit.spark import verify_with

    df = spark.read.parquet(str(log_files.tokens)).where("request_id LIKE '%7' AND used_at IS NOT NULL")
    times = (
        "used_at",
        "to_utc_timestamp(used_at, 'America/New_York')::TIMESTAMP_NTZ",  # the session's zone is New York
        "unix_seconds(used_at)",
        "unix_micros(used_at) / 1e6D",
    )
    found = []
    for time in times:
        frame = df.selectExpr("token", "request_id", f"{time} AS at")
        audited = verify_with(auditor, frame, token="token", time="at", keep=["request_id"])
        found.append(audited.selectExpr("request_id", "unix_seconds(time)", "code").collect())
    assert len(found[0]) > 10_000
    for time, rows in zip(times, found, strict=True):
        assert sorted(rows) == sorted(found[0]), time


def test_one_time_for_all_rows(spark: Any, auditor: Auditor, log_files: LogFiles) -> None:
    from watchword.audit.spark import verify_with

    df = spark.read.parquet(str(log_files.tokens)).select("token")
    now = 4_000_000_000.0
    rows = verify_with(auditor, df, token="token", time=now).groupBy("time", "valid").count().collect()
    assert [(row["time"].timestamp(), row["valid"], row["count"]) for row in rows] == [(now, False, 200_000)]


def test_proofs_of_possession(spark: Any, tmp_path: Path) -> None:
    from watchword.audit.spark import verify_column
    from watchword.testing.token_log.data_set import write_data_set

    log = TokenLog(2_000, proofs=True)
    write_data_set(tmp_path, log, processes=1)
    keys = KeyArchive.open(tmp_path / "keys.ndjson")
    columns = {"token": "token", "time": "used_at", "method": "method", "uri": "uri", "proof": "proof"}
    audited = verify_column(
        spark.read.parquet(str(tmp_path / "tokens.parquet")),
        keys=keys,
        policy=log.policy,
        keep=["request_id"],
        **columns,
    )
    audited.write.parquet(str(tmp_path / "audited"))
    written = plain(pq.read_table(tmp_path / "audited"))
    table = pq.read_table(tmp_path / "tokens.parquet")
    want = plain(Auditor(keys, log.policy).verify_column(table, keep=["request_id"], **columns))
    assert written.schema.names[-2:] == ["proof_key", "proof_hash"]
    assert written.sort_by("request_id").equals(want.sort_by("request_id"))
    proofs = [value for value in written["proof_hash"].to_pylist() if value is not None]
    assert len(proofs) - len(set(proofs)) == log.replay_count


MISTAKES = [
    ({"token": "tokens"}, ValueError, 'there is no column "tokens"; the columns are "used_at"'),
    ({"time": "token"}, ValueError, "cast it to timestamps, or to numbers of Unix seconds"),
    ({"time": "day"}, ValueError, 'the column "day" is date: cast it'),
    ({"token": "day"}, ValueError, 'the column "day" is date: cast it to strings or binary'),
    ({"keep": ["nothing"]}, ValueError, 'there is no column "nothing"'),
    ({"keep": "token"}, TypeError, "keep must be a list or tuple of names"),
    ({"method": "method"}, ValueError, "method and uri are those of a proof"),
    ({"policy": None}, TypeError, "policy must be a Policy"),
]


@pytest.mark.parametrize(("options", "error", "text"), MISTAKES, ids=[text for _, _, text in MISTAKES])
def test_mistakes_are_found_before_the_plan_runs(
    spark: Any, log_files: LogFiles, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    from watchword.audit.spark import verify_column

    df = spark.read.parquet(str(log_files.tokens)).selectExpr("*", "current_date() AS day")
    arguments = {"token": "token", "time": "used_at", "keys": log_files.keys, "policy": log_files.policy, **options}
    with pytest.raises(error) as caught:
        verify_column(df, **arguments)
    assert text in str(caught.value)
