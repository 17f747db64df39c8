"""``watchword keys archive`` and ``watchword keys watch``."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from pathlib import Path
from typing import IO

import command_process
import endpoint
import pytest

from watchword.jwks.archive import ArchiveWriter, KeyArchive
from watchword.testing import LocalIssuer

ISSUER = "https://as.example"


@pytest.fixture(name="archive")
def _archive(issuer: LocalIssuer, tmp_path: Path) -> str:
    """An archive of two polls, of which the second lacks a key, and an outage."""
    path = str(tmp_path / "archive.ndjson")
    keys = issuer.jwks()["keys"]
    with ArchiveWriter(path) as writer:
        writer.record_key_set(ISSUER, {"keys": keys}, 1_700_000_000, "https://as.example/jwks")
        writer.record_unreachable(ISSUER, "no complete answer in time", 1_700_000_300, "https://as.example/jwks")
        writer.record_key_set(ISSUER, {"keys": keys[:1]}, 1_700_400_000, "https://as.example/jwks")
    return path


def test_an_archive_is_shown(run, archive: str) -> None:
    answer = run("keys", "archive", archive)
    assert (answer.status, answer.err) == (0, "")
    assert f"{ISSUER}  2 polls, 1 without an answer" in answer.out
    row = next(line for line in answer.out.splitlines() if line.startswith("es256-1"))
    assert "2023-11-14 22:13:20 UTC" in row
    assert "absent since 2023-11-19 13:20:00 UTC" in row
    assert "gap: no poll for 4 days, from 2023-11-14 22:13:20 UTC to 2023-11-19 13:20:00 UTC" in answer.out
    assert f"{archive}: 4 records of 1 issuer, intact." in answer.out


def test_an_archive_as_json(run, archive: str, issuer: LocalIssuer) -> None:
    run("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key", "eddsa-1", "--since", "2023-11-15")
    run("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key", "es256-1")
    (found,) = run("keys", "archive", "--json", archive).objects
    assert (found["intact"], found["records"], found["head"]["seq"]) == (True, 6, 5)
    (one,) = found["issuers"]
    assert (one["issuer"], one["polls"], one["unreachable"]) == (ISSUER, 2, 1)
    assert one["gaps"] == [[1_700_000_000, 1_700_400_000]]
    keys = {key["key_id"]: key for key in one["keys"]}
    assert (keys["es256-1"]["absent_since"], keys["eddsa-1"]["absent_since"]) == (1_700_400_000, None)
    assert (keys["es256-1"]["compromised"], keys["es256-1"]["compromised_since"]) == (True, None)
    assert (keys["eddsa-1"]["compromised"], keys["eddsa-1"]["compromised_since"]) == (True, 1_700_006_400)
    assert keys["eddsa-1"]["thumbprint"] == issuer.key_set().get("eddsa-1").thumbprint


def test_a_defect_is_status_1(run, archive: str) -> None:
    path = Path(archive)
    path.write_bytes(path.read_bytes().replace(b"in time", b"in tame"))
    answer = run("keys", "archive", archive)
    assert answer.status == 1
    assert answer.out.startswith(
        f"defect: {archive}, line 3: 'prev' is not the digest of the line before: record 1 was"
    )
    (found,) = run("keys", "archive", "--json", archive).objects
    assert (found["intact"], found["line"], found["repairable"]) == (False, 3, False)
    assert run("keys", "archive", "--repair", archive).status == 1


def test_an_incomplete_last_line_is_repaired(run, archive: str) -> None:
    whole = Path(archive).read_bytes()
    Path(archive).write_bytes(whole[:-30])
    answer = run("keys", "archive", archive)
    assert answer.status == 1
    assert "line 4: the last line is incomplete" in answer.out
    assert "--repair" in answer.out
    answer = run("keys", "archive", "--repair", archive)
    assert answer.status == 0
    assert "the incomplete last line" in answer.err
    assert "was removed" in answer.err
    assert "3 records" in answer.out
    assert run("keys", "archive", archive).status == 0


def test_a_head_that_was_noted(run, archive: str, tmp_path: Path) -> None:
    head = run("keys", "archive", archive).out.splitlines()[-1].removeprefix("head: ")
    run("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key", "eddsa-1")
    assert run("keys", "archive", archive, "--head", head).status == 0
    removed = Path(archive).read_bytes().splitlines(keepends=True)[:2]
    Path(archive).write_bytes(b"".join(removed))
    assert run("keys", "archive", archive).status == 0
    answer = run("keys", "archive", archive, "--head", head)
    assert answer.status == 1
    assert "does not continue the given head" in answer.out
    assert run("keys", "archive", archive, "--head", "7").status == 2


def test_add(run, jwks: str, tmp_path: Path) -> None:
    archive = str(tmp_path / "new.ndjson")
    add = ("keys", "archive", "add", archive, "--issuer", ISSUER, "--jwks")
    answer = run(*add, jwks, "--time", "2026-01-01")
    assert (answer.status, answer.err) == (0, "")
    assert f"recorded: {ISSUER} has 2 usable keys" in answer.out
    with LocalIssuer().serve() as served:
        assert run(*add, served.jwks_uri, "--time", "2026-01-02", "--allow-loopback-http").status == 0
    assert run(*add, "-", text=Path(jwks).read_text()).status == 0
    found = KeyArchive.open(archive)
    assert [record.event for record in found.records if record.event != "absent"] == ["seen"] * 3
    sources = [record.source for record in found.records if record.event == "seen"]
    assert sources == ["keys.json", served.jwks_uri, "standard input"]
    assert next(found.records).time == 1_767_225_600
    answer = run(*add, jwks, "--time", "2025-01-01")
    assert answer.status == 2
    assert "time must not be earlier than that of the last record" in answer.err
    assert len(KeyArchive.open(archive)) == len(found)


def test_a_key_set_seen_in_the_future_is_not_recorded(run, jwks: str, tmp_path: Path) -> None:
    archive = tmp_path / "new.ndjson"
    answer = run("keys", "archive", "add", str(archive), "--issuer", ISSUER, "--jwks", jwks, "--time", "2999-01-01")
    assert answer.status == 2
    assert "--time 2999-01-01: it is in the future" in answer.err
    assert not archive.exists()


def test_add_without_keys(run, tmp_path: Path) -> None:
    archive = tmp_path / "new.ndjson"
    for document in ("", "{}", "not JSON"):
        assert run("keys", "archive", "add", str(archive), "--issuer", ISSUER, "--jwks", "-", text=document).status == 2
    assert not archive.exists()


def test_compromised_by_kid_and_by_thumbprint(run, archive: str, issuer: LocalIssuer) -> None:
    thumbprint = issuer.key_set().get("eddsa-1").thumbprint
    mark = ("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key")
    answer = run(*mark, thumbprint, "--since", "2023-11-15", "--note", "stolen from backup")
    assert (answer.status, answer.err) == (0, "")
    assert f"the key eddsa-1 ({thumbprint}) of {ISSUER} is compromised, since 2023-11-15 00:00:00 UTC" in answer.out
    assert run(*mark, "es256-1").status == 0
    *_, first, second = KeyArchive.open(archive).records
    assert (first.thumbprint, first.since, first.note) == (thumbprint, 1_700_006_400, "stolen from backup")
    assert (second.key_id, second.since) == ("es256-1", None)
    assert "compromised since 2023-11-15 00:00:00 UTC" in run("keys", "archive", archive).out


def test_a_compromised_key_that_another_issuer_has_is_pointed_out(run, archive: str, issuer: LocalIssuer) -> None:
    other = "https://other.example"
    with ArchiveWriter(archive) as writer:
        writer.record_key_set(other, issuer.jwks(), 1_700_500_000)
    mark = ("keys", "archive", "compromised", archive, "--key", "eddsa-1", "--issuer")
    assert f"{other} has the same key, which is not marked there" in run(*mark, ISSUER).out
    assert "has the same key" not in run(*mark, other).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--issuer", "https://other.example", "--key", "eddsa-1"], f"its issuers: {ISSUER}"),
        (
            ["--issuer", ISSUER, "--key", "eddsa-9"],
            "no recorded key of this issuer has the kid or the thumbprint 'eddsa-9'",
        ),
        (["--issuer", ISSUER, "--key", "eddsa-1", "--since", "yesterday"], "--since: invalid time 'yesterday'"),
        (["--issuer", ISSUER, "--key", "eddsa-1", "--since", "2999-01-01"], "since must not be later"),
        (["--issuer", ISSUER, "--key", "eddsa-1", "--time", "2999-01-01"], "--time 2999-01-01: it is in the future"),
        (["--issuer", ISSUER, "--key", "eddsa-1", "--note", "x" * 2000], "note must have 1,000 characters at most"),
        (["--issuer", ISSUER], "--key"),
    ],
)
def test_a_compromise_that_is_not_recorded(run, archive: str, arguments: list[str], said: str) -> None:
    before = Path(archive).read_bytes()
    answer = run("keys", "archive", "compromised", archive, *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err
    assert Path(archive).read_bytes() == before


def test_of_two_keys_with_one_kid_the_thumbprint_is_asked_for(run, archive: str) -> None:
    with ArchiveWriter(archive) as writer:
        writer.record_key_set(ISSUER, LocalIssuer().jwks(), 1_700_500_000)
    answer = run("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key", "eddsa-1")
    assert answer.status == 2
    assert "2 keys have the kid 'eddsa-1'. Give a thumbprint: " in answer.err


def test_an_archive_in_use(run, archive: str) -> None:
    with ArchiveWriter(archive):
        answer = run("keys", "archive", "compromised", archive, "--issuer", ISSUER, "--key", "eddsa-1")
        assert answer.status == 2
        assert "another writer has the archive open" in answer.err
        assert run("keys", "archive", archive).status == 0
        answer = run("keys", "archive", "--repair", archive)
        assert (answer.status, answer.out) == (2, "")
        assert "another writer has the archive open" in answer.err


def test_names_of_commands_and_of_files(run, jwks: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("archive", "watch"):
        Path(name).write_bytes(Path(jwks).read_bytes())
        assert "2 usable keys" in run("keys", f"./{name}").out
        assert "2 usable keys" in run("keys", "--json", name).out or run("keys", "--json", name).status == 0
    assert run("keys", "archive").status == 2
    answer = run("keys", "archive", "add", "--isuer", ISSUER)
    assert answer.status == 2
    assert "usage: watchword keys archive add" in answer.err
    assert run("keys", "archive", "missing.ndjson").status == 2


def test_what_an_archive_contains_does_not_reach_the_terminal(run, tmp_path: Path) -> None:
    path = str(tmp_path / "archive.ndjson")
    with ArchiveWriter(path) as writer:
        key = LocalIssuer(key_ids=["x\x1b[31m"]).jwks()
        writer.record_key_set("https://as.example/\x1b[2J", key, 1)
    answer = run("keys", "archive", path)
    assert answer.status == 0
    assert "\x1b" not in answer.out


# Watching.


class Watch:
    """``watchword keys watch`` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self.process = command_process.start("keys", "watch", *arguments, "--allow-loopback-http", bufsize=0)

    def line(self) -> str:
        return self._line(self.process.stdout)

    def complaint(self) -> str:
        return self._line(self.process.stderr)

    def _line(self, stream: IO[bytes]) -> str:
        ready, _, _ = select.select([stream], [], [], endpoint.LONG)
        assert ready, "no line in time"
        return stream.readline().decode()

    def end(self, number: int) -> tuple[int, bytes]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=endpoint.LONG)
        return self.process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch(run, tmp_path: Path, number: int) -> None:
    path = str(tmp_path / "archive.ndjson")
    with LocalIssuer().serve() as served:
        watch = Watch(path, "--issuer", served.issuer, "--every", "1")
        assert f"{served.issuer}  1 key: eddsa-1" in watch.line()
        served.rotate()
        assert "2 keys: eddsa-1, eddsa-2" in watch.line()
        with served.outage():
            assert "unreachable: the key endpoint returned HTTP 503" in watch.line() or "metadata" in watch.line()
        assert "2 keys: eddsa-1, eddsa-2" in watch.line()
        served.remove_key("eddsa-1")
        assert "1 key: eddsa-2" in watch.line()
        assert watch.end(number) == (0, b"")
    archive = KeyArchive.open(path)
    first, second = archive.timeline(served.issuer).lifetimes
    assert (first.key_id, second.key_id) == ("eddsa-1", "eddsa-2")
    assert first.absent_since is not None
    assert second.absent_since is None
    assert [record.event for record in archive.records if record.event in ("absent", "unreachable")][-1] == "absent"
    assert run("keys", "archive", path).status == 0


