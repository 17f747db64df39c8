"""What a running Verifier writes to an archive, and a disk that fails it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import archives
import endpoint
import pytest
from archives import ISSUER

from watchword import Issuer, KeysUnavailableError, Verifier
from watchword.jwks import CacheSettings, EventKind, KeyEvent
from watchword.jwks.archive import ArchiveEvent, ArchiveListener, ArchiveWriter, KeyArchive


@pytest.fixture
def server() -> Iterator[endpoint.Server]:
    with endpoint.running() as server:
        server.routes["/jwks"] = endpoint.answer(endpoint.jwks(archives.key("a")))
        yield server


@pytest.fixture
def issuer(server: endpoint.Server) -> Issuer:
    settings = CacheSettings(cooldown=0)
    return Issuer(ISSUER, jwks_uri=f"{server.url}/jwks?secret=1", allow_loopback_http=True, cache_settings=settings)


def records_of(path: str) -> list[tuple[str, str | None]]:
    return [(record.event.value, record.key_id) for record in KeyArchive.open(path).records]


def test_a_verifier_writes_what_it_sees(path: str, server: endpoint.Server, issuer: Issuer) -> None:
    events: list[KeyEvent] = []
    with (
        ArchiveWriter(path) as writer,
        ArchiveListener(writer, then=events.append) as listener,
        Verifier([issuer], audience=None, on_event=listener) as verifier,
    ):
        verifier.refresh()
        verifier.refresh()
        server.routes["/jwks"] = endpoint.answer(endpoint.jwks(archives.key("b")))
        verifier.verify(archives.key("b").token(ISSUER))
        server.routes["/jwks"] = endpoint.answer(status=503)
        with pytest.raises(KeysUnavailableError):
            verifier.refresh()
        endpoint.eventually(lambda: any(event.kind is EventKind.FETCH_FAILED for event in events))
        listener.close()
        listener.close()
        assert listener.lost == 0
    assert records_of(path) == [("seen", None), ("seen", None), ("seen", None), ("absent", "a"), ("unreachable", None)]
    first, second, *_, last = KeyArchive.open(path).records
    assert (first.keys is not None, second.keys) == (True, None)
    assert first.source == f"{server.url}/jwks?…"
    assert last.detail == "the key endpoint returned HTTP 503"
    assert {EventKind.FETCH_SUCCEEDED, EventKind.SET_CHANGED, EventKind.FETCH_FAILED} <= {
        event.kind for event in events
    }


def test_a_key_file_is_recorded_when_it_changes(path: str, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(endpoint.jwks(archives.key("a")))
    clock = endpoint.Clock()
    with (
        ArchiveWriter(path) as writer,
        ArchiveListener(writer) as listener,
        Verifier([Issuer(ISSUER, jwks_file=file)], audience=None, on_event=listener, monotonic=clock) as verifier,
    ):
        for name in "aab":
            file.write_bytes(endpoint.jwks(archives.key(name)))
            verifier.refresh()
    assert records_of(path) == [("seen", None), ("seen", None), ("absent", "a")]


def test_an_event_has_the_keys_and_does_not_show_them(server: endpoint.Server, issuer: Issuer) -> None:
    events: list[KeyEvent] = []
    with Verifier([issuer], audience=None, on_event=events.append) as verifier:
        verifier.refresh()
    having = [event for event in events if event.keys is not None]
    assert {event.kind for event in having} == {EventKind.FETCH_SUCCEEDED, EventKind.SET_CHANGED}
    assert all([key.key_id for key in event.keys or ()] == ["a"] for event in having)
    assert "keys=" not in repr(having)


def test_a_failing_archive_does_not_affect_the_verifier(
    path: str, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    with ArchiveWriter(path) as writer:
        os.unlink(path)
        with (
            caplog.at_level(logging.ERROR, "watchword"),
            ArchiveListener(writer) as listener,
            Verifier([issuer], audience=None, on_event=listener) as verifier,
        ):
            verifier.verify(archives.key("a").token(ISSUER))
            endpoint.eventually(lambda: listener.lost == 1)
    assert f"the keys of {ISSUER} could not be written to the archive" in caplog.text
    assert "removed or replaced" in caplog.text


class SlowWriter:
    """Blocks until it is released, as a disk that hangs."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.written = 0

    def record_unreachable(self, *_: object, **__: object) -> None:
        assert self.released.wait(endpoint.LONG)
        self.written += 1


def test_a_slow_disk_blocks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    writer = SlowWriter()
    listener = ArchiveListener(writer)
    with caplog.at_level(logging.ERROR, "watchword"):
        for _ in range(3000):
            listener(KeyEvent(kind=EventKind.FETCH_FAILED, issuer=ISSUER))
    assert listener.lost > 1000
    assert "the disk is too slow" in caplog.text
    writer.released.set()
    listener.close()
    assert writer.written + listener.lost == 3000


def test_listeners_of_several_verifiers_share_a_writer(path: str) -> None:
    with ArchiveWriter(path) as writer:
        listeners = [ArchiveListener(writer) for _ in range(8)]
        for _ in range(30):
            for listener in listeners:
                listener(KeyEvent(kind=EventKind.FETCH_FAILED, issuer=ISSUER))
        for listener in listeners:
            listener.close()
    assert [listener.lost for listener in listeners] == [0] * 8
    assert len(KeyArchive.open(path)) == 240


def test_a_forked_child_writes_nothing(path: str) -> None:
    with ArchiveWriter(path) as writer, ArchiveListener(writer) as listener:
        child = os.fork()
        if child == 0:
            listener(KeyEvent(kind=EventKind.FETCH_FAILED, issuer=ISSUER))
            listener.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        listener(KeyEvent(kind=EventKind.FETCH_FAILED, issuer=ISSUER))
    assert records_of(path) == [(ArchiveEvent.UNREACHABLE, None)]
