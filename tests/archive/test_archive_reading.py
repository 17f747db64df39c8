"""An archive that somebody changed, or that was damaged: each defect is found, with its line, in words."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pickle
from pathlib import Path

import archives
import pytest
from archives import ISSUER
from hypothesis import given
from hypothesis import strategies as st

from watchword.jwks.archive import ArchiveError, ArchiveWriter, KeyArchive
from watchword.jwks.archive.record import MAX_LINE_BYTES

POLLS = [(1000, "a"), (1050, "a b"), (1100, None), (1150, "b"), (1200, "b"), (1250, "b")]


@pytest.fixture
def lines(path: str) -> list[bytes]:
    """The lines of an intact archive: seen, seen, unreachable, seen, absent, seen, seen."""
    archives.write(path, POLLS)
    return Path(path).read_bytes().splitlines()


def chained(records: list[dict]) -> list[bytes]:
    """The lines of records whose numbers and digests are right, as a forger would write them."""
    written: list[bytes] = []
    for seq, record in enumerate(records):
        prev = hashlib.sha256(written[-1]).hexdigest() if written else "0" * 64
        written.append(json.dumps({**record, "seq": seq, "prev": prev}).encode())
    return written


def record(**members) -> dict:
    return {"time": 1, "issuer": ISSUER, "event": "unreachable", "source": "x", **members}


def problem_of(lines: list[bytes]) -> tuple[int | None, str]:
    with pytest.raises(ArchiveError) as caught:
        KeyArchive.from_lines(lines)
    return caught.value.line, caught.value.problem


def test_an_intact_archive(path: str, lines: list[bytes]) -> None:
    archive = KeyArchive.open(path)
    assert [record.event for record in archive.records] == [
        "seen", "seen", "unreachable", "seen", "absent", "seen", "seen"
    ]  # fmt: skip
    assert len(archive) == 7
    assert archive.issuers == (ISSUER,)
    assert archive.last_time == 1250
    assert archive.head == (6, hashlib.sha256(lines[-1]).hexdigest())
    assert list(archive.lines()) == lines
    first, second, _, third, absent, again, _ = archive.records
    assert first.keys is not None
    assert again.keys is None
    assert again.digest == third.digest != second.digest
    assert (absent.key_id, absent.thumbprint, absent.time) == ("a", archives.thumbprint("a"), 1150)


def test_the_format_is_as_documented(lines: list[bytes]) -> None:
    previous = "0" * 64
    for seq, line in enumerate(lines):
        assert line.isascii()
        members = json.loads(line)
        assert (members["seq"], members["prev"]) == (seq, previous)
        previous = hashlib.sha256(line).hexdigest()
    keys = json.loads(lines[0])["keys"]
    canonical = json.dumps(keys, sort_keys=True, separators=(",", ":")).encode()
    assert json.loads(lines[0])["digest"] == hashlib.sha256(canonical).hexdigest()


def test_lines_as_text_and_with_newlines(lines: list[bytes]) -> None:
    for given_lines in ([line.decode() for line in lines], [line + b"\n" for line in lines]):
        assert KeyArchive.from_lines(given_lines).head == KeyArchive.from_lines(lines).head


def test_pickle(path: str, lines: list[bytes]) -> None:
    archive = KeyArchive.open(path)
    again = pickle.loads(pickle.dumps(archive))
    assert (again.head, again.issuers, list(again.records)) == (archive.head, archive.issuers, list(archive.records))
    assert [epoch.start for epoch in again.timeline(ISSUER).epochs] == [
        epoch.start for epoch in archive.timeline(ISSUER).epochs
    ]


def test_a_pickled_archive_is_plain_data(path: str, lines: list[bytes]) -> None:
    assert b"_kernel" not in pickle.dumps(KeyArchive.open(path))


# What a chain shows.


@pytest.mark.parametrize("place", range(6))
def test_a_changed_record(lines: list[bytes], place: int) -> None:
    lines[place] = lines[place].replace(b'"source":"given"', b'"source":"other"')
    line, problem = problem_of(lines)
    assert line == place + 2
    assert f"record {place} was changed or replaced" in problem


def test_a_changed_key(lines: list[bytes]) -> None:
    members = json.loads(lines[0])
    members["keys"] = archives.key_set("c")["keys"]
    assert problem_of([json.dumps(members).encode(), *lines[1:]]) == (
        1,
        "'digest' is not that of 'keys': one of them was changed",
    )


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (lambda lines: lines[1:], 1, "the archive begins with the record 1: the records before it are missing"),
        (lambda lines: [*lines[:2], *lines[3:]], 3, "record 2 is missing"),
        (lambda lines: [*lines[:2], *lines[5:]], 3, "records 2 to 4 are missing"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4, "a second record 2: two programs wrote"),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 4, "or records were reordered"),
        (lambda lines: [*lines, *lines], 8, "the record 0 where 7 is expected"),
        (lambda lines: [*lines[:3], b"", *lines[3:]], 4, "the line is empty"),
    ],
)
def test_records_that_are_missing_repeated_or_reordered(lines: list[bytes], change, line: int, said: str) -> None:
    found, problem = problem_of(change(lines))
    assert found == line
    assert said in problem


def test_two_writers(path: str, tmp_path: Path) -> None:
    """Two copies of a file were written on, and their records were put together."""
    archives.write(path, POLLS[:2])
    start = Path(path).read_bytes()
    (tmp_path / "other").write_bytes(start)
    for name, time in ((path, 1100), (str(tmp_path / "other"), 1101)):
        with ArchiveWriter(name) as writer:
            writer.record_unreachable(ISSUER, "", time)
    mixed = Path(path).read_bytes() + (tmp_path / "other").read_bytes()[len(start) :]
    line, problem = problem_of(mixed.splitlines())
    assert (line, problem) == (4, "a second record 2: two programs wrote at the same time, or a line was repeated")


def test_a_removed_end_is_found_by_a_head_noted_before(path: str, lines: list[bytes]) -> None:
    archive = KeyArchive.open(path)
    heads = [KeyArchive.from_lines(lines[:count]).head for count in range(1, len(lines) + 1)]
    assert all(archive.continues(head) for head in heads)
    assert not KeyArchive.from_lines(lines[:4]).continues(heads[5])
    assert not archive.continues((3, "0" * 64))
    other = KeyArchive.from_lines(chained([record(detail="another history")] * 9))
    assert not any(other.continues(head) for head in heads)


# What a record may be.

NOT_RECORDS = {
    b"[]": "the line is not a JSON object",
    b" {}": "the line is not a JSON object",
    b"{}\r": "CR LF",
    b"{": "not a JSON object",
    b'{"a":1,"a":1}': "strict JSON: a repeated member",
    b'{"time":NaN}': "not strict JSON",
    b"\xef\xbb\xbf{}": "byte order mark",
    b'{"issuer":"\xc3\xa4"}': "the line is not ASCII: byte 12 is 0xc3",
    b'{"issuer":"\xff"}': "the line is not ASCII: byte 12 is 0xff",
    b'{"issuer":"\xed\xa0\x80"}': "the line is not ASCII",
    b"\0": "not a JSON object",
    b"{}": "'event' must be present",
    b'{"event":"noticed"}': "the event 'noticed' is unknown: this version knows seen, absent, unreachable, compromised",
    b'{"event":["seen"]}': "'event' must be present and a string",
    b'{"event":"seen"}': "no member 'digest'",
    b"{" + b" " * MAX_LINE_BYTES + b"}": "the line is longer than",
}  # fmt: skip


@pytest.mark.parametrize("line", NOT_RECORDS, ids=lambda line: ascii(line[:20]))
def test_not_a_record(line: bytes) -> None:
    assert NOT_RECORDS[line] in problem_of([line])[1]


THUMBPRINT = "A" * 43
DIGEST = hashlib.sha256(b"[]").hexdigest()
BAD_MEMBERS = [
    ({"colour": "red"}, "unknown member 'colour' (event 'unreachable')"),
    ({"bad\x1bname": 1}, "unknown member 'bad\\x1bname'"),
    ({"keys": []}, "unknown member 'keys'"),
    ({"time": "1"}, "'time' must be a number"),
    ({"time": True}, "'time' must be a number"),
    ({"time": -1}, "'time' must be in Unix seconds"),
    ({"time": 1700000000000}, "'time' must be in Unix seconds"),
    ({"issuer": ""}, "'issuer' must be a string that is not empty"),
    ({"issuer": 7}, "'issuer' must be a string"),
    ({"issuer": "x" * 5000}, "2,048 characters at most"),
    ({"source": None}, "'source' must be a string"),
    ({"event": "absent", "thumbprint": "short"}, "'thumbprint' must be an RFC 7638 thumbprint"),
    ({"event": "absent", "thumbprint": THUMBPRINT}, "whose keys were not seen before"),
    ({"event": "compromised"}, "no member 'thumbprint'"),
    ({"event": "compromised", "thumbprint": THUMBPRINT, "since": 2}, "after that of the record itself"),
    ({"event": "compromised", "thumbprint": THUMBPRINT, "note": "x" * 2000}, "'note' must be a string"),
    ({"event": "seen", "digest": DIGEST}, "does not contain it"),
    ({"event": "seen", "digest": DIGEST.upper(), "keys": []}, "'digest' must be a SHA-256"),
    ({"event": "seen", "digest": "0" * 64, "keys": []}, "'digest' is not that of 'keys'"),
    ({"event": "seen", "digest": DIGEST, "keys": {}}, "'keys' must be an array"),
]


@pytest.mark.parametrize(("members", "said"), BAD_MEMBERS, ids=[said for _, said in BAD_MEMBERS])
def test_a_member_that_is_not_right(members: dict, said: str) -> None:
    line, problem = problem_of(chained([record(), record(**members)]))
    assert line == 2
    assert said in problem


@pytest.mark.parametrize("value", [True, -1, 1.0, "0", None, 1 << 60])
def test_a_number_that_is_not_one(value: object) -> None:
    line = json.dumps(record(seq=value, prev="0" * 64)).encode()
    assert problem_of([line]) == (1, "'seq' must be a whole number from 0")


def test_a_time_that_goes_back() -> None:
    lines = chained([record(time=100), record(time=100), record(time=99.5)])
    assert problem_of(lines) == (3, "the record is 0.5 s earlier than the one before")


def test_an_absent_key_that_is_listed(path: str) -> None:
    archives.write(path, [(1, "a")])
    (seen,) = map(json.loads, Path(path).read_bytes().splitlines())
    absent = record(event="absent", thumbprint=archives.thumbprint("a"), key_id="a")
    assert problem_of(chained([seen, absent])) == (2, "a key is absent that the last key set lists")


def test_a_first_record_that_continues_another_archive(lines: list[bytes]) -> None:
    assert problem_of([lines[0].replace(b'"prev":"0', b'"prev":"1')])[1].startswith(
        "the first record continues another"
    )


# Files.


def test_an_incomplete_last_line(path: str, lines: list[bytes]) -> None:
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[:-20])
    with pytest.raises(ArchiveError) as caught:
        KeyArchive.open(path)
    assert (caught.value.path, caught.value.line, caught.value.repairable) == (path, 7, True)
    assert str(caught.value).startswith(f"{path}, line 7: the last line is incomplete, because a writer was killed")


def test_what_a_running_writer_is_just_writing_is_left_out(path: str, lines: list[bytes]) -> None:
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[:-20])
    with open(path, "rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert len(KeyArchive.open(path)) == 6


def test_an_archive_is_read_while_a_writer_has_it_open(path: str) -> None:
    with ArchiveWriter(path) as writer:
        writer.record_key_set(ISSUER, archives.key_set("a"), 1)
        assert KeyArchive.open(path).head == writer.head


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_huge_line_is_not_read_into_memory(path: str, lines: list[bytes], ending: bytes) -> None:
    with open(path, "ab") as file:
        file.truncate(file.tell() + (1 << 32))  # a hole: it takes no room
        if ending:
            file.write(ending)
    with pytest.raises(ArchiveError, match=f"line 8: the line is longer than {MAX_LINE_BYTES:,} bytes"):
        KeyArchive.open(path)


def test_what_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeyArchive.open(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArchiveError, match="not a regular file"):
        KeyArchive.open(tmp_path / "pipe")
    for opened in (KeyArchive.open, ArchiveWriter):
        with pytest.raises(IsADirectoryError):
            opened(tmp_path)


def test_an_empty_archive(path: str) -> None:
    Path(path).touch()
    archive = KeyArchive.open(path)
    assert (len(archive), archive.head, archive.last_time, archive.issuers) == (0, None, None, ())


def test_an_error_is_picklable() -> None:
    error = ArchiveError("it is bad", path="x", line=3, repairable=True)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.repairable) == ("x, line 3: it is bad", 3, True)
    assert isinstance(error, ValueError)


@given(st.data())
def test_any_damage_is_found_or_without_effect(data: st.DataObject) -> None:
    """One byte is changed, removed or added: only in the last record is that not found, and then the head shows it."""
    whole = b"\n".join(KNOWN)
    place = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["change", "remove", "add"]))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    rest = whole[place + (kind != "add") :]
    damaged = whole[:place] + (b"" if kind == "remove" else byte) + rest
    with contextlib.suppress(ArchiveError):
        archive = KeyArchive.from_lines(damaged.split(b"\n"))
        assert damaged == whole or archive.head != KeyArchive.from_lines(KNOWN).head


KNOWN = chained(
    [
        record(),
        record(event="seen", digest=DIGEST, keys=[], time=2),
        record(event="compromised", thumbprint=THUMBPRINT, time=3, note="stolen"),
        record(event="seen", digest=DIGEST, time=4),
    ]
)
