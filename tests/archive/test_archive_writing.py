"""Writing an archive: one writer, whole records, and what is found after a crash."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import archives
import pytest
from archives import ISSUER

from watchword import KeySet, KeySetError
from watchword.jwks.archive import ArchiveError, ArchiveWriter, KeyArchive


def test_absent_keys_are_derived(path: str) -> None:
    archives.write(path, [(1, "a b c"), (2, "b"), (3, "b"), (4, "a c"), (5, "")])
    found = [
        (record.time, record.event.value, record.key_id) for record in KeyArchive.open(path).records if record.seq > 0
    ]
    assert sorted(found, key=lambda one: (one[0], one[1] != "seen", one[2] or "")) == [
        (2, "seen", None), (2, "absent", "a"), (2, "absent", "c"),
        (3, "seen", None),
        (4, "seen", None), (4, "absent", "b"),
        (5, "seen", None), (5, "absent", "a"), (5, "absent", "c"),
    ]  # fmt: skip


def test_another_key_with_the_kid_is_a_key_that_is_absent(path: str) -> None:
    archives.write(path, [(1, "a1"), (2, "a2")])
    *_, absent = KeyArchive.open(path).records
    assert (absent.event, absent.key_id, absent.thumbprint) == ("absent", "a", archives.thumbprint("a1"))


def test_the_order_of_the_keys_does_not_count(path: str) -> None:
    archives.write(path, [(1, "a b"), (2, "b a")])
    first, second = KeyArchive.open(path).records
    assert first.digest == second.digest
    assert second.keys is None


def test_of_two_keys_with_one_kid_the_first_counts(path: str) -> None:
    archives.write(path, [(1, "a1 a2"), (2, "a2 a1")])
    line = KeyArchive.open(path).timeline(ISSUER)
    assert [life.thumbprint for life in line.lifetimes] == [archives.thumbprint("a1"), archives.thumbprint("a2")]
    assert line.lifetimes[0].absent_since == 2


@pytest.mark.parametrize("form", ["mapping", "text", "bytes", "KeySet", "one key"])
def test_the_forms_of_a_key_set(path: str, form: str) -> None:
    document = archives.key_set("a")
    forms = {
        "mapping": document,
        "text": json.dumps(document),
        "bytes": json.dumps(document).encode(),
        "KeySet": KeySet.from_json(document),
        "one key": document["keys"][0],
    }
    with ArchiveWriter(path) as writer:
        writer.record_key_set(ISSUER, forms[form], 1)
    (life,) = KeyArchive.open(path).timeline(ISSUER).lifetimes
    assert (life.key_id, life.thumbprint) == ("a", archives.thumbprint("a"))


def test_private_members_are_not_written(path: str) -> None:
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"
    private = {**archives.key("a").jwk, "d": secret}
    shared = {"kty": "oct", "k": secret, "kid": "shared"}
    # Where no private member belongs, either.
    nested = {**archives.key("b").jwk, "x-pair": {"private": [private]}}
    with ArchiveWriter(path) as writer:
        writer.record_key_set(ISSUER, {"keys": [private, shared, nested]}, 1)
    assert secret not in Path(path).read_text()
    archive = KeyArchive.open(path)
    assert [life.key_id for life in archive.timeline(ISSUER).lifetimes] == ["b"]
    (record,) = archive.records
    assert {key["kid"] for key in record.keys} == {"a", "b", "shared"}


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", b"\xff", '{"keys":[1e400]}', '{"keys":{}}', {"keys": [float("nan")]}]
)
def test_what_is_no_key_set_is_not_recorded(path: str, document: object) -> None:
    with ArchiveWriter(path) as writer:
        with pytest.raises(KeySetError):
            writer.record_key_set(ISSUER, document, 1)
        writer.record_key_set(ISSUER, archives.key_set("a"), 1)
    assert len(KeyArchive.open(path)) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"issuer": ""}, ValueError),
        ({"issuer": 7}, TypeError),
        ({"source": "x" * 3000}, ValueError),
        ({"time": "1"}, TypeError),
        ({"time": float("nan")}, ValueError),
        ({"time": 1e15}, ValueError),
        ({"time": 0.5}, ValueError),
    ],
)
def test_invalid_arguments_write_nothing(path: str, arguments: dict, error: type[Exception]) -> None:
    archives.write(path, [(1, "a")])
    before = Path(path).read_bytes()
    with ArchiveWriter(path) as writer, pytest.raises(error):
        writer.record_key_set(**{"issuer": ISSUER, "document": archives.key_set("b"), "time": 2, **arguments})
    assert Path(path).read_bytes() == before


def test_invalid_compromises(path: str) -> None:
    with ArchiveWriter(path) as writer:
        for arguments in ({"thumbprint": "a"}, {"since": 11}, {"note": "x" * 2000}):
            with pytest.raises(ValueError, match=next(iter(arguments))):
                writer.record_compromised(
                    **{"issuer": ISSUER, "thumbprint": archives.thumbprint("a"), "time": 10, **arguments}
                )
    assert Path(path).read_bytes() == b""


# The clock.


def test_a_clock_that_is_set_back(path: str) -> None:
    now = 1000.0
    with ArchiveWriter(path, clock=lambda: now) as writer:
        writer.record_unreachable(ISSUER)
        now = 941
        writer.record_unreachable(ISSUER)
        now = 900
        with pytest.raises(ArchiveError, match="the clock is 100 s behind the last record"):
            writer.record_unreachable(ISSUER)
        now = 1001.23456
        writer.record_unreachable(ISSUER)
    assert [record.time for record in KeyArchive.open(path).records] == [1000, 1000, 1001.235]


# One writer.


def test_a_second_writer(path: str) -> None:
    with ArchiveWriter(path) as writer:
        with pytest.raises(ArchiveError, match="another writer has the archive open"):
            ArchiveWriter(path)
        KeyArchive.open(path)  # opening and closing it elsewhere does not unlock it
        with pytest.raises(ArchiveError, match="another writer"):
            ArchiveWriter(path)
        writer.record_unreachable(ISSUER)
    with ArchiveWriter(path) as writer:
        writer.record_unreachable(ISSUER)
    assert len(KeyArchive.open(path)) == 2


def test_a_closed_writer(path: str) -> None:
    writer = ArchiveWriter(path)
    writer.close()
    writer.close()
    with pytest.raises(ArchiveError, match="the writer is closed"):
        writer.record_unreachable(ISSUER)


def test_somebody_else_writes_without_the_lock(path: str) -> None:
    with ArchiveWriter(path) as writer:
        writer.record_unreachable(ISSUER)
        with open(path, "ab") as file:
            file.write(b"{}\n")
        for _ in range(2):
            with pytest.raises(ArchiveError, match="another program changed it"):
                writer.record_unreachable(ISSUER)


@pytest.mark.parametrize("change", [os.unlink, lambda path: os.rename(path, path + ".old")])
def test_an_archive_that_is_removed_or_renamed(path: str, change) -> None:
    with ArchiveWriter(path) as writer:
        writer.record_unreachable(ISSUER)
        change(path)
        with pytest.raises(ArchiveError, match="it was removed or replaced"):
            writer.record_unreachable(ISSUER)


def test_a_child_does_not_write_and_does_not_unlock(path: str) -> None:
    with ArchiveWriter(path) as writer:
        child = os.fork()
        if child == 0:
            try:
                writer.record_unreachable(ISSUER)
            except ArchiveError as error:
                os._exit(0 if "by the process that opened it" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with pytest.raises(ArchiveError, match="another writer"):
            ArchiveWriter(path)
        writer.record_unreachable(ISSUER)


def test_threads_write_whole_records(path: str) -> None:
    with ArchiveWriter(path, clock=lambda: 1000.0) as writer:
        threads = [
            threading.Thread(
                target=lambda name=name: [writer.record_key_set(ISSUER, archives.key_set(name)) for _ in range(20)]
            )
            for name in "abc"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(record.event == "seen" for record in KeyArchive.open(path).records) == 60


# Crashes.


def test_a_last_line_of_any_length_is_repaired(path: str, caplog: pytest.LogCaptureFixture) -> None:
    archives.write(path, [(1, "a"), (2, "b")])
    whole = Path(path).read_bytes()
    *before, last = whole.splitlines(keepends=True)
    intact = b"".join(before)
    for length in range(len(last)):
        Path(path).write_bytes(intact + last[:length])
        caplog.clear()
        with caplog.at_level(logging.WARNING), ArchiveWriter(path) as writer:
            if length == 0:
                assert writer.repair is None
                assert caplog.messages == []
            elif length == len(last) - 1:
                assert writer.repair == "the newline of the last line was missing, and was added"
            else:
                assert writer.repair == f"the incomplete last line, {length:,} bytes, was removed"
                assert writer.repair in caplog.text
            writer.record_unreachable(ISSUER, "", 3)
        archive = KeyArchive.open(path)
        assert len(archive) == len(before) + 1 + (length == len(last) - 1)


def test_only_an_incomplete_last_line_is_repaired(path: str) -> None:
    archives.write(path, [(1, "a"), (2, "b")])
    first, *rest = Path(path).read_bytes().splitlines(keepends=True)
    for damaged in ([first, b"{}\n"], [first, b"{}\n", b"{"], [first[:20] + b"\n", *rest], [*rest, b"{"]):
        data = b"".join(damaged)
        Path(path).write_bytes(data)
        with pytest.raises(ArchiveError, match=r"line [12]"):
            ArchiveWriter(path)
        assert Path(path).read_bytes() == data


FILLS = """
import resource, sys
sys.path[:0] = [sys.argv[2]]
import archives
from watchword.jwks.archive import ArchiveWriter
writer = ArchiveWriter(sys.argv[1])
writer.record_key_set(archives.ISSUER, archives.key_set("a"), 1)
size = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    writer.record_key_set(archives.ISSUER, archives.key_set("bc"), 2)
except OSError as error:
    print(error.strerror)
    head = writer.head.seq
    writer.record_unreachable(archives.ISSUER, "", 3, "x") if size > 1000 else None
    print(head)
