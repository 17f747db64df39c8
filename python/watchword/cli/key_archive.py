"""``watchword keys archive``: show and check a key archive, and add to it."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Iterator
from time import time as now
from typing import Any

from watchword import KeySetError
from watchword.cli import sources, terminal
from watchword.cli.command_error import CommandError
from watchword.cli.logs import log_suppressed
from watchword.cli.subcommands import CommandParser
from watchword.cli.terminal import coloured, count, escaped
from watchword.cli.times import duration, parse_time, utc
from watchword.jwks.archive import ArchiveError, ArchiveWriter, IssuerHistory, KeyArchive, KeyLifetime, KeyTimeline
from watchword.jwks.urls import redact
from watchword.printable import to_json

_DESCRIPTION = """\
Checks an archive of keys and shows what it records: for each issuer the keys,
when each was first and last seen, from when on it was absent or is compromised,
and the gaps of more than a day between polls.

An incomplete last line, which a killed writer or a full disk leaves, is a
defect; --repair removes it, and so does whatever next writes to the archive.

Exit status: 0 intact, 1 the archive has a defect, 2 a usage error."""

_ADD = """\
Records that an issuer publishes a key set, and which keys of the set before are
absent from it. `watchword keys watch` does so by itself.

Exit status: 0 recorded, 2 a usage error, nothing was recorded."""

_COMPROMISED = """\
Records that a key is compromised. A use of the key at the time of --since or
later is invalid, whatever the token says about its own age; without --since, no
use of it is valid. This can't be taken back.

Exit status: 0 recorded, 2 a usage error, nothing was recorded."""

_USAGE = """%(prog)s [-h] [--json] [--repair] [--head SEQ:DIGEST] FILE
       %(prog)s {add,compromised} ..."""

_HEADINGS = ("kid", "algorithms", "first seen", "last seen", "since then")


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``watchword keys``."""
    parser = verbs.add_parser(
        "archive",
        help="show and check a key archive",
        description=_DESCRIPTION,
        usage=_USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the archive")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repair", action="store_true", help="remove an incomplete last line first")
    parser.add_argument(
        "--head", metavar="SEQ:DIGEST", help="check that the archive only grew since it had this head, noted elsewhere"
    )
    parser.set_defaults(run=run)
    if isinstance(parser, CommandParser):
        commands = parser.add_commands()
        _add_add(commands)
        _add_compromised(commands)


