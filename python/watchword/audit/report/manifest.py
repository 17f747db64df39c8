"""The manifest of an audit, as the report shows it. Its signature is not checked here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from watchword import base64url
from watchword.audit.manifest import SIGNED, UNSIGNED

#: The largest manifest that is read, in bytes: about a quarter of a million parts.
MAX_BYTES = 64 * 1024 * 1024

NAMES = (SIGNED, UNSIGNED)


@dataclass(frozen=True)
class FileDigest:
    """A file with its SHA-256 in hexadecimal, ``None`` if it could not be read; its bytes and rows, if known."""

    path: str
    sha256: str | None
    rows: int | None
    size: int | None


@dataclass(frozen=True)
class Lifetime:
    """When an issuer published a key, in microseconds since 1970; ``None`` is open."""

    start: int | None
    end: int | None
    compromised: bool


@dataclass(frozen=True)
class Manifest:
    """What an audit wrote of itself when it ended."""

    name: str
    #: SHA-256 of the manifest file, in hexadecimal.
    sha256: str
    #: The header of the JWS; ``None`` if the manifest is not signed.
    header: Mapping[str, Any] | None
    version: str
    inputs: tuple[FileDigest, ...]
    parts: tuple[FileDigest, ...]
    keys: Mapping[str, Any]
    #: By issuer and key id; empty if the manifest does not have them.
    lifetimes: Mapping[tuple[str | None, str | None], Lifetime]
    policy: Mapping[str, Any]
    counts: Mapping[str, Any]

    def counted(self, name: str) -> int | None:
        """Return one of the counts, ``None`` if it is not there."""
        value = self.counts.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of an output directory, its signature unverified.

    Raises ``ValueError`` if ``directory`` has none, or an invalid one.
    """
    if not directory.is_dir():
        raise ValueError(f"{directory} is not a directory; name the output directory of an audit")
    path = next((directory / name for name in NAMES if (directory / name).is_file()), None)
    if path is None:
        if (directory / "journal.ndjson").exists():
            raise ValueError(f"{directory} has no manifest: the audit has not ended; run it again, and it is resumed")
        raise ValueError(
            f"{directory} is not the output directory of an audit: it has no manifest.jws or manifest.json"
        )
    try:
        data = _bytes(path)
        header, payload = _payload(data) if path.suffix == ".jws" else (None, json.loads(data))
        return _manifest(path.name, data, header, _object(payload, "it"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not the manifest of an audit: {error}") from None


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    return data


def _payload(data: bytes) -> tuple[Mapping[str, Any], object]:
    segments = data.strip().split(b".")
    if len(segments) != 3:
        raise ValueError("expected a compact JWS")
    header, payload = (json.loads(base64url.decode(segment.decode("ascii"))) for segment in segments[:2])
    return _object(header, "the header"), payload


def _manifest(name: str, data: bytes, header: Mapping[str, Any] | None, payload: Mapping[str, Any]) -> Manifest:
    keys = _object(payload.get("keys"), "keys")
    return Manifest(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        header=header,
        version=str(payload.get("watchword")),
        inputs=_digests(payload, "inputs"),
        parts=tuple(_within(file) for file in _digests(payload, "parts")),
        keys=keys,
        lifetimes=_lifetimes(keys),
        policy=_object(payload.get("policy"), "policy"),
        counts=_object(payload.get("counts"), "counts"),
    )


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")  # noqa: TRY004 - a file's content, not an argument
    return value


def _list(value: object, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} must be an array")  # noqa: TRY004
    return [_object(one, f"each of {name}") for one in value]


def _digests(payload: Mapping[str, Any], name: str) -> tuple[FileDigest, ...]:
    return tuple(
        FileDigest(_text(one, "path", name), _sha256(one, name), _number(one, "rows"), _number(one, "bytes"))
        for one in _list(payload.get(name), name)
    )


def _within(file: FileDigest) -> FileDigest:
    """Return ``file`` if its path stays within the directory."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or "\0" in file.path:
        raise ValueError("the path of a part leaves the directory")
    return file


def _text(value: Mapping[str, Any], member: str, name: str) -> str:
    text = value.get(member)
    if not isinstance(text, str):
        raise ValueError(f"each of {name} must have a string {member}")  # noqa: TRY004
    return text


def _sha256(value: Mapping[str, Any], name: str) -> str | None:
    # An input that could not be read has none; a part that is written has one.
    is_unread = name == "inputs" and "sha256" in value and value["sha256"] is None
    return None if is_unread else _text(value, "sha256", name)


def _number(value: Mapping[str, Any], member: str) -> int | None:
    number = value.get(member)
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**63 else None


def _lifetimes(keys: Mapping[str, Any]) -> dict[tuple[str | None, str | None], Lifetime]:
    """Return the lifetimes in the description of an archive, or in those of the files of several issuers."""
    files = [keys, *_object(keys.get("issuers", {}), "keys.issuers").values()]
    found: dict[tuple[str | None, str | None], Lifetime] = {}
    for file in files:
        for one in _list(_object(file, "each of keys.issuers").get("lifetimes", ()), "keys.lifetimes"):
            name = _name(one, "issuer"), _name(one, "key_id")
            lifetime = Lifetime(
                _microseconds(one.get("from")), _microseconds(one.get("to")), bool(one.get("compromised"))
            )
            found[name] = _both(found[name], lifetime) if name in found else lifetime
    return found


def _both(one: Lifetime, other: Lifetime) -> Lifetime:
    """Return the lifetime of two keys of the same name: the verdicts do not tell them apart."""
    return Lifetime(
        None if one.start is None or other.start is None else min(one.start, other.start),
        None if one.end is None or other.end is None else max(one.end, other.end),
        one.compromised or other.compromised,
    )


def _name(value: Mapping[str, Any], member: str) -> str | None:
    name = value.get(member)
    if not isinstance(name, str | None):
        raise ValueError(f"each of keys.lifetimes must have a string {member}, or null")  # noqa: TRY004
    return name


def _microseconds(seconds: object) -> int | None:
    if isinstance(seconds, int | float) and abs(seconds) < 2**40:
        return int(seconds * 1_000_000)
    return None


__all__ = ["FileDigest", "Lifetime", "Manifest", "read_manifest"]
