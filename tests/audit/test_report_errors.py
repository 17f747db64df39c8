"""What is said if a report cannot be made, or must not be relied on."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet
import pytest
from audit_directory import row, write_audit
from report_page import cells, report, section, text

from watchword.audit.report import write_report


def test_files_that_do_not_match_the_manifest_are_reported(tmp_path):
    page = report(
        write_audit(tmp_path / "out", [[row(1)]], counts={"rows": 2, "valid": 1, "unreadable": 1, "replays": 1})
    )
    said = text(section(page, "summary"))
    assert "Do not rely on this report." in said
    assert "The manifest counts 2 rows, the files contain 1." in said
    assert "The manifest counts 1 unreadable, the files contain 0." in said
    assert "counts 1 valid" not in said


def test_what_is_no_output_of_an_audit_is_an_error_in_words(tmp_path):
    output = tmp_path / "report.html"
    output.write_text("the old report")
    with pytest.raises(ValueError, match="is not a directory"):
        write_report(tmp_path / "missing", output)
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"no manifest\.jws or manifest\.json"):
        write_report(tmp_path / "other", output)
    (tmp_path / "other" / "journal.ndjson").touch()
    with pytest.raises(ValueError, match="the audit has not ended; run it again"):
        write_report(tmp_path / "other", output)

    directory = write_audit(tmp_path / "missing-part", [[row(1)]])
    (directory / "parts" / "part-000000.parquet").unlink()
    with pytest.raises(ValueError, match=r"part-000000.parquet is missing"):
        write_report(directory, output)
    (directory / "parts" / "part-000000.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ValueError, match=r"part-000000.parquet is damaged"):
        write_report(directory, output)
    pa.parquet.write_table(pa.table({"x": [1]}), directory / "parts" / "part-000000.parquet")
    with pytest.raises(ValueError, match="no column actors, client_id"):
        write_report(directory, output)

    directory = write_audit(tmp_path / "ndjson", [[row(1)]], form="ndjson")
    for damaged in ("{", '{"time": 1}\n{"time": "x"}\n', "[1]\n", '{"time": "yesterday"}\n', "\0"):
        (directory / "parts" / "part-000000.ndjson").write_text(damaged)
        with pytest.raises(ValueError, match=r"part-000000.ndjson is damaged"):
            write_report(directory, output)

    directory = write_audit(tmp_path / "side", [[row(1)]], replays=[])
    (directory / "replays.ndjson").write_text('{"row": 1}\n{"ro')
    with pytest.raises(ValueError, match="line 2 is not a JSON object"):
        write_report(directory, output)
    assert output.read_text() == "the old report"
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "Expecting value"),
        (b"[]", "it must be an object"),
        (b"{}", "keys must be an object"),
        (b"[" * 100_000, "not the manifest"),
        (b"\xff\xfe", "not the manifest"),
        (b'{"keys": {}, "policy": {}, "counts": {}, "inputs": 1}', "inputs must be an array"),
        (b'{"keys": {}, "policy": {}, "counts": {}, "inputs": [], "parts": [{"path": 1}]}', "a string path"),
        (
            b'{"keys": {"lifetimes": [{"issuer": []}]}, "policy": {}, "counts": {}, "inputs": [], "parts": []}',
            "a string issuer, or null",
        ),
        (b'{"keys": {"issuers": {"x": 1}}, "policy": {}, "counts": {}, "inputs": [], "parts": []}', "an object"),
        (
            b'{"keys": {}, "policy": {}, "counts": {}, "inputs": [], "parts": [{"path": "../x", "sha256": ""}]}',
            "leaves the directory",
        ),
    ],
)
def test_an_invalid_manifest_is_an_error_in_words(tmp_path, manifest, said):
    (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(ValueError, match=said):
        write_report(tmp_path, tmp_path / "report.html")


def test_impossible_numbers_in_a_manifest_are_left_out(tmp_path):
    inputs = [{"path": "log", "sha256": "ab" * 32, "bytes": 10**400, "rows": -1}]
    page = report(write_audit(tmp_path / "out", [[row(1)]], inputs=inputs))
    assert cells(section(page, "digests"), "Inputs: 1 file")[1][:2] == ["log", "–"]


def test_a_manifest_that_is_no_jws_is_an_error_in_words(tmp_path):
    (tmp_path / "manifest.jws").write_bytes(b"e30.e30")
    with pytest.raises(ValueError, match="expected a compact JWS"):
        write_report(tmp_path, tmp_path / "report.html")