def _add_add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = commands.add_parser(
        "add",
        help="record the key set of an issuer",
        description=_ADD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument("file", metavar="FILE", help="the archive; made if it does not exist")
    add.add_argument("--issuer", required=True, metavar="URL", help="the issuer, as the tokens' iss names it")
    add.add_argument("--jwks", required=True, metavar="FILE|URL", help="its key set, or - for standard input")
    add.add_argument("--time", metavar="TIME", help="when it was seen (default: now)")
    add.add_argument("--allow-loopback-http", action="store_true", help="allow http:// to loopback")
    add.set_defaults(run=run_add)


def _add_compromised(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mark = commands.add_parser(
        "compromised",
        help="record that a key is compromised",
        description=_COMPROMISED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mark.add_argument("file", metavar="FILE", help="the archive")
    mark.add_argument("--issuer", required=True, metavar="URL", help="the issuer of the key")
    mark.add_argument("--key", required=True, metavar="KID|THUMBPRINT", help="the key")
    mark.add_argument("--since", metavar="TIME", help="from when on uses are invalid (default: all uses are)")
    mark.add_argument("--note", default="", metavar="TEXT", help="what happened, in words; it is recorded")
    mark.add_argument("--time", metavar="TIME", help="when this is recorded (default: now)")
    mark.set_defaults(run=run_compromised)


def run(arguments: argparse.Namespace) -> int:
    """Show the archive. Returns the exit status."""
    head = _head(arguments.head)
    try:
        if arguments.repair:
            _repair(arguments.file)
        archive = _checked(arguments.file, head)
    except ArchiveError as error:
        return _print_defect(error, as_json=arguments.json)
    except OSError as error:
        raise CommandError(
            f"{arguments.file!r} can't be read: {error.strerror}. Give the file of an archive."
        ) from None
    if arguments.json:
        print(to_json(_as_object(arguments.file, archive)))
    else:
        _print(arguments.file, archive)
    return 0


def run_add(arguments: argparse.Namespace) -> int:
    """Record a key set. Returns the exit status."""
    time = _time_of_record(arguments.time)
    source, document = sources.find_key_set(arguments.jwks, allow_loopback_http=arguments.allow_loopback_http)
    sources.parse_keys(document, source)
    named = (
        "standard input" if source == "-" else redact(source) if sources.is_url(source) else os.path.basename(source)
    )
    with opened(arguments.file) as writer:
        try:
            writer.record_key_set(arguments.issuer, document, time, named)
        except KeySetError as error:
            raise CommandError(f"{arguments.jwks!r} has no readable keys: {error}.") from None
        keys = writer.histories[arguments.issuer].last_keys
        print(f"recorded: {escaped(arguments.issuer)} has {count(len(keys), 'usable key')}")
        _print_head(writer.head)
    return 0


def run_compromised(arguments: argparse.Namespace) -> int:
    """Record a compromise. Returns the exit status."""
    time, since = _time_of_record(arguments.time), _time("--since", arguments.since)
    if not os.path.exists(arguments.file):
        raise CommandError(f"{arguments.file!r} does not exist. Give the file of an archive.")
    with opened(arguments.file) as writer:
        history = writer.histories.get(arguments.issuer)
        if history is None:
            known = ", ".join(map(escaped, writer.histories)) or "none"
            raise CommandError(f"the archive has no records of {arguments.issuer!r}; its issuers: {known}.")
        thumbprint, key_id = _find_key(history, arguments.key)
        writer.record_compromised(
            arguments.issuer, thumbprint, since=since, note=arguments.note, key_id=key_id, time=time
        )
        when = "always" if since is None else f"since {utc(since)}"
        name = thumbprint if key_id is None else f"{escaped(key_id)} ({thumbprint})"
        print(f"recorded: the key {name} of {escaped(arguments.issuer)} is compromised, {when}")
        for issuer, other in writer.histories.items():
            if thumbprint in {key.thumbprint for key in other.all_keys()} - other.compromised.keys():
                print(f"{escaped(issuer)} has the same key, which is not marked there")
        _print_head(writer.head)
    return 0


@contextlib.contextmanager
def opened(file: str) -> Iterator[ArchiveWriter]:
    """Return a context manager of the writer of an archive, whose errors are :class:`CommandError`."""
    try:
        with log_suppressed():
            writer = ArchiveWriter(file)
        with writer:
            if writer.repair:
                print(f"watchword: {escaped(file)}: {writer.repair}.", file=sys.stderr)
            yield writer
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"{file!r} can't be written: {error.strerror}.") from None
    except ValueError as error:
        raise CommandError(f"{escaped(error)}.") from None


def _checked(file: str, head: tuple[int, str] | None) -> KeyArchive:
    archive = KeyArchive.open(file)
    if head is not None and not archive.continues(head):
        problem = "it does not continue the given head: records were removed, or the archive was written anew"
        raise ArchiveError(problem, path=file)
    return archive


def _repair(file: str) -> None:
    if not os.path.exists(file):
        return
    try:
        with log_suppressed(), ArchiveWriter(file) as writer:
            if writer.repair:
                print(f"watchword: {escaped(file)}: {writer.repair}.", file=sys.stderr)
    except ArchiveError as error:
        if error.line is None:  # it is in use: that is no defect
            raise CommandError(f"{escaped(error)}.") from None
        raise


def _find_key(history: IssuerHistory, wanted: str) -> tuple[str, str | None]:
    keys = history.all_keys()
    for key in keys:
        if key.thumbprint == wanted:
            return key.thumbprint, key.key_id
    found = {key.thumbprint for key in keys if key.key_id == wanted}
    if len(found) == 1:
        return found.pop(), wanted
    if found:
        raise CommandError(f"{len(found)} keys have the kid {wanted!r}. Give a thumbprint: {', '.join(sorted(found))}.")
    raise CommandError(f"no recorded key of this issuer has the kid or the thumbprint {wanted!r}.")


def _time(option: str, text: str | None) -> float | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}.") from None


def _time_of_record(text: str | None) -> float | None:
    time = _time("--time", text)
    if time is not None and time > now():
        raise CommandError(f"--time {text}: it is in the future, and until then nothing more could be recorded.")
    return time


def _head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or not seq.isascii() or len(digest) != 64:
        raise CommandError("--head must be SEQ:DIGEST, as this command prints it.")
    return int(seq), digest.lower()


def _print_defect(error: ArchiveError, *, as_json: bool) -> int:
    if as_json:
        defect = {"line": error.line, "problem": error.problem, "repairable": error.repairable}
        print(to_json({"file": error.path, "intact": False, **defect}))
    else:
        advice = ". --repair repairs it" if error.repairable else ""
        print(f"{coloured('defect', 'red')}: {escaped(error)}{advice}.")
    return 1


def _as_object(file: str, archive: KeyArchive) -> dict[str, Any]:
    head = archive.head
    return {
        "file": file,
        "intact": True,
        "records": len(archive),
        "head": None if head is None else {"seq": head.seq, "digest": head.digest},
        "issuers": [_issuer_as_object(archive, issuer) for issuer in archive.issuers],
    }


def _issuer_as_object(archive: KeyArchive, issuer: str) -> dict[str, Any]:
    history, line = archive.histories[issuer], archive.timeline(issuer)
    return {
        "issuer": issuer,
        "polls": history.poll_count,
        "unreachable": len(history.unreachable),
        "gaps": [list(gap) for gap in line.gaps],
        "keys": [
            {
                "key_id": key.key_id,
                "thumbprint": key.thumbprint,
                "algorithms": list(key.algorithms),
                "first_seen": key.first_seen,
                "last_seen": key.last_seen,
                "absent_since": key.absent_since,
                "compromised": key.compromised_since is not None,
                "compromised_since": _finite(key.compromised_since),
            }
            for key in line.lifetimes
        ],
    }


def _finite(time: float | None) -> float | None:
    return time if time is not None and math.isfinite(time) else None


def _print(file: str, archive: KeyArchive) -> None:
    for issuer in archive.issuers:
        _print_issuer(archive.histories[issuer], archive.timeline(issuer))
    intact = coloured("intact", "green")
    issuers = count(len(archive.issuers), "issuer")
    print(f"{escaped(file)}: {count(len(archive), 'record')} of {issuers}, {intact}.")
    _print_head(archive.head)


def _print_issuer(history: IssuerHistory, line: KeyTimeline) -> None:
    missed = len(history.unreachable)
    polls = f"{count(history.poll_count, 'poll')}, {missed:,} without an answer"
    print(f"{coloured(escaped(history.issuer), 'bold')}  {polls}\n")
    rows = [_row(key) for key in line.lifetimes]
    if rows:
        sizes = terminal.widths([_HEADINGS, *rows], terminal.width())
        print(coloured(terminal.line(_HEADINGS, sizes), "dim"))
        for row in rows:
            print(terminal.line(row, sizes))
        print()
    for start, end in line.gaps:
        print(f"gap: no poll for {duration(end - start)}, from {utc(start)} to {utc(end)}")
    if line.gaps:
        print()


def _row(key: KeyLifetime) -> tuple[str, ...]:
    notes = [] if key.absent_since is None else [f"absent since {utc(key.absent_since)}"]
    if key.compromised_since is not None:
        since = key.compromised_since
        notes.append("compromised" + ("" if math.isinf(since) else f" since {utc(since)}"))
    name = key.thumbprint if key.key_id is None else escaped(key.key_id)
    return name, ", ".join(key.algorithms), utc(key.first_seen), utc(key.last_seen), "; ".join(notes) or "listed"


def _print_head(head: tuple[int, str] | None) -> None:
    if head is not None:
        print(f"head: {head[0]}:{head[1]}")
