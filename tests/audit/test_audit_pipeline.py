"""Audits of files into a directory: verdicts, places, units, and resuming with what is there."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import sys
import threading
from pathlib import Path

import audit_logs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from audit_logs import LIMITS, Log, audit, content, job, make_log, rows_of, unreadable_of

import watchword as ww
from watchword.audit import journal as journals
from watchword.audit.digests import file_sha256
from watchword.audit.errors import AuditError
from watchword.audit.manifest import make_manifest
from watchword.audit.parquet_reader import read_parquet
from watchword.audit.pipeline import run_audit
from watchword.audit.report import write_report
from watchword.audit.units import Columns, Position


@pytest.fixture(scope="module", name="log")
def _log() -> Log:
    return make_log()


def _written(log: Log, folder: Path, kind: str) -> Path:
    path = folder / f"tokens.{kind}"
    if kind == "parquet":
        return audit_logs.write_parquet(log, path)
    text = audit_logs.csv(log) if kind.startswith("csv") else audit_logs.ndjson(log)
    compress = {"gz": gzip.compress, "zst": zstandard.compress}.get(kind.rpartition(".")[2], lambda data: data)
    path.write_bytes(compress(text))
    return path


@pytest.mark.parametrize("kind", ["parquet", "ndjson", "csv", "ndjson.gz", "csv.zst"])
@pytest.mark.parametrize("output_format", ["parquet", "ndjson"])
def test_verdicts_are_those_of_verify_in_the_order_of_the_rows(log: Log, tmp_path: Path, kind, output_format) -> None:
    path = _written(log, tmp_path, kind)
    manifest = audit(job(log, path, output_format=output_format), tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [row["file"] for row in rows] == [str(path)] * len(log.rows)
    assert [row["row"] for row in rows] == list(
        range(kind.startswith("csv") + 1, len(rows) + kind.startswith("csv") + 1)
    )
    for (token, at), row in zip(log.rows, rows, strict=True):
        try:
            verified = ww.verify(token, log.keys, log.policy, now=at)
            expected = (True, None, verified.subject)
        except ww.VerificationError as error:
            expected = (False, error.code, row["subject"])
        assert (row["valid"], row["code"], row["subject"]) == expected
    counts = manifest["counts"]
    assert counts["rows"] == len(log.rows)
    assert counts["codes"] == {"expired": log.expired}
    assert counts["valid"] == len(log.rows) - log.expired
    assert counts["unreadable"] == 0


def test_columns_are_in_the_documented_order(log: Log, tmp_path: Path) -> None:
    audit(job(log, _written(log, tmp_path, "parquet")), tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out/parts/part-000000.parquet")
    assert schema.names[:7] == ["file", "row", "time", "valid", "code", "key_state", "issuer"]
    assert schema.field("file").type == pa.dictionary(pa.int32(), pa.string())
    assert schema.field("row").type == pa.int64()


@pytest.mark.parametrize("kind", ["parquet", "ndjson", "csv.zst"])
def test_parts_do_not_depend_on_workers(log: Log, tmp_path: Path, kind) -> None:
    path = _written(log, tmp_path, kind)
    audit(job(log, path, workers=1), tmp_path / "one")
    audit(job(log, path, workers=5), tmp_path / "five")
    assert content(tmp_path / "one") == content(tmp_path / "five")
    assert len(list((tmp_path / "one/parts").iterdir())) > 3


def test_a_unit_of_parquet_is_a_number_of_rows_whatever_the_row_groups(log: Log, tmp_path: Path) -> None:
    sizes = {}
    for group in (7, 77, 100_000):
        path = audit_logs.write_parquet(log, tmp_path / f"{group}.parquet", row_group_size=group)
        audit(job(log, path), tmp_path / f"out{group}")
        parts = sorted((tmp_path / f"out{group}/parts").iterdir())
        sizes[group] = [pq.read_metadata(part).num_rows for part in parts]
    assert sizes == dict.fromkeys((7, 77, 100_000), [100] * 5 + [60])


def test_repeated_tokens_and_other_columns_types_give_the_same_verdicts(tmp_path: Path) -> None:
    few = make_log(20)
    log = Log(few.issuer, few.rows * 15)
    table = audit_logs.table(log)
    seconds = pa.array([at for _, at in log.rows])
    for number, some in enumerate(
        (
            table,
            table.set_column(1, "used_at", seconds),
            table.set_column(0, "token", table["token"].cast(pa.large_binary())),
        )
    ):
        pq.write_table(some, tmp_path / f"{number}.parquet")
        audit(job(log, tmp_path / f"{number}.parquet"), tmp_path / f"out{number}")
    verdicts = [
        [(row["valid"], row["token_hash"], row["time"]) for row in rows_of(tmp_path / f"out{n}")] for n in range(3)
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert sum(valid for valid, _, _ in verdicts[0]) == 300 - 30


def test_several_files_and_an_empty_one(log: Log, tmp_path: Path) -> None:
    first, second = _written(log, tmp_path, "parquet"), _written(log, tmp_path, "ndjson")
    empty = tmp_path / "empty.ndjson"
    empty.touch()
    manifest = audit(job(log, first, empty, second), tmp_path / "out")
    assert [one["rows"] for one in manifest["inputs"]] == [len(log.rows), 0, len(log.rows)]
    for one, path in zip(manifest["inputs"], (first, empty, second), strict=True):
        assert one["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert one["bytes"] == path.stat().st_size


def test_one_time_for_all(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    at = audit_logs.ISSUED + 20
    manifest = audit(job(log, path, columns=Columns("token", at=at)), tmp_path / "out")
    assert manifest["counts"]["valid"] == len(log.rows)
    assert manifest["options"] == {"token_field": "token", "at": at, "output_format": "parquet"}


# What is unreadable


def test_unreadable_rows_are_reported_with_their_line_and_the_rest_goes_on(log: Log, tmp_path: Path) -> None:
    lines = audit_logs.ndjson(log).splitlines(keepends=True)
    lines[4] = b'{"token": "abc", \n'
    lines[300] = b"\xff\xfe\n"
    path = tmp_path / "tokens.ndjson"
    path.write_bytes(b"".join(lines))
    manifest = audit(job(log, path), tmp_path / "out")
    found = unreadable_of(tmp_path / "out")
    assert [(one["file"], one["row"]) for one in found] == [(str(path), 5), (str(path), 301)]
    assert manifest["counts"]["unreadable"] == 2
    assert manifest["counts"]["rows"] == len(log.rows) - 2
    assert 5 not in {row["row"] for row in rows_of(tmp_path / "out")}


@pytest.mark.parametrize("kind", ["ndjson.gz", "ndjson.zst"])
def test_a_truncated_stream_keeps_the_rows_before(log: Log, tmp_path: Path, kind) -> None:
    path = _written(log, tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-200])
    whole = _written(log, tmp_path, "ndjson")
    manifest = audit(job(log, path, whole), tmp_path / "out")
    found = unreadable_of(tmp_path / "out")
    kept = manifest["inputs"][0]["rows"]
    assert 0 < kept < len(log.rows)
    # The incomplete line, and the place at which the stream ends.
    assert [one["row"] for one in found][-1] > kept
    assert "truncated at byte" in found[-1]["reason"]
    assert manifest["inputs"][1]["rows"] == len(log.rows)


def test_files_that_cannot_be_read_are_counted_and_the_others_are_audited(log: Log, tmp_path: Path) -> None:
    good = _written(log, tmp_path, "ndjson")
    no_parquet, no_column, no_csv_column, bad_type = (
        tmp_path / name for name in ("no.parquet", "columns.parquet", "columns.csv", "type.parquet")
    )
    no_parquet.write_bytes(b"PAR1 is not enough")
    pq.write_table(pa.table({"jwt": ["x"], "used_at": [1]}), no_column)
    no_csv_column.write_bytes(b"jwt,used_at\nx,1\n")
    pq.write_table(pa.table({"token": ["x"], "used_at": [["a"]]}), bad_type)
    manifest = audit(job(log, no_parquet, no_column, no_csv_column, bad_type, good), tmp_path / "out")
    found = {Path(one["file"]).name: one for one in unreadable_of(tmp_path / "out")}
    assert manifest["counts"]["unreadable"] == 4
    assert manifest["counts"]["rows"] == len(log.rows)
    assert "'token'" in found["columns.parquet"]["reason"]
    assert "'jwt'" in found["columns.parquet"]["reason"]
    assert 'no column "token"' in found["columns.csv"]["reason"]
    assert "used_at" in found["type.parquet"]["reason"] or "time" in found["type.parquet"]["reason"]
    assert {one["row"] for one in found.values()} == {None}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_a_file_without_permission_is_counted(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    path.chmod(0)
    manifest = audit(job(log, path), tmp_path / "out")
    assert manifest["counts"]["unreadable"] == 1
    assert manifest["inputs"][0]["sha256"] is None


def test_standard_input_that_fails_is_counted(log: Log, tmp_path: Path, monkeypatch) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Failing())))
    manifest = audit(job(log, "-", format="ndjson"), tmp_path / "out")
    (found,) = unreadable_of(tmp_path / "out")
    assert found == {"file": "-", "row": None, "reason": "the file can't be read: Input/output error"}
    assert manifest["inputs"][0]["sha256"] is None


def _with_corrupt_page(log: Log, path: Path, *, group: int, size: int) -> Path:
    audit_logs.write_parquet(log, path, row_group_size=size, compression="none", use_dictionary=False)
    column = pq.read_metadata(path).row_group(group).column(0)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset : column.data_page_offset + 20] = b"\xff" * 20
    path.write_bytes(bytes(data))
    return path


def test_a_corrupt_page_loses_its_row_groups_only(log: Log, tmp_path: Path) -> None:
    path = _with_corrupt_page(log, tmp_path / "tokens.parquet", group=5, size=50)
    manifest = audit(job(log, path), tmp_path / "out")
    (lost,) = unreadable_of(tmp_path / "out")
    assert lost["row"] == 251
    assert lost["reason"].startswith("rows 251 to 300: ")
    assert {row["row"] for row in rows_of(tmp_path / "out")} == set(range(1, 251)) | set(range(301, 561))
    assert manifest["counts"]["rows"] == 510


def test_a_row_group_that_is_said_to_have_fewer_rows_is_noticed(log: Log, tmp_path: Path) -> None:
    path = audit_logs.write_parquet(log, tmp_path / "tokens.parquet", row_group_size=60)
    data = path.read_bytes()
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # In a row group, field 3 of Thrift's compact protocol: the number of rows, here 60, in zigzag; then field 4.
    place = data.index(b"\x16\x78\x26", data.index(b"\x16\x78\x26", begin) + 1)
    path.write_bytes(data[: place + 1] + b"\x00" + data[place + 2 :])
    assert pq.read_metadata(path).num_rows == len(log.rows)
    audit(job(log, path), tmp_path / "out")
    (found,) = unreadable_of(tmp_path / "out")
    assert found["reason"] == "the metadata is damaged: 560 rows, of which the row groups have 500"


def test_large_tokens_are_not_read_many_at_once(tmp_path: Path) -> None:
    tokens = [f"{number:02}" + "x" * (4 << 20) for number in range(24)]
    options = {"row_group_size": 8, "use_dictionary": False, "write_batch_size": 1}
    pq.write_table(pa.table({"token": tokens, "used_at": [1] * 24}), tmp_path / "tokens.parquet", **options)
    columns, limits = Columns("token", "used_at"), LIMITS
    path = str(tmp_path / "tokens.parquet")
    chunks = read_parquet(0, path, columns, limits, start=Position(), check=lambda _: None)
    assert max(chunk.batch.nbytes for chunk in chunks if chunk.batch is not None) <= 16 << 20


@pytest.mark.parametrize("after", range(1, 18, 3))
def test_lost_rows_of_several_units_are_reported_once(log: Log, tmp_path: Path, after: int) -> None:
    path = _with_corrupt_page(log, tmp_path / "tokens.parquet", group=0, size=430)
    other = audit_logs.write_parquet(log, tmp_path / "other.parquet", row_group_size=50)
    audit(job(log, other, path), tmp_path / "whole")
    _interrupted(job(log, other, path), tmp_path / "out", after)
    audit(job(log, other, path), tmp_path / "out")
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert len(unreadable_of(tmp_path / "out")) == 1
    assert {row["row"] for row in rows_of(tmp_path / "out") if row["file"] == str(path)} == set(range(431, 561))


def test_a_name_that_is_not_utf8_is_escaped(log: Log, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n.ndjson"))
    path.write_bytes(audit_logs.ndjson(log) + b"not JSON\n")
    manifest = audit(job(log, path), tmp_path / "out")
    assert manifest["inputs"][0]["rows"] == len(log.rows)
    # A row and what was unreadable have the same name for it.
    for one in (rows_of(tmp_path / "out")[0], *unreadable_of(tmp_path / "out")):
        assert one["file"] == f"{tmp_path}/\\udcff\n.ndjson"
    write_report(tmp_path / "out", tmp_path / "report.html")


# Going on


class _StopError(Exception):
    pass


def _interrupted(what, directory: Path, after: int) -> None:
    calls = iter(range(after))

    def progress(*_: int) -> None:
        if next(calls, None) is None:
            raise _StopError

    with pytest.raises(_StopError):
        run_audit(what, str(directory), progress=progress)


@pytest.mark.parametrize("kind", ["parquet", "ndjson", "csv.zst", "ndjson.gz"])
@pytest.mark.parametrize("after", [0, 5, 13])
def test_an_interrupted_audit_goes_on_with_the_finished_parts(log: Log, tmp_path: Path, kind, after) -> None:
    path = _written(log, tmp_path, kind)
    audit(job(log, path), tmp_path / "whole")
    _interrupted(job(log, path), tmp_path / "out", after)
    finished = len((tmp_path / "out/journal.ndjson").read_bytes().splitlines()) - 1
    before = {one: one.stat().st_mtime_ns for one in sorted((tmp_path / "out/parts").glob("part*"))[:finished]}
    audit(job(log, path), tmp_path / "out")
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert {one: one.stat().st_mtime_ns for one in before} == before


def test_a_finished_audit_reads_nothing_again(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    before = content(tmp_path / "out")

    def no_reader(*_: object, **__: object) -> None:
        raise AssertionError("the input is read again")

    monkeypatch.setattr("watchword.audit.text_reader.RecordReader", no_reader)
    audit(job(log, path), tmp_path / "out")
    assert content(tmp_path / "out") == before


def test_an_incomplete_last_line_of_the_journal_is_written_again(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    before = content(tmp_path / "out")
    journal = tmp_path / "out/journal.ndjson"
    data = journal.read_bytes()
    for size in (len(data) - 1, len(data) - 100, data.index(b"\n") + 1, 20, 0):
        journal.write_bytes(data[:size])
        audit(job(log, path), tmp_path / "out")
        assert content(tmp_path / "out") == before
        assert len(journal.read_bytes().splitlines()) == len(data.splitlines())


def test_a_part_that_was_changed_or_removed_is_written_again(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    before = content(tmp_path / "out")
    parts = sorted((tmp_path / "out/parts").iterdir())
    parts[1].write_bytes(b"something else")
    audit(job(log, path), tmp_path / "out")
    assert content(tmp_path / "out") == before
    parts[0].unlink()
    audit(job(log, path), tmp_path / "out")
    assert content(tmp_path / "out") == before


def test_a_malformed_journal_is_refused(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    journal = tmp_path / "out/journal.ndjson"
    journal.write_bytes(journal.read_bytes().replace(b"{", b"[", 2))
    with pytest.raises(AuditError, match="line 1 of the journal is malformed"):
        audit(job(log, path), tmp_path / "out")


def test_a_line_of_the_journal_that_is_no_part_is_refused(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    journal = tmp_path / "out/journal.ndjson"
    data = journal.read_bytes()
    part = json.loads(data.splitlines()[1])
    for line in (
        {},
        {**part, "input": 1},
        {**part, "end": [1]},
        {**part, "part": None},
        {**part, "counts": {"rows": 1}},
    ):
        journal.write_bytes(data + json.dumps(line).encode() + b"\n")
        with pytest.raises(AuditError, match=f"line {len(data.splitlines()) + 1} of the journal is malformed"):
            audit(job(log, path), tmp_path / "out")


def test_a_journal_without_one_of_its_lines_loses_no_rows(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    before = content(tmp_path / "out")
    journal = tmp_path / "out/journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    for some in ([*lines[:2], *lines[3:]], [lines[0], *lines[2:]], [*lines[:2], lines[3]], [*lines, lines[1]]):
        journal.write_bytes(b"".join(some))
        audit(job(log, path), tmp_path / "out")
        assert content(tmp_path / "out") == before


def test_a_journal_of_something_else_is_left_alone(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    journal = tmp_path / "out/journal.ndjson"
    journal.parent.mkdir()
    for data in (b"an entry", b'{"entry": 1}\n{"entry', b"entry\n"):
        journal.write_bytes(data)
        with pytest.raises(AuditError, match=r"journal.*give a new directory|malformed"):
            audit(job(log, path), tmp_path / "out")
        assert journal.read_bytes() == data


def test_another_audit_in_the_same_directory_is_refused_in_words(log: Log, tmp_path: Path) -> None:
    path, other = _written(log, tmp_path, "ndjson"), _written(log, tmp_path, "csv")
    _interrupted(job(log, path), tmp_path / "out", 3)
    with pytest.raises(AuditError, match="begun with other inputs: run the same command"):
        audit(job(log, other), tmp_path / "out")
    with pytest.raises(AuditError, match="begun with other options"):
        audit(job(log, path, output_format="ndjson"), tmp_path / "out")
    changed = job(log, path)
    object.__setattr__(changed, "keys", {"kind": "jwks", "sha256": "other", "head": None})
    object.__setattr__(changed, "policy", {"intervals": [{}]})
    with pytest.raises(AuditError, match="other keys and another policy"):
        audit(changed, tmp_path / "out")


def test_an_input_that_changed_since_is_refused(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    audit(job(log, path), tmp_path / "out")
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(AuditError, match="changed since parts of it were audited"):
        audit(job(log, path), tmp_path / "out")


def test_an_input_that_changes_while_it_is_read_is_found(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")

    def progress(*_: int) -> None:
        with path.open("ab") as file:
            file.write(b"\n")

    with pytest.raises(AuditError, match="changed while it was read"):
        run_audit(job(log, path), str(tmp_path / "out"), progress=progress)


def test_parts_of_an_input_that_changed_are_not_gone_on_with(log: Log, tmp_path: Path, monkeypatch) -> None:
    """Its digest may be computed after it changed, and be that of a file from which no part was made."""
    path = _written(log, tmp_path, "ndjson")
    changed = threading.Event()

    def late(*arguments) -> str | None:
        changed.wait(60)
        return file_sha256(*arguments)

    def progress(*_: int) -> None:
        if not changed.is_set() and len(list((tmp_path / "out/parts").glob("*.parquet"))) > 1:
            path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
            changed.set()

    monkeypatch.setattr("watchword.audit.digests.file_sha256", late)
    with pytest.raises(AuditError, match="changed while it was read"):
        run_audit(job(log, path), str(tmp_path / "out"), progress=progress)
    audit(job(log, path), tmp_path / "out")
    audit(job(log, path), tmp_path / "whole")
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_directory_with_other_files_is_refused(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    with pytest.raises(AuditError, match="is not empty, and has no journal"):
        audit(job(log, path), tmp_path)


def test_two_audits_at_once_in_one_directory_are_refused(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    refused = []

    def progress(*_: int) -> None:
        with pytest.raises(AuditError, match="another process is writing"):
            audit(job(log, path), tmp_path / "out")
        refused.append(True)

    run_audit(job(log, path), str(tmp_path / "out"), progress=progress)
    assert refused
    audit(job(log, path), tmp_path / "out")


def test_a_file_system_without_locks_is_not_said_to_be_another_process(log: Log, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("watchword.audit.journal.fcntl.flock", fail)
    with pytest.raises(OSError, match="No locks available"):
        run_audit(job(log, _written(log, tmp_path, "ndjson")), str(tmp_path / "out"))


def test_a_failing_auditor_ends_the_audit_and_leaves_no_temporary_file(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "ndjson")
    what = job(log, path)
    auditor = what.auditor

    class Failing:
        calls = 0

        def verify_batch(self, batch, **columns):
            self.calls += 1
            if self.calls > 8:
                raise MemoryError
            return auditor.verify_batch(batch, **columns)

    object.__setattr__(what, "auditor", Failing())
    with pytest.raises(MemoryError):
        run_audit(what, str(tmp_path / "out"))
    assert not list(tmp_path.rglob("*.tmp"))
    audit(job(log, path), tmp_path / "out")
    assert len(rows_of(tmp_path / "out")) == len(log.rows)


def test_the_journal_has_a_line_for_each_part(log: Log, tmp_path: Path) -> None:
    path = _written(log, tmp_path, "parquet")
    manifest = audit(job(log, path), tmp_path / "out")
    first, *parts = [json.loads(line) for line in (tmp_path / "out/journal.ndjson").read_bytes().splitlines()]
    assert first["inputs"] == [{"path": str(path), "format": "parquet"}]
    assert first["limits"] == LIMITS.describe()
    assert [part["part"]["path"] for part in parts] == [part["path"] for part in manifest["parts"]]
    assert {part["sha256_of_input"] for part in parts} == {manifest["inputs"][0]["sha256"]}


def test_the_work_for_each_file_does_not_grow_with_their_number(log: Log, tmp_path: Path, monkeypatch) -> None:
    """A million tiny files are a million parts."""
    looks = 0

    class Part(dict):
        def __getitem__(self, name: str) -> object:
            nonlocal looks
            looks += name == "input"
            return super().__getitem__(name)

    count = 200
    for number in range(count):
        (tmp_path / f"{number}.ndjson").touch()
    what = job(log, tmp_path / "*.ndjson")
    run_audit(what, str(tmp_path / "out"))
    complete_lines = journals.complete_lines

    def counted(file: object) -> tuple[list[dict], list[int]]:
        lines, ends = complete_lines(file)
        return [lines[0], *map(Part, lines[1:])], ends

    monkeypatch.setattr(journals, "complete_lines", counted)
    make_manifest(what, run_audit(what, str(tmp_path / "out")), None)
    assert 0 < looks < 10 * count