"""


@pytest.mark.parametrize("more", [0, 1, 100])
def test_a_file_that_can_not_grow_keeps_whole_records(path: str, more: int) -> None:
    """The limit of a file's size is to a writer as a full disk is."""
    archives.write(path, [(1, "a")])
    size = os.path.getsize(path)
    os.unlink(path)
    folders = [os.path.dirname(archives.__file__), os.path.dirname(os.path.dirname(archives.__file__))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", FILLS, path, folders[0], str(size + more)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["File too large", "0"]
    assert len(KeyArchive.open(path)) == 1


WRITES = """
import sys
from watchword.jwks.archive import ArchiveWriter
with ArchiveWriter(sys.argv[1]) as writer:
    print(writer.head.seq if writer.head else -1, flush=True)
    while True:
        writer.record_unreachable("https://as.example", "x" * 900)
        print(writer.head.seq, flush=True)
"""


@pytest.mark.slow
def test_a_writer_that_is_killed(path: str) -> None:
    """Whatever it reported as written is there, and the archive is readable or repairable."""
    for round_number in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITES, path], stdout=subprocess.PIPE, text=True) as process:
            reported = -1
            for _ in range(2 + round_number):
                reported = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = [line for line in process.stdout.read().split("\n") if line]
            reported = int(rest[-1]) if rest else reported
        # Its opening is the check that the archive is intact but for the last line.
        with ArchiveWriter(path) as writer:
            assert writer.head.seq >= reported
    assert len(KeyArchive.open(path)) >= 20
