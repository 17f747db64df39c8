"""Key files: who may access them, what is in them, and how they are written."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signers import EDDSA, ES256

from watchword.holder import KeyFileError, KeyPair

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owner and mode are POSIX's")


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "agent key.pem"
    path.write_text(ES256.private_pem())
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o500])
def test_modes_that_are_private(path: Path, mode: int) -> None:
    path.chmod(mode)
    assert KeyPair.from_file(path).thumbprint == ES256.thumbprint
    assert KeyPair.from_file(str(path)).thumbprint == ES256.thumbprint


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001, 0o044, 0o077])
def test_modes_that_let_others_in(path: Path, bit: int) -> None:
    path.chmod(0o600 | bit)
    with pytest.raises(KeyFileError) as caught:
        KeyPair.from_file(path)
    said = str(caught.value)
    assert f"has mode {0o600 | bit:04o}" in said
    assert f"chmod 600 '{path}'" in said
    path.chmod(0o600)
    KeyPair.from_file(path)


def test_a_file_of_another_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def foreign(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[stat.ST_UID] += 1
        return os.stat_result(found)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", foreign)
        with pytest.raises(KeyFileError, match=f"belongs to user {os.geteuid() + 1}"):
            KeyPair.from_file(path)
    if os.geteuid() == 0:  # nobody else may give files away
        os.chown(path, 12345, -1)
        with pytest.raises(KeyFileError, match="belongs to user 12345"):
            KeyPair.from_file(path)


def test_a_link_is_followed_and_its_target_checked(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    assert KeyPair.from_file(link).thumbprint == ES256.thumbprint
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="0640"):
        KeyPair.from_file(link)


def test_the_opened_file_is_checked_not_the_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Between opening and checking, the loose file is replaced by a private one.
    loose = path.with_name("loose")
    loose.write_text(EDDSA.private_pem())
    loose.chmod(0o644)
    real = os.open

    def open_and_replace(name: Any, *arguments: Any) -> int:
        descriptor = real(name, *arguments)
        os.replace(path, loose)
        return descriptor

    monkeypatch.setattr(os, "open", open_and_replace)
    with pytest.raises(KeyFileError, match="0644"):
        KeyPair.from_file(loose)


def _fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(path.parent)  # the name of a socket is at most 108 bytes
        bound.bind(path.name)


@pytest.mark.parametrize("make", [Path.mkdir, _fifo, _device, _socket])
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "key")
    with pytest.raises(OSError, match="key"):  # a FIFO must not be waited for
        KeyPair.from_file(tmp_path / "key")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeyPair.from_file(tmp_path / "key")


def test_a_huge_file(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(KeyFileError, match="larger than 65536"):
        KeyPair.from_file(path)


def test_formats(path: Path) -> None:
    path.write_text(EDDSA.private_pem("secret"))
    assert KeyPair.from_file(path, "secret").thumbprint == EDDSA.thumbprint
    path.write_text("\n " + json.dumps(EDDSA.private_jwk(), indent=1) + "\n")
    assert KeyPair.from_file(path).thumbprint == EDDSA.thumbprint
    with pytest.raises(ValueError, match="not encrypted"):
        KeyPair.from_file(path, "secret")


def test_errors_name_the_file_and_not_the_key(path: Path) -> None:
    body = ES256.private_pem().splitlines()[1]
    for content in ("", "{}", ES256.public_pem, ES256.private_pem() * 2, body, "{" + body):
        path.write_text(content)
        with pytest.raises(ValueError, match=str(path)) as caught:
            KeyPair.from_file(path)
        assert body not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("key", [ES256.private_pem(), json.dumps(ES256.private_jwk())], ids=["pem", "jwk"])
def test_a_key_in_the_place_of_the_path_is_not_quoted(key: str) -> None:
    for call in (KeyPair.from_file, ES256.write):
        with pytest.raises(ValueError, match="path is a key") as caught:
            call(key)
        assert ES256.private_jwk()["d"] not in str(caught.value)


def test_a_path_must_be_one() -> None:
    with pytest.raises(TypeError):
        KeyPair.from_file(0)  # type: ignore[arg-type]


# Writing.


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o377])
@pytest.mark.parametrize("password", [None, "secret"])
def test_a_written_file_is_private_and_can_be_read(tmp_path: Path, umask: int, password: str | None) -> None:
    path = tmp_path / "key.pem"
    before = os.umask(umask)
    try:
        ES256.write(path, password)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyPair.from_file(path, password).private_jwk() == ES256.private_jwk()
    assert os.listdir(tmp_path) == ["key.pem"]


def test_an_existing_file_is_never_overwritten(path: Path, tmp_path: Path) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for existing in (path, dangling, tmp_path):
        with pytest.raises(FileExistsError, match="never overwritten"):
            EDDSA.write(existing)
    assert KeyPair.from_file(path).thumbprint == ES256.thumbprint
    assert sorted(os.listdir(tmp_path)) == ["agent key.pem", "dangling"]


def test_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ES256.write("key.pem")
    assert KeyPair.from_file("key.pem").thumbprint == ES256.thumbprint


@pytest.mark.parametrize("failing", ["write", "fsync", "link"])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space"):
        ES256.write(tmp_path / "key.pem")
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fchmod", lambda descriptor, _: os.chmod(f"/proc/self/fd/{descriptor}", 0o755))
    with pytest.raises(KeyFileError, match="0755"):
        ES256.write(tmp_path / "key.pem")
    assert os.listdir(tmp_path) == []


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ES256.write(tmp_path / "none" / "key.pem")
