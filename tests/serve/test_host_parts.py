"""What the host of a server is made of: watched files, key feed, history, notifications of systemd, metrics."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from server_states import state

from watchword import KeySet, Verifier
from watchword.dpop import DpopVerifier
from watchword.gate import ConfigError, GateConfig
from watchword.jwks import CacheSettings, Pending, Stats
from watchword.observability.sources import Sources
from watchword.serve.history import History
from watchword.serve.key_feed import KeyFeed
from watchword.serve.loop import Loop
from watchword.serve.metrics import READY, exposition
from watchword.serve.settings import check_unchanged, fixed_settings, server_settings
from watchword.serve.systemd import Notifier
from watchword.serve.watched_files import WatchedFiles
from watchword.testing import LocalIssuer

SOON = 30.0

# Files.


def test_a_change_counts_once_the_file_is_at_rest(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("one")
    files = WatchedFiles([path])
    assert not files.have_changed()
    path.write_text("two!")
    assert not files.have_changed()
    path.write_text("three!!")
    assert not files.have_changed()
    assert files.have_changed()
    assert not WatchedFiles([path]).have_changed()


def test_the_swap_of_a_link_is_a_change(tmp_path: Path) -> None:
    """As Kubernetes updates a ConfigMap: gate.toml -> ..data/gate.toml, ..data -> a folder with a time in its name."""
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gate.toml").write_text("same size")
        os.utime(tmp_path / name / "gate.toml", (1, 1))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "gate.toml").symlink_to("..data/gate.toml")
    files = WatchedFiles([tmp_path / "gate.toml"])
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert [files.have_changed(), files.have_changed()] == [False, True]


def test_a_file_that_is_gone_and_one_that_is_added(tmp_path: Path) -> None:
    path, other = tmp_path / "gate.toml", tmp_path / "nonces"
    path.write_text("one")
    files = WatchedFiles([path])
    files.add([other])
    assert not files.have_changed()
    path.unlink()
    assert [files.have_changed(), files.have_changed()] == [False, True]
    files = WatchedFiles([other])
    other.write_text("x")
    assert [files.have_changed(), files.have_changed()] == [False, True]


# Keys.


class Server:
    """What a feed hands over to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, KeySet | None]] = []
        self.changed = threading.Condition()

    def __call__(self, issuer: str, keys: KeySet | None) -> None:
        with self.changed:
            self.calls.append((issuer, keys))
            self.changed.notify_all()

    def keys_of(self, issuer: str) -> tuple[str, ...] | None:
        found = [keys for name, keys in self.calls if name == issuer]
        return None if not found or found[-1] is None else tuple(str(key.key_id) for key in found[-1])


def until(condition: Any, feed: KeyFeed) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        feed.look()
        time.sleep(0.01)


def test_keys_are_handed_over_when_they_change_and_when_they_expire() -> None:
    origin = LocalIssuer()
    settings = CacheSettings(ttl=1, min_ttl=1, max_ttl=1, timeout=0.9, max_stale=0, cooldown=0, backoff_base=0.01)
    server = Server()
    feed = KeyFeed(server)
    with origin.serve() as served, Verifier([served.as_issuer(cache_settings=settings)]) as verifier:
        with feed.replacing(verifier._table.entries.values()) as keys:
            assert keys == [None]
        until(lambda: server.keys_of(served.issuer), feed)
        first = server.keys_of(served.issuer)
        number = len(server.calls)
        feed.look()
        assert len(server.calls) == number
        origin.rotate()
        until(lambda: server.keys_of(served.issuer) != first, feed)
        with served.outage():
            until(lambda: server.calls[-1][1] is None, feed)
        until(lambda: server.keys_of(served.issuer) is not None, feed)


def test_expired_keys_are_not_used_while_they_are_fetched() -> None:
    class Fetching:
        """A source whose keys have expired, and whose fetch does not end."""

        keys: KeySet | None = LocalIssuer().key_set()

        def current(self) -> KeySet | None:
            return self.keys

        def request(self) -> Pending[KeySet]:
            return Pending(LocalIssuer().key_set, Future(), seconds=0.5)

        def stats(self) -> Stats:
            return Stats(expires_in=0.0 if self.keys is None else 1.0)

    server, source = Server(), Fetching()
    feed = KeyFeed(server)
    with feed.replacing([SimpleNamespace(issuer=SimpleNamespace(issuer="https://a"), source=source)]) as keys:
        assert keys == [source.keys]
    source.keys = None
    feed.look()
    assert server.calls[0] == ("https://a", None)


def test_a_look_up_finds_a_new_key_and_one_of_another_issuer_nothing() -> None:
    origin = LocalIssuer()
    server = Server()
    feed = KeyFeed(server)
    with origin.serve() as served, Verifier([served.as_issuer()]) as verifier:
        with feed.replacing(verifier._table.entries.values()):
            pass
        feed.look_up(served.issuer, [None], are_missing=True)
        seen = server.calls[-1][1]
        origin.rotate()
        (new, *_) = {key["kid"] for key in origin.jwks()["keys"]} - {key.key_id for key in seen}
        feed.look_up(served.issuer, [new, new], are_missing=False)
        assert new in server.keys_of(served.issuer)
        number = len(server.calls)
        feed.look_up("https://unknown.example", ["a"], are_missing=True)
        feed.look_up(served.issuer, ["invented"], are_missing=False)
        feed.look_up(served.issuer, [new], are_missing=False)
        assert len(server.calls) == number


