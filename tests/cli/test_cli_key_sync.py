"""``watchword keys sync``: the file of keys, with real issuers on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import command_process
import endpoint
import pytest

from watchword import Issuer, KeySet
from watchword.gate.synced_keys import SyncedKeys
from watchword.jwks import CacheSettings, DefaultFetcher
from watchword.testing import LocalIssuer

HEAD = 'public_url = "https://api.example"\ntoken = { audience = "https://api.example" }\n'


def config(folder: Path, *issuers: str, cache: str = "") -> str:
    """Write a configuration with these issuers on loopback. Returns its name."""
    text = HEAD
    for issuer in issuers:
        text += f'[[issuers]]\nissuer = "{issuer}"\nallow_loopback_http = true\n'
        text += f"[issuers.cache]\n{cache}\n" if cache else ""
    path = folder / "gate.toml"
    path.write_text(text + '[[routes]]\npath = "/x"\n')
    return str(path)


def entries(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())["issuers"]


def key_ids(path: Path, issuer: str) -> list[str]:
    return [key["kid"] for key in entries(path)[issuer]["jwks"]["keys"]]


class Sync:
    """``watchword keys sync`` in a process of its own."""

    def __init__(self, folder: Path, output: Path, *arguments: str) -> None:
        given = ("--config", str(folder / "gate.toml"), "--output", str(output), "--interval", "1", *arguments)
        self.process = command_process.start("keys", "sync", *given, bufsize=0)

    def line(self) -> str:
        return self._line(self.process.stdout)

    def complaint(self) -> str:
        return self._line(self.process.stderr)

    def _line(self, stream: Any) -> str:
        ready, _, _ = select.select([stream], [], [], endpoint.LONG)
        assert ready, "no line in time"
        return stream.readline().decode()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, bytes]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=endpoint.LONG)
        return self.process.returncode, err


Start = Callable[[Path, Path], Sync]


@pytest.fixture(name="start")
def _start() -> Iterator[Start]:
    """Starts the command; what still runs at the end of the test is killed."""
    with contextlib.ExitStack() as stack:

        def start(folder: Path, output: Path) -> Sync:
            sync = Sync(folder, output)
            stack.enter_context(sync.process)
            stack.callback(sync.process.kill)
            return sync

        yield start


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + endpoint.LONG
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_file_follows_the_issuers(start: Start, tmp_path: Path, number: int) -> None:
    output = tmp_path / "keys.json"
    with LocalIssuer().serve() as served, LocalIssuer().serve() as other:
        config(tmp_path, served.issuer, other.issuer)
        sync = start(tmp_path, output)
        assert f"{served.issuer}  1 key: eddsa-1" in sync.line()
        assert f"{other.issuer}  1 key: eddsa-1" in sync.line()
        wait_until(output.exists)
        assert list(entries(output)) == [served.issuer, other.issuer]
        served.rotate()
        assert "2 keys: eddsa-1, eddsa-2" in sync.line()
        wait_until(lambda: key_ids(output, served.issuer) == ["eddsa-1", "eddsa-2"])
        before = output.stat().st_ino
        with served.outage():
            assert "the keys are used until " in sync.line()
            # The other issuer's keys still change.
            other.rotate()
            assert f"{other.issuer}  2 keys" in sync.line()
            wait_until(lambda: output.stat().st_ino != before)
            assert key_ids(output, served.issuer) == ["eddsa-1", "eddsa-2"]
        assert "2 keys: eddsa-1, eddsa-2" in sync.line()
        served.remove_key("eddsa-1")
        assert "1 key: eddsa-2" in sync.line()
        wait_until(lambda: key_ids(output, served.issuer) == ["eddsa-2"])
        assert sync.end(number) == (0, b"")
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".toml"] == ["keys.json"]
    # A gate reads it.
    entry = entries(output)[served.issuer]
    (key,) = KeySet.from_json(json.dumps(entry["jwks"]))
    assert key.thumbprint == next(iter(served.key_set())).thumbprint
    assert 0 < entry["valid_until"] - time.time() <= 2 * 3600


def test_an_issuer_that_stays_down_is_left_out(start: Start, tmp_path: Path) -> None:
    output = tmp_path / "keys.json"
    cache = (
        "ttl = 2.5\nmin_ttl = 2.5\nmax_ttl = 2.5\ntimeout = 2\nmax_stale = 0.5\nbackoff_base = 0.1\nbackoff_cap = 0.2"
    )
    with LocalIssuer().serve() as served:
        config(tmp_path, served.issuer, cache=cache)
        sync = start(tmp_path, output)
        # On a slow machine an attempt may fail by itself, so that there may be other lines before.
        wait_until(lambda: "1 key" in sync.line())
        with served.outage():
            wait_until(lambda: "left out: " in sync.line())
            wait_until(lambda: entries(output) == {})
        wait_until(lambda: "1 key" in sync.line())
        wait_until(lambda: served.issuer in entries(output))
        assert sync.end()[0] == 0


def test_once(run, tmp_path: Path) -> None:
    output = tmp_path / "keys.json"
    with LocalIssuer().serve() as served, LocalIssuer().serve() as other:
        arguments = ("keys", "sync", "--config", config(tmp_path, served.issuer, other.issuer))
        arguments = (*arguments, "--output", str(output), "--once", "--mode", "640")
        assert run(*arguments).status == 0
        assert stat.S_IMODE(output.stat().st_mode) == 0o640
        before = output.stat()
        # Nothing is new, so that nothing is written.
        assert run(*arguments).status == 0
        assert output.stat() == before
        with served.outage():
            answer = run(*arguments)
        assert answer.status == 1
        assert f"{served.issuer}  the keys are used until " in answer.out
        # The keys that the file had are kept within their time.
        assert list(entries(output)) == [served.issuer, other.issuer]
        late = entries(output)
        late[served.issuer]["valid_until"] = time.time() - 1
        output.write_text(json.dumps({"issuers": late}))
        with served.outage():
            answer = run(*arguments)
        assert answer.status == 1
        assert "left out: " in answer.out
        assert list(entries(output)) == [other.issuer]


def test_what_others_did_to_the_file_is_undone(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    output = folder / "keys.json"
    with LocalIssuer().serve() as served:
        config(tmp_path, served.issuer)
        sync = start(tmp_path, output)
        wait_until(output.exists)
        output.write_text("")
        wait_until(lambda: output.read_text().strip() and served.issuer in entries(output))
        shutil.rmtree(folder)
        assert f"'{output}' is not written: No such file or directory; trying again" in sync.complaint()
        folder.mkdir()
        assert "is written again" in sync.complaint()
        assert key_ids(output, served.issuer) == ["eddsa-1"]
        assert sync.end() == (0, b"")


def test_a_full_disk_leaves_the_old_file(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "keys.json"
    with LocalIssuer().serve() as served:
        arguments = ("keys", "sync", "--config", config(tmp_path, served.issuer), "--output", str(output), "--once")
        assert run(*arguments).status == 0
        before = output.read_bytes()
        served.rotate()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        answer = run(*arguments)
    assert answer.status == 1
    assert "is not written: No space left on device; trying again" in answer.err
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".toml"] == ["keys.json"]


@dataclass
class OneIssuer:
    """``SyncedKeys`` with clocks of its own, and the endpoint of one issuer."""

    output: Path
    server: endpoint.Server
    synced: SyncedKeys
    passed: list[float]
    start: float

    def write_after(self, seconds: float) -> bool:
        """Whether the file is written at this time after the start."""
        self.passed[0] = seconds
        return self.synced.write(self.synced.update())

    @property
    def entry(self) -> dict[str, Any] | None:
        return entries(self.output).get("https://as.example")

    @property
    def valid_for(self) -> float:
        """Until when the keys may be used, in seconds after the start."""
        return self.entry["valid_until"] - int(self.start)


@pytest.fixture(name="one")
def _one(tmp_path: Path) -> Iterator[OneIssuer]:
    passed, start = [0.0], float(int(time.time()))
    fetcher = DefaultFetcher()
    with endpoint.running() as server:
        issuers = [
            Issuer("https://given.example", jwks={"keys": [endpoint.Key("given").jwk]}),
            Issuer(
                "https://as.example",
                jwks_uri=f"{server.url}/jwks",
                allow_loopback_http=True,
                cache_settings=CacheSettings(ttl=100, max_stale=300),
            ),
        ]
        synced = SyncedKeys(
            issuers,
            tmp_path / "keys.json",
            fetcher=fetcher,
            interval=60,
            clock=lambda: start + passed[0],
            monotonic=lambda: passed[0],
        )
        yield OneIssuer(tmp_path / "keys.json", server, synced, passed, start)
        synced.close()
    fetcher.close()


def serve(one: OneIssuer, *keys: dict[str, Any], **headers: str) -> None:
    one.server.routes["/jwks"] = endpoint.answer(json.dumps({"keys": keys}), **headers)


def test_the_file_has_the_usable_keys_that_are_fetched_and_no_more(one: OneIssuer) -> None:
    key, other = endpoint.Key("a").jwk, endpoint.Key("b").jwk
    weak = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"}
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}
    restricted = {**other, "alg": "EdDSA", "issuer": "https://as.example"}
    serve(one, {**key, "use": "sig", "x5c": ["..."]}, weak, secret, {**restricted, "key_ops": ["verify"]})
    assert one.write_after(0)
    assert list(entries(one.output)) == ["https://as.example"]
    keys = sorted((key, restricted), key=lambda jwk: jwk["kid"])
    assert sorted(one.entry["jwks"]["keys"], key=lambda jwk: jwk["kid"]) == keys
    assert "c2VjcmV0" not in one.output.read_text()


def test_keys_are_fetched_after_the_interval_and_written_long_before_their_time_is_over(one: OneIssuer) -> None:
    key = endpoint.Key("a").jwk
    serve(one, key)
    assert one.write_after(0)
    assert one.valid_for == 400
    assert not one.write_after(59)
    assert one.server.count("/jwks") == 1
    assert not one.write_after(61)
    assert one.server.count("/jwks") == 2
    assert one.write_after(130)
    assert one.valid_for == 530
    # A lifetime that has become shorter counts at once.
    serve(one, key, Cache_Control="max-age=30")
    assert one.write_after(191)
    assert one.valid_for == 521
    assert one.server.count("/jwks") == 4


def test_keys_are_used_up_to_max_stale_and_then_left_out(one: OneIssuer) -> None:
    serve(one, endpoint.Key("a").jwk)
    assert one.write_after(0)
    one.server.routes["/jwks"] = endpoint.answer(status=503)
    for seconds in (61, 150, 399):
        assert not one.write_after(seconds)
        assert one.entry is not None
        assert one.valid_for == 400
    assert one.write_after(400)
    assert one.entry is None
    assert not one.write_after(401)


def test_a_restart_in_an_outage_keeps_the_keys_within_their_time(one: OneIssuer, tmp_path: Path) -> None:
    serve(one, endpoint.Key("a").jwk)
    assert one.write_after(0)
    one.server.routes["/jwks"] = endpoint.answer(status=503)
    fetcher = DefaultFetcher()
    issuer = Issuer("https://as.example", jwks_uri=f"{one.server.url}/jwks", allow_loopback_http=True)
    for now, is_there in ((399, True), (400, False)):
        synced = SyncedKeys([issuer], one.output, fetcher=fetcher, interval=60, clock=lambda now=now: one.start + now)
        results = synced.update()
        assert results["https://as.example"].failure is not None
        # As before, or left out.
        assert synced.write(results) != is_there
        assert (one.entry is not None) == is_there
        synced.close()
    # A time that no configuration gives is not believed.
    entry = {"jwks": {"keys": [endpoint.Key("a").jwk]}, "valid_until": 1e12}
    one.output.write_text(json.dumps({"issuers": {"https://as.example": entry}}))
    synced = SyncedKeys([issuer], one.output, fetcher=fetcher, interval=60, clock=lambda: one.start)
    assert synced.write(synced.update())
    assert one.valid_for == 7200
    synced.close()
    fetcher.close()


def test_a_pipe_is_not_waited_for(run, tmp_path: Path) -> None:
    output = tmp_path / "keys.json"
    os.mkfifo(output)
    name = config(tmp_path, "http://127.0.0.1:1")
    answer = run("keys", "sync", "--config", name, "--output", str(output), "--once")
    assert answer.status == 2
    assert "is not a regular file" in answer.err


@pytest.mark.parametrize("content", ["{", "[]", '{"keys": []}', '{"issuers": []}', "public_url = 1"])
def test_another_file_is_not_overwritten(run, tmp_path: Path, content: str) -> None:
    output = tmp_path / "keys.json"
    output.write_text(content)
    name = config(tmp_path, "http://127.0.0.1:1")
    answer = run("keys", "sync", "--config", name, "--output", str(output), "--once")
    assert answer.status == 2
    assert "is another file" in answer.err
    assert output.read_text() == content


@pytest.mark.parametrize(
    "entry", [{"jwks": {"keys": []}, "valid_until": 10**400}, {"jwks": 1}, 1], ids=["too-large", "no-time", "number"]
)
def test_an_invalid_entry_is_removed_at_once(run, tmp_path: Path, entry: Any) -> None:
    output = tmp_path / "keys.json"
    output.write_text(json.dumps({"issuers": {"http://127.0.0.1:1": entry}}))
    name = config(tmp_path, "http://127.0.0.1:1")
    answer = run("keys", "sync", "--config", name, "--output", str(output), "--once")
    assert answer.status == 1
    assert "Traceback" not in answer.err
    assert entries(output) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--interval", "0.1"], "--interval must be from 1 to 31536000 seconds"),
        (["--mode", "8"], "--mode"),
        (["--mode", "77777"], "--mode"),
        (["--config", "/nowhere.toml"], "can't be read"),
    ],
)
def test_usage_errors(run, tmp_path: Path, arguments: list[str], said: str) -> None:
    name = config(tmp_path, "http://127.0.0.1:1")
    answer = run("keys", "sync", "--config", name, "--output", str(tmp_path / "keys.json"), "--once", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert not (tmp_path / "keys.json").exists()


def test_a_configuration_without_keys_to_fetch(run, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(HEAD + '[[issuers]]\nissuer = "https://as.example"\njwks_file = "own.json"\n')
    name = str(tmp_path / "gate.toml")
    answer = run("keys", "sync", "--config", name, "--output", str(tmp_path / "keys.json"), "--once")
    assert answer.status == 2
    assert "no issuer's keys are fetched" in answer.err
    (tmp_path / "gate.toml").write_text("public_url = 1\n")
    answer = run("keys", "sync", "--config", name, "--output", str(tmp_path / "keys.json"), "--once")
    assert answer.status == 2
    assert "run `watchword check" in answer.err
