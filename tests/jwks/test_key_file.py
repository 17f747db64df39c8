"""Keys in a file: every form, and every way in which it changes or breaks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from endpoint import ISSUER, Clock, Key, jwks

from watchword import KeysUnavailableError, UnknownKeyError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, EventKind, KeyEvent
from watchword.verifier import Verifier

A, B = Key("a"), Key("b")
TOKEN = A.token(ISSUER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def verifier(path: Path, make: Callable[..., Verifier]) -> Verifier:
    return make(issuer=Issuer(ISSUER, jwks_file=path))


def write(path: Path, data: bytes) -> None:
    """Replaces the file as one should; and long enough ago that its time-stamp can be relied on."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    os.utime(new, (1_000_000_000, 1_000_000_000))
    new.rename(path)


def encoded(key: Key, encoding: Encoding) -> bytes:
    return key.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "data",
    [
        jwks(B, A),
        b"\n  " + jwks(A),
        json.dumps(A.jwk).encode(),
        encoded(A, Encoding.PEM),
        b"\n" + encoded(A, Encoding.PEM),
        encoded(A, Encoding.DER),
    ],
    ids=["JWK Set", "JWK Set after white space", "JWK", "PEM", "PEM after a line", "DER"],
)
def test_every_form_is_read(path: Path, verifier: Verifier, data: bytes) -> None:
    write(path, data)
    assert verifier.verify(TOKEN).subject == "agent-7"


def test_a_new_file_is_taken_up(path: Path, verifier: Verifier, clock: Clock, events: list[KeyEvent]) -> None:
    write(path, jwks(A))
    verifier.verify(TOKEN)
    write(path, jwks(B))
    verifier.verify(TOKEN)  # it was checked less than a second ago
    clock.move(1)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)
    verifier.verify(B.token(ISSUER))
    changes = [event for event in events if event.kind is EventKind.SET_CHANGED]
    assert [(event.added, event.removed) for event in changes] == [(("a",), ()), (("b",), ("a",))]


def test_a_file_that_did_not_change_is_not_read_again(path: Path, verifier: Verifier, clock: Clock) -> None:
    write(path, jwks(A))
    for _ in range(5):
        verifier.verify(TOKEN)
        clock.move(1)
    assert verifier.stats()[ISSUER].fetches == 1
    assert (verifier.stats()[ISSUER].age, verifier.stats()[ISSUER].expires_in) == (5, None)


def test_two_changes_within_one_time_stamp_are_both_seen(path: Path, verifier: Verifier, clock: Clock) -> None:
    """Written in place: the same inode, the same length, and the same time for a coarse clock."""
    stamp = time.time_ns()
    path.write_bytes(jwks(A))
    os.utime(path, ns=(stamp, stamp))
    verifier.verify(TOKEN)
    path.write_bytes(jwks(B))
    os.utime(path, ns=(stamp, stamp))
    clock.move(1)
    verifier.verify(B.token(ISSUER))


@pytest.mark.parametrize(
    "breaks",
    [
        Path.unlink,
        lambda path: write(path, b""),
        lambda path: write(path, jwks(A)[:-1]),
        lambda path: write(path, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        lambda path: write(path, b"\x30\x00"),
        lambda path: write(path, b" " * (1024 * 1024 + 1) + jwks(A)),
        lambda path: write(path, b"# no keys yet"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
    ],
    ids=["gone", "empty", "cut off", "broken PEM", "broken DER", "too large", "text", "folder", "pipe"],
)
def test_an_unreadable_file_leaves_the_keys_and_is_reported_once(
    path: Path, verifier: Verifier, clock: Clock, events: list[KeyEvent], breaks: Callable[[Path], object]
) -> None:
    write(path, jwks(A))
    verifier.verify(TOKEN)
    breaks(path)
    for _ in range(3):
        clock.move(10_000)
        verifier.verify(TOKEN)
    failed = [event for event in events if event.kind is EventKind.FILE_FAILED]
    assert len(failed) == 1
    assert str(path) not in failed[0].detail
    assert verifier.stats()[ISSUER].consecutive_failures == 3
    with pytest.raises(KeysUnavailableError):
        verifier.refresh()
    if path.is_dir():
        path.rmdir()
    write(path, jwks(B))
    clock.move(1)
    verifier.verify(B.token(ISSUER))
    assert verifier.stats()[ISSUER].consecutive_failures == 0


def test_no_file_at_first(path: Path, verifier: Verifier, clock: Clock) -> None:
    with pytest.raises(KeysUnavailableError, match="No such file"):
        verifier.verify(TOKEN)
    write(path, jwks(A))
    clock.move(1)
    verifier.verify(TOKEN)


def test_an_empty_set_is_the_operators_word(path: Path, verifier: Verifier, clock: Clock) -> None:
    write(path, jwks(A))
    verifier.verify(TOKEN)
    write(path, jwks())
    clock.move(1)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)


def test_the_same_keys_written_anew_stay_the_same_object(path: Path, verifier: Verifier, clock: Clock) -> None:
    write(path, jwks(A))
    verifier.verify(TOKEN)
    source = next(iter(verifier._table.entries.values())).source
    keys = source.current()
    write(path, json.dumps(json.loads(jwks(A)), indent=4).encode())
    clock.move(1)
    verifier.verify(TOKEN)
    assert source.current() is keys
    assert verifier.stats()[ISSUER].not_modified == 1


def test_the_check_interval_is_a_setting(path: Path, make, clock: Clock) -> None:
    verifier = make(issuer=Issuer(ISSUER, jwks_file=str(path), cache_settings=CacheSettings(check_interval=60)))
    write(path, jwks(A))
    verifier.verify(TOKEN)
    write(path, jwks(B))
    clock.move(59)
    verifier.verify(TOKEN)
    clock.move(1)
    with pytest.raises(UnknownKeyError):
        verifier.verify(TOKEN)


def test_many_threads_read_it_once(path: Path, verifier: Verifier) -> None:
    from test_concurrency import in_threads

    write(path, jwks(A))
    assert in_threads(20, lambda: verifier.verify(TOKEN).key_id) == ["a"] * 20
    assert verifier.stats()[ISSUER].fetches == 1


def test_a_closed_verifier_reads_no_more(path: Path, verifier: Verifier) -> None:
    write(path, jwks(A))
    verifier.verify(TOKEN)
    verifier.close()
    with pytest.raises(ValueError, match="closed"):
        verifier.verify(TOKEN)