def test_a_reload_keeps_the_keys_of_issuers_that_stay() -> None:
    origin = LocalIssuer()
    server = Server()
    feed = KeyFeed(server)
    with origin.verifier() as verifier:
        entries = list(verifier._table.entries.values())
        with feed.replacing(entries) as keys:
            assert keys[0] is not None
        with pytest.raises(RuntimeError), feed.replacing([]):
            raise RuntimeError
        assert list(feed.keys()) == [origin.issuer]
        with feed.replacing([]):
            pass
        feed.look_up(origin.issuer, [None], are_missing=True)
        assert server.calls == []


# The rest.


def test_history_counts_what_was_added() -> None:
    now = [600.0]
    history = History(lambda: now[0])
    history.count(5, 1)
    history.count(7, 1)
    now[0] = 661.0
    history.count(8, 4)
    now[0] = 601.0  # a clock that is set back
    history.count(9, 4)
    minutes = history.last_hour()
    assert len(minutes) == 60
    assert [(one.start, one.allowed, one.rejected) for one in minutes[-2:]] == [(600, 7, 1), (660, 2, 3)]
    now[0] = 660.0 + 59 * 60
    assert history.last_hour()[0].start == 660


def test_a_loop_survives_exceptions_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Event()
    calls = []

    def step() -> float:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("a full disk")
        called.set()
        return 3600.0

    loop = Loop("watchword-test", step)
    loop.start()
    loop.wake()
    assert called.wait(SOON)
    assert "watchword-test failed" in caplog.text
    assert not loop.is_stuck(3600)
    assert loop.is_stuck(-1)
    loop.stop()
    loop.join(SOON)
    assert not loop.is_stuck(-1)


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (str(tmp_path / "notify"), "@watchword-test-" + tmp_path.name):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind("\0" + name[1:] if name.startswith("@") else name)
            receiver.settimeout(SOON)
            monkeypatch.setenv("NOTIFY_SOCKET", name)
            monkeypatch.setenv("WATCHDOG_USEC", "30000000")
            notifier = Notifier()
            assert notifier.interval == 15
            notifier.ready()
            notifier.reloading()
            notifier.status("two\nlines")
            notifier.watchdog()
            notifier.stopping()
            received = [receiver.recv(1024).decode() for _ in range(5)]
        assert received[0] == "READY=1"
        assert received[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert received[2:] == ["STATUS=two lines", "WATCHDOG=1", "STOPPING=1"]
    notifier.ready()  # nobody listens any more
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert Notifier().interval is None
    monkeypatch.delenv("NOTIFY_SOCKET")
    Notifier().ready()


CONFIG = """
public_url = "https://api.test"
token = { audience = "https://api.test" }
issuers = [{ issuer = "https://issuer.test" }]
routes = [{ path = "/" }]
"""


def test_what_cannot_change_says_restart() -> None:
    def fixed(text: str) -> dict[str, object]:
        config = GateConfig.from_toml(CONFIG + text)
        return fixed_settings(config, server_settings(config))

    old = fixed("[server]\nproxy = 'nginx'\n[dpop]\nreplay = 'redis://u:passw0rd@h/0'\n")
    check_unchanged(old, old)
    with pytest.raises(ConfigError) as caught:
        check_unchanged(old, fixed("[server]\nproxy = 'caddy'\nthreads = 3\n[dpop]\nreplay = 'redis://u:other@h/0'\n"))
    assert str(caught.value).splitlines() == [
        "server.proxy: cannot change while the server runs: restart it",
        "server.threads: cannot change while the server runs: restart it",
        "dpop.replay: cannot change while the server runs: restart it",
    ]
    assert server_settings(GateConfig.from_toml(CONFIG + "[server]\nproxy = 'caddy'\n"), ["unix:/a"])["listen"] == (
        "unix:/a",
    )
    with pytest.raises(ConfigError, match=r"^server: is missing: add a section \[server\]"):
        server_settings(GateConfig.from_toml(CONFIG))


def metrics() -> bytes:
    counters = {
        **state().counters,
        "bounds": [1e-6, 2.5e-6, 1.0],
        "seconds": {("allowed", "Bearer", "true"): ([5, 3, 2, 1], 1.25)},
    }
    counters["verdicts"] = {
        ('a"b\\c\nd', "allowed", "", "true", "/{x}"): 7,
        ("https://issuer.test", "keys_unavailable", "Bearer", "false", "/{x}"): 2,
        ("https://issuer.test", "keys_unavailable", "DPoP", "false", "/{x}"): 1,
        ("https://gone.test", "keys_unavailable", "Bearer", "false", "/{x}"): 9,
    }
    verifier = Verifier(["https://issuer.test"], dpop=DpopVerifier(replay=None))
    return exposition(counters, {**Sources([verifier]).read(), READY: {(): 1}})


def test_metrics_are_read_by_prometheus() -> None:
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(metrics().decode())
        for sample in family.samples
    }
    assert found["watchword_server_connections", ()] == 12
    assert found["watchword_server_ready", ()] == 1
    assert found["watchword_replay_store_proofs", ()] == 17
    # The requests, and not the server's own looks at the keys.
    assert {labels: value for (name, labels), value in found.items() if name == "watchword_keys_unavailable_total"} == {
        (("issuer", "https://issuer.test"),): 3
    }
    labels = {"issuer": 'a"b\\c\nd', "code": "allowed", "scheme": "", "cached": "true", "route": "/{x}"}
    assert found["watchword_verdicts_total", tuple(sorted(labels.items()))] == 7
    by = (("cached", "true"), ("le", "1.0"), ("result", "allowed"), ("scheme", "Bearer"))
    assert found["watchword_verdict_duration_seconds_bucket", by] == 10
    assert found["watchword_verdict_duration_seconds_count", by[:1] + by[2:]] == 11


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_metrics_pass_promtool() -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
