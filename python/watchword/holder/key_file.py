"""Files that contain a private key: nobody but their owner may read or write them."""

from __future__ import annotations

import errno
import os
import shlex
import stat

from watchword.durable import sync_directory

#: The maximum size in bytes; a key has some hundred.
MAX_BYTES = 64 * 1024

_IS_POSIX = os.name == "posix"
# Without O_NONBLOCK, opening a FIFO waits for somebody to write to it.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class KeyFileError(OSError):
    """A key file was refused: others may access it, it belongs to somebody else, or it is not a file that has a key."""


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a key file. Symbolic links are followed; the file that was opened is what is checked.

    Raises :class:`KeyFileError` if it is not a regular file of at most 64 KiB that belongs to the user of this process
    and is not accessible to anybody else (mode 0600 or 0400), ``OSError`` if it cannot be read, ``ValueError`` if
    ``path`` is a key instead of a path.
    """
    name = _checked_path(path)
    descriptor = os.open(name, _READ)
    try:
        _check(name, os.fstat(descriptor))
        content = b""
        while len(content) <= MAX_BYTES and (chunk := os.read(descriptor, MAX_BYTES + 1 - len(content))):
            content += chunk
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise KeyFileError(f"{name!r} is larger than {MAX_BYTES} bytes: it is not a key file")
    return content


def create(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a new key file with mode 0600, and wait until it is on the disk.

    The file appears under its name when it is complete. Raises ``FileExistsError`` if there is anything by that name,
    :class:`KeyFileError` if the file system cannot keep the file private, ``OSError`` if it cannot be written.
    """
    name = _checked_path(path)
    folder = os.path.dirname(name) or os.curdir
    temporary = os.path.join(folder, f".key-{os.urandom(8).hex()}")
    descriptor = os.open(temporary, _CREATE, 0o600)
    try:
        try:
            if _IS_POSIX:
                os.fchmod(descriptor, 0o600)  # whatever the umask
            _check(name, os.fstat(descriptor))
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # Unlike a rename, a link never replaces a file.
        exists = False
        try:
            os.link(temporary, name)
        except FileExistsError:
            exists = True
        if exists:
            raise FileExistsError(errno.EEXIST, "a key file is never overwritten", name)
    finally:
        os.unlink(temporary)
    sync_directory(folder)


def _checked_path(path: str | os.PathLike[str]) -> str:
    name = os.fsdecode(os.fspath(path))
    # The error for a file that does not exist would quote it.
    if "PRIVATE KEY" in name or "\n" in name or name.lstrip().startswith("{"):
        raise ValueError("path is a key, not the path of a file: read it with from_pem or from_jwk")
    return name


def _check(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileError(f"{name!r} is not a regular file")
    if not _IS_POSIX:
        return
    if found.st_uid != os.geteuid():
        raise KeyFileError(
            f"{name!r} belongs to user {found.st_uid}, but this process runs as user {os.geteuid()}: a key file must "
            "belong to the user that reads it"
        )
    if found.st_mode & 0o077:
        raise KeyFileError(
            f"{name!r} has mode {stat.S_IMODE(found.st_mode):04o}, so that others may access the private key; "
            f"run: chmod 600 {shlex.quote(name)}"
        )


__all__ = ["MAX_BYTES", "KeyFileError", "create", "read"]
