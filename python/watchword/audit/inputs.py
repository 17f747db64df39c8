"""From the arguments of a command to the files to audit, in an order that depends on nothing but their names."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from watchword.audit.errors import AuditError

#: The formats, and how names of their files end.
FORMATS = {
    "parquet": (".parquet", ".pq"),
    "ndjson": (".ndjson", ".jsonl", ".json"),
    "csv": (".csv",),
    "lines": (".txt", ".jwt", ".jwts", ".tokens", ".list", ".log"),
}

#: Standard input, as an argument and as the name of a file in the output.
STANDARD_INPUT = "-"

_COMPRESSED = (".gz", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Input:
    """A file to audit: its path as it was given, or ``-``, and its format."""

    path: str
    format: str

    @property
    def is_standard_input(self) -> bool:
        """Whether it is standard input, which can be read once."""
        return self.path == STANDARD_INPUT

    @property
    def name(self) -> str:
        """The path as the output has it: in UTF-8, with escapes for bytes that are none."""
        return self.path.encode("utf-8", "backslashreplace").decode()


def find_inputs(arguments: Sequence[str], *, format: str | None = None, output: str | None = None) -> list[Input]:  # noqa: A002 - as the option
    """Return the files that arguments name: files, patterns, directories (recursively), or ``-``.

    They come in the order of the arguments, those of a pattern or a directory sorted by path; a file that is named
    twice counts once. ``format`` applies to all; without it, the name of each file says which one it has. Hidden files
    of a directory, and those that begin with ``_``, are skipped, as is what a pattern or a directory has of ``output``.

    Raises :class:`AuditError` if an argument names no file, or a file has no known format.
    """
    found: dict[str, Input] = {}
    for path in _paths(arguments, output):
        found.setdefault(_identity(path), Input(path, format or _format_of(path)))
    inputs = list(found.values())
    for one in inputs:
        if one.is_standard_input and one.format == "parquet":
            raise AuditError("Parquet can't be read from standard input, because it is read from its end: give a file")
    return inputs


def _paths(arguments: Sequence[str], output: str | None) -> Iterator[str]:
    skipped = None if output is None else os.path.realpath(output)
    for argument in arguments:
        if argument == STANDARD_INPUT:
            yield argument
        elif os.path.isdir(argument):
            files = sorted(_files_in(argument, skipped))
            if not files:
                raise AuditError(f"the directory {argument!r} has no files to audit")
            yield from files
        elif os.path.lexists(argument):
            yield _checked(argument)
        elif glob.has_magic(argument):
            yield from _matches(argument, skipped)
        else:
            raise AuditError(f"the input {argument!r} does not exist: give a file, a pattern, a directory or -")


def _matches(pattern: str, skipped: str | None) -> Iterator[str]:
    matches = [path for path in sorted(glob.glob(pattern, recursive=True)) if not _is_within(path, skipped)]
    if not matches:
        raise AuditError(f"no file matches {pattern!r}")
    for path in matches:
        if os.path.isdir(path):
            yield from sorted(_files_in(path, skipped))
        else:
            yield _checked(path)


def _files_in(directory: str, skipped: str | None) -> Iterable[str]:
    def fail(error: OSError) -> None:
        raise AuditError(f"the directory {error.filename!r} can't be read: {error.strerror}")

    for folder, folders, names in os.walk(directory, onerror=fail):
        folders[:] = [
            name for name in folders if not _is_hidden(name) and not _is_within(os.path.join(folder, name), skipped)
        ]
        yield from (_checked(os.path.join(folder, name)) for name in names if not _is_hidden(name))


def _is_within(path: str, directory: str | None) -> bool:
    return directory is not None and os.path.join(os.path.realpath(path), "").startswith(os.path.join(directory, ""))


def _is_hidden(name: str) -> bool:
    # Spark and Hadoop write _SUCCESS and .part-0.crc beside the data.
    return name.startswith((".", "_"))


def _checked(path: str) -> str:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise AuditError(f"the input {path!r} can't be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise AuditError(f"the input {path!r} is not a regular file: give the data as -, on standard input")
    return path


def _identity(path: str) -> str:
    return path if path == STANDARD_INPUT else os.path.realpath(path)


def _format_of(path: str) -> str:
    if path == STANDARD_INPUT:
        raise AuditError("the format of standard input is unknown: give --format ndjson, csv or lines")
    name = os.path.basename(path).lower()
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    for known, suffixes in FORMATS.items():
        if name.endswith(suffixes):
            return known
    raise AuditError(f"the name of {path!r} does not say which format it has: give --format {', '.join(FORMATS)}")


__all__ = ["FORMATS", "STANDARD_INPUT", "Input", "find_inputs"]
