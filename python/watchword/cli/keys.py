"""``watchword keys``: the keys of a key set, and why some are rejected; and the commands of key archives."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from watchword import KeySet, PublicKey, RejectedKey
from watchword.cli import key_archive, key_sync, key_watch, sources, terminal
from watchword.cli.subcommands import CommandParser
from watchword.cli.terminal import coloured, count, escaped
from watchword.printable import to_json

_DESCRIPTION = """\
Shows the keys of a JWK Set, a JWK or a public key in PEM, and each rejected key
with the reason. Given the URL of an issuer, finds its key set through the
metadata that it publishes (RFC 8414).

A file that is named as one of the commands is given as ./archive, ./watch
or ./sync.

Exit status: 0 all keys are usable, 1 some are rejected, 2 a usage error."""

_USAGE = """%(prog)s [-h] [--allow-loopback-http] [--json] [FILE|URL]
       %(prog)s {archive,watch,sync} ..."""

_HEADINGS = ("kid", "key", "algorithms", "thumbprint (SHA-256)")

# The consequence of a defect: the kernel's detail states the defect only.
_ADVICE = {
    "symmetric_key": "it is a shared secret, which must not be published",
    "private_key": "the private key is published: it must be replaced",
    "roca": "its private key can be computed from the public one (CVE-2017-15361): it must be replaced",
    "duplicate_kid": "the first key with this kid and algorithm is used",
}


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "keys",
        help="show the keys of a key set, and why some are rejected",
        description=_DESCRIPTION,
        usage=_USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", nargs="?", default="-", metavar="FILE|URL", help="a key set or an issuer (default: standard input)"
    )
    parser.add_argument("--allow-loopback-http", action="store_true", help="allow http:// to loopback")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, one for each key")
    parser.set_defaults(run=run)
    if isinstance(parser, CommandParser):
        commands = parser.add_commands()
        key_archive.add_to(commands)
        key_watch.add_to(commands)
        key_sync.add_to(commands)


def run(arguments: argparse.Namespace) -> int:
    """Print the keys of the set. Returns the exit status."""
    source, document = sources.find_key_set(arguments.source, allow_loopback_http=arguments.allow_loopback_http)
    if source != arguments.source and not arguments.json:
        print(f"{escaped(arguments.source)} publishes its keys at {escaped(source)}\n")
    keys = sources.parse_keys(document, source)
    sources.check_not_empty(keys)
    if arguments.json:
        print_json(keys)
    else:
        _print_tables(keys)
    return 1 if keys.rejected else 0


def print_json(keys: KeySet) -> None:
    """Print one object per line: the usable keys, then the rejected ones."""
    for key in keys:
        sys.stdout.write(to_json(_as_object(key)) + "\n")
    for rejected in keys.rejected:
        reason = {
            "index": rejected.index,
            "key_id": rejected.key_id,
            "reason": rejected.reason,
            "detail": rejected.detail,
        }
        sys.stdout.write(to_json({"usable": False, **reason}) + "\n")


def _as_object(key: PublicKey) -> dict[str, Any]:
    return {
        "usable": True,
        "key_id": key.key_id,
        "key_type": key.key_type,
        "curve": key.curve,
        "bits": key.bits,
        "algorithms": list(key.algorithms),
        "thumbprint": key.thumbprint,
    }


def _print_tables(keys: KeySet) -> None:
    if len(keys):
        rows: list[tuple[str, ...]] = [
            (escaped(key.key_id or "-"), _kind(key), ", ".join(key.algorithms), key.thumbprint) for key in keys
        ]
        _print_keys(rows)
        print()
    if keys.rejected:
        print(coloured(f"Rejected: {count(len(keys.rejected), 'key')}", "red"))
        for rejected in keys.rejected:
            print(_rejection(rejected))
        print()
    print(f"{count(len(keys), 'usable key')}, {len(keys.rejected)} rejected.")


def _print_keys(rows: list[tuple[str, ...]]) -> None:
    limit = terminal.width()
    sizes = terminal.widths([_HEADINGS, *rows], None)
    if limit is None or sum(sizes) + 2 * (len(sizes) - 1) <= limit:
        print(coloured(terminal.line(_HEADINGS, sizes), "dim"))
        for row in rows:
            print(terminal.line(row, sizes))
        return
    # A thumbprint is for comparing, so it is never truncated: if a row is too long, each key takes several lines.
    for kid, kind, algorithms, thumbprint in rows:
        print(f"{kid}  {kind}")
        print(terminal.wrapped(algorithms, first="    algorithms  ", rest=" " * 16))
        print(f"    thumbprint  {thumbprint}")


def _kind(key: PublicKey) -> str:
    return key.curve or f"{key.key_type} {key.bits:,} bits"


def _rejection(rejected: RejectedKey) -> str:
    name = "no kid" if rejected.key_id is None else f"kid {escaped(rejected.key_id)}"
    sentence = f"{rejected.reason.replace('_', ' ')}: {escaped(rejected.detail)}"
    advice = _ADVICE.get(rejected.reason)
    lead = f"  keys[{rejected.index}] ({name})  "
    return terminal.wrapped(sentence + (f"; {advice}" if advice else ""), first=lead, rest="    ")
