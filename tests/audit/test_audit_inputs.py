"""From arguments to files: order, formats, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchword.audit.errors import AuditError
from watchword.audit.inputs import Input, find_inputs


def _files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def _names(inputs: list[Input], folder: Path) -> list[str]:
    return [os.path.relpath(one.path, folder) for one in inputs]


def test_a_directory_is_read_recursively_and_in_the_order_of_paths(tmp_path: Path) -> None:
    _files(tmp_path, "b.ndjson", "a/2.csv.gz", "a/1.parquet", "_SUCCESS", ".hidden.csv", ".git/x.csv", "c.txt.zst")
    inputs = find_inputs([str(tmp_path)])
    assert _names(inputs, tmp_path) == ["a/1.parquet", "a/2.csv.gz", "b.ndjson", "c.txt.zst"]
    assert [one.format for one in inputs] == ["parquet", "csv", "ndjson", "lines"]


def test_arguments_keep_their_order_and_a_file_counts_once(tmp_path: Path) -> None:
    _files(tmp_path, "a.csv", "b.csv", "c.csv")
    (tmp_path / "link.csv").symlink_to("a.csv")
    arguments = [str(tmp_path / "c.csv"), str(tmp_path / "*.csv"), str(tmp_path / "link.csv")]
    assert _names(find_inputs(arguments), tmp_path) == ["c.csv", "a.csv", "b.csv"]


def test_a_pattern_may_match_directories_at_any_depth(tmp_path: Path) -> None:
    _files(tmp_path, "2025/01/a.jsonl", "2025/02/b.jsonl", "2026/01/c.jsonl")
    assert _names(find_inputs([str(tmp_path / "2025" / "**" / "*.jsonl")]), tmp_path) == [
        "2025/01/a.jsonl",
        "2025/02/b.jsonl",
    ]
    assert _names(find_inputs([str(tmp_path / "20*")]), tmp_path) == [
        "2025/01/a.jsonl",
        "2025/02/b.jsonl",
        "2026/01/c.jsonl",
    ]


def test_a_file_with_the_name_of_a_pattern_is_that_file(tmp_path: Path) -> None:
    _files(tmp_path, "[x].csv", "x.csv")
    assert _names(find_inputs([str(tmp_path / "[x].csv")]), tmp_path) == ["[x].csv"]


def test_the_output_is_no_input(tmp_path: Path) -> None:
    _files(tmp_path, "a.parquet", "out/parts/part-000000.parquet")
    _files(tmp_path, "out/journal.ndjson", "output.ndjson")
    (tmp_path / "link").symlink_to("out")
    for pattern in (".", "*", "**", "**/*.*", "[!.]*"):
        inputs = find_inputs([str(tmp_path / pattern)], output=str(tmp_path / "out"))
        assert {os.path.relpath(one.path, tmp_path) for one in inputs} == {"a.parquet", "output.ndjson"}


def test_a_format_overrides_names(tmp_path: Path) -> None:
    _files(tmp_path, "tokens.dat")
    assert [one.format for one in find_inputs([str(tmp_path)], format="csv")] == ["csv"]
    assert find_inputs(["-"], format="lines") == [Input("-", "lines")]


@pytest.mark.parametrize(
    ("arguments", "form", "words"),
    [
        (["missing.csv"], None, "does not exist"),
        (["*.nothing"], None, "no file matches"),
        (["-"], None, "give --format"),
        (["-"], "parquet", "read from its end"),
        (["empty"], None, "no files"),
        (["tokens.dat"], None, "give --format"),
        (["pipe.csv"], None, "not a regular file"),
        (["dangling.csv"], None, "can't be read"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch, arguments, form, words) -> None:
    monkeypatch.chdir(tmp_path)
    _files(tmp_path, "tokens.dat")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "dangling.csv").symlink_to("nothing")
    with pytest.raises(AuditError, match=words):
        find_inputs(arguments, format=form)