def test_watch_once(run, tmp_path: Path) -> None:
    path = str(tmp_path / "archive.ndjson")
    with LocalIssuer().serve() as served, LocalIssuer().serve() as other:
        both = ("--issuer", served.issuer, f"https://as.example={other.jwks_uri}", "--once", "--allow-loopback-http")
        assert run("keys", "watch", path, *both).status == 0
        with served.outage():
            answer = run("keys", "watch", path, *both)
        assert answer.status == 1
        assert "unreachable" in answer.out
    archive = KeyArchive.open(path)
    assert archive.issuers == (served.issuer, "https://as.example")
    assert [record.event for record in archive.records] == ["seen", "seen", "unreachable", "seen"]


def test_watch_records_the_document_rejected_keys_included(run, tmp_path: Path) -> None:
    path = str(tmp_path / "archive.ndjson")
    weak = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"}
    with endpoint.running() as server:
        document = {"keys": [endpoint.Key("a").jwk, weak]}
        server.routes["/jwks"] = endpoint.answer(json.dumps(document), ETag='"1"')
        watched = f"https://as.example={server.url}/jwks?secret=1"
        assert run("keys", "watch", path, "--issuer", watched, "--once", "--allow-loopback-http").status == 0
    (record,) = KeyArchive.open(path).records
    assert weak in record.keys
    assert record.source == f"{server.url}/jwks?…"


