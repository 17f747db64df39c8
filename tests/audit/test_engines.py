"""DuckDB, polars, pyarrow and ``verify`` give the same verdict on each of 200,000 rows, and the examples run."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")

import pyarrow.parquet as pq  # noqa: E402 - after what may be missing
from engine_tables import example, plain, run  # noqa: E402
from log_files import LogFiles  # noqa: E402
from test_token_log import audited as verified_alone  # noqa: E402

from watchword.audit import Auditor  # noqa: E402
from watchword.testing.token_log import AUDIENCE, ISSUERS  # noqa: E402

COLUMNS: dict[str, Any] = {"token": "token", "time": "used_at", "keep": ["request_id"]}


@pytest.fixture(scope="module")
def auditor(log_files: LogFiles) -> Auditor:
    return Auditor(log_files.keys, log_files.policy)


@pytest.fixture(scope="module")
def table(log_files: LogFiles) -> pa.Table:
    return pq.read_table(log_files.tokens)


@pytest.fixture(scope="module")
def alone(auditor: Auditor, table: pa.Table) -> pa.Table:
    """The verdicts of the Auditor alone, to which those of the engines must be equal in every column."""
    return plain(auditor.verify_column(table, **COLUMNS))


@pytest.fixture
def connection() -> Any:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    with duckdb.connect() as connected:
        yield connected


def test_the_log_has_exactly_its_known_verdicts(log_files: LogFiles, alone: pa.Table) -> None:
    truth = pq.read_table(log_files.truth)
    assert alone["code"].to_pylist() == truth["code"].to_pylist()
    assert collections.Counter(alone["code"].to_pylist()) == {None: log_files.log.valid_count, **log_files.log.codes}


def test_verify_gives_the_same_verdict_on_each_row(log_files: LogFiles, table: pa.Table, alone: pa.Table) -> None:
    timelines = {issuer: log_files.keys.timeline(issuer) for issuer in ISSUERS}
    policy, different = log_files.policy, []
    times = table["used_at"].cast(pa.int64()).to_pylist()
    codes, states = alone["code"].to_pylist(), alone["key_state"].to_pylist()
    for row, (token, time) in enumerate(zip(table["token"].to_pylist(), times, strict=True)):
        if codes[row] == "wrong_issuer":
            continue  # which keys such a token is verified with is a matter of the Auditor
        code, state = verified_alone(SimpleNamespace(token=token, used_at=time), timelines, policy)
        if code != codes[row] or (code is None and state != states[row]):
            different.append((row, code, codes[row], state, states[row]))
    assert not different


def test_a_reader_of_batches_that_cross_row_groups(log_files: LogFiles, auditor: Auditor, alone: pa.Table) -> None:
    with pq.ParquetFile(log_files.tokens) as file:
        batches = file.iter_batches(batch_size=9_999, columns=["used_at", "request_id", "token"])
        reader = pa.RecordBatchReader.from_batches(file.schema_arrow.empty_table().select([0, 1, 4]).schema, batches)
        assert plain(auditor.verify_column(reader, **COLUMNS, threads=2)).equals(alone)


def test_duckdb_relations_are_read_and_duckdb_reads_the_verdicts(
    log_files: LogFiles, auditor: Auditor, alone: pa.Table, connection: Any
) -> None:
    relation = connection.sql(f"FROM '{log_files.tokens}'")
    verdicts = auditor.verify_column(relation, **COLUMNS)  # noqa: F841 - DuckDB finds it by its name
    back = connection.cursor().sql("SELECT * FROM verdicts").to_arrow_table()
    assert plain(back).equals(alone)


def test_the_function_of_duckdb(log_files: LogFiles, auditor: Auditor, alone: pa.Table, connection: Any) -> None:
    from watchword.audit.duckdb import register

    register(connection, auditor)
    # Times are times in all zones, and on several threads.
    connection.execute("SET TimeZone = 'America/New_York'; SET threads = 2")
    query = f"SELECT request_id, unnest(verify_token(token, used_at)) FROM '{log_files.tokens}'"
    assert plain(connection.sql(query).to_arrow_table()).equals(alone)
    query = f"SELECT verify_token(token, used_at).code, count(*) FROM '{log_files.tokens}' GROUP BY 1"
    assert dict(connection.sql(query).fetchall()) == {None: log_files.log.valid_count, **log_files.log.codes}


def test_polars(log_files: LogFiles, auditor: Auditor, alone: pa.Table) -> None:
    pl = pytest.importorskip("polars", reason="polars is not installed")
    frame = pl.read_parquet(log_files.tokens)
    audited = pl.DataFrame(auditor.verify_column(frame, **COLUMNS))
    assert audited["code"].dtype == pl.Categorical
    # pyarrow reads no dictionaries of string views.
    assert plain(audited.cast({pl.Categorical: pl.String})).equals(alone)
    assert plain(auditor.verify_column(frame.rechunk(), **COLUMNS)).equals(alone)


def test_polars_streams(log_files: LogFiles, auditor: Auditor, alone: pa.Table) -> None:
    pl = pytest.importorskip("polars", reason="polars is not installed")

    def audit(frame: Any) -> Any:
        return pl.DataFrame(auditor.verify_column(frame, **COLUMNS))

    rows = pl.scan_parquet(log_files.tokens)
    schema = audit(rows.head(0).collect()).schema
    lazy = rows.map_batches(audit, schema=schema, streamable=True)
    streamed = plain(lazy.collect(engine="streaming").cast({pl.Categorical: pl.String}))
    assert streamed.sort_by("request_id").equals(alone.sort_by("request_id"))


@pytest.mark.parametrize("engine", ["DuckDB", "polars"])
def test_the_examples(engine: str, log_files: LogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(engine.lower(), reason=f"{engine} is not installed")
    (tmp_path / "log.parquet").symlink_to(log_files.tokens)
    (tmp_path / "keys.ndjson").symlink_to(log_files.directory / "keys.ndjson")
    monkeypatch.chdir(tmp_path)
    names = run(example("") + example(engine), {})
    codes = log_files.log.codes
    if engine == "DuckDB":
        assert names["counts"] == [(None, log_files.log.valid_count), *sorted(codes.items())]
        assert sum(uses for _, uses, _ in names["late"]) == codes["expired"]
        assert all(latest > 0 for *_, latest in names["late"])
        names["connection"].close()
    else:
        assert dict(names["refused"].rows()) == codes
        counts: collections.Counter[str | None] = collections.Counter()
        for _, found, uses in names["by_issuer"].rows():
            counts[found] += uses
        assert counts == {None: log_files.log.valid_count, **codes}


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [("duckdb", "duckdb", "duckdb"), ("spark", "pyspark", "spark"), ("spark", "pyarrow", "spark")],
)
def test_a_missing_package_is_named_with_its_extra(module: str, missing: str, extra: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import watchword.audit.{module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"pip install 'watchword[{extra}]'" in done.stderr.splitlines()[-1]


def test_the_engines_are_imported_by_their_modules_only() -> None:
    program = (
        "import sys, watchword.audit; "
        "print(*sorted({'pyarrow', 'duckdb', 'polars', 'pyspark', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("output_format", ["parquet", "ndjson"])
def test_the_command_line(log_files: LogFiles, alone: pa.Table, tmp_path: Path, output_format: str) -> None:
    issuers = [word for issuer in ISSUERS for word in ("--issuer", issuer)]
    algorithms = [word for algorithm in log_files.policy.algorithms or () for word in ("--algorithm", algorithm)]
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "watchword.cli",
                "audit",
                str(log_files.tokens),
                "--keys",
                str(log_files.directory / "keys.ndjson"),
            ),
            *issuers,
            *algorithms,
            *("--audience", AUDIENCE, "--token-field", "token", "--time-field", "used_at", "--quiet"),
            *("--output", str(tmp_path / "audit"), "--output-format", output_format),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    parts = sorted((tmp_path / "audit" / "parts").iterdir())
    if output_format == "parquet":
        found = pa.concat_tables([plain(pq.read_table(part)) for part in parts])
        assert found["row"].to_pylist() == list(range(1, found.num_rows + 1))
        names = [name for name in alone.schema.names if name != "request_id"]
        assert found.select(names).equals(alone.select(names))
    else:
        rows = [json.loads(line) for part in parts for line in part.read_bytes().splitlines()]
        for name in ("valid", "code", "key_state", "issuer", "subject", "actors", "scope", "token_id", "token_hash"):
            assert [row[name] for row in rows] == alone[name].to_pylist()