HOSTILE = {
    # Shorter in the document than in an archive.
    "numbers": lambda key: {**key, "x-numbers": [1e15] * 200_000},
    "characters": lambda key: {**key, "kid": "\x7f\x80\U0001f511" * 140_000},
    "depth": lambda key: {**key, "x-depth": [[[[[[[[1]]]]]]]]},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_document_of_an_issuer_does_not_end_the_watch(run, tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "archive.ndjson")
    key = endpoint.Key("a").jwk
    with endpoint.running() as server:
        text = json.dumps({"keys": [HOSTILE[kind](key), {**key, "kid": "b"}]}, ensure_ascii=False)
        server.routes["/jwks"] = endpoint.answer(text.replace("1000000000000000.0", "1e15").replace(" ", ""))
        watched = ("--issuer", f"https://as.example={server.url}/jwks", "--once", "--allow-loopback-http")
        answer = run("keys", "watch", path, *watched)
        assert answer.status == 0
        assert len(answer.out) < 2000
        assert answer.out.rstrip("\n").isprintable()
        server.routes["/jwks"] = endpoint.answer(json.dumps({"keys": [{**key, "kid": "b"}]}))
        assert run("keys", "watch", path, *watched).status == 0
    lifetimes = KeyArchive.open(path).timeline("https://as.example").lifetimes
    assert [life.absent_since is None for life in lifetimes if life.key_id == "b"] == [True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--issuer", "http://as.example"], "must be an https URL"),
        (["--issuer", "https://as.example", "--every", "0.1"], "--every must be from 1 to 31536000 seconds"),
        (["--issuer", "https://as.example", "--every", "nan"], "--every must be from 1 to 31536000 seconds"),
        (["--issuer", "https://as.example", "--every", "1e10"], "--every must be from 1 to 31536000 seconds"),
        (["--issuer", "https://a.example", "https://a.example=https://b.example/jwks"], "an issuer is given twice"),
        ([], "--issuer"),
    ],
)
def test_what_can_not_be_watched(run, tmp_path: Path, arguments: list[str], said: str) -> None:
    path = tmp_path / "archive.ndjson"
    answer = run("keys", "watch", str(path), *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert not path.exists()


def test_watch_goes_on_when_the_clock_was_set_back(tmp_path: Path) -> None:
    path = str(tmp_path / "archive.ndjson")
    with ArchiveWriter(path) as writer:
        writer.record_unreachable(ISSUER, time=time.time() + 3600)
    with LocalIssuer().serve() as served:
        watch = Watch(path, "--issuer", served.issuer, "--every", "1")
        complaint = watch.complaint()
        assert f"{served.issuer}: not polled: the clock is 3," in complaint
        assert "correct the clock" in complaint
        assert watch.end(signal.SIGTERM)[0] == 0
    assert len(KeyArchive.open(path)) == 1


def test_watch_of_an_archive_that_is_removed(tmp_path: Path) -> None:
    path = str(tmp_path / "archive.ndjson")
    with LocalIssuer().serve() as served:
        watch = Watch(path, "--issuer", served.issuer, "--every", "1")
        watch.line()
        os.unlink(path)
        _, err = watch.process.communicate(timeout=endpoint.LONG)
    assert watch.process.returncode == 2
    assert b"it was removed or replaced while it was open for writing" in err
