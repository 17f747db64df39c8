"""``watchword keys``: what a key set holds, and why some of it is not used."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from watchword._kernel import KeySet, PublicKey, RejectedKey
from watchword.cli import sources, terminal
from watchword.cli.terminal import coloured, count, shown
from watchword.cli.verdicts import dump

_DESCRIPTION = """\
Shows what a JWK Set, a JWK or a public key in PEM holds, and every key of it
that is left out, with the reason. The URL of an issuer does too: its key set is
found through the metadata that it publishes (RFC 8414).

Exit status: 0 every key is of use, 1 some are left out, 2 usage."""

_HEADINGS = ("kid", "key", "algorithms", "thumbprint (SHA-256)")

# What the kernel's detail, which says what is wrong, leaves to say: what it means.
_ADVICE = {
    "symmetric_key": "it is a shared secret and must not be in a public set at all",
    "private_key": "the private half is published: the key must be replaced",
    "roca": "its private key can be computed from the public one (CVE-2017-15361): it must be replaced",
    "duplicate_kid": "the first key of that id and algorithm stays",
}


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = verbs.add_parser(
        "keys",
        help="show what a key set holds, and what is wrong with it",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", nargs="?", default="-", metavar="FILE|URL", help="a key set or an issuer; without it, standard input"
    )
    parser.add_argument("--allow-loopback-http", action="store_true", help="let http to this very machine pass")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, a key each")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints what the set holds. Returns the exit status."""
    source, document = sources.find_key_set(arguments.source, allow_loopback_http=arguments.allow_loopback_http)
    if source != arguments.source and not arguments.json:
        print(f"{shown(arguments.source)} publishes its keys at {shown(source)}\n")
    keys = sources.parse_keys(document, source)
    sources.check_not_empty(keys)
    if arguments.json:
        print_json(keys)
    else:
        _print_tables(keys)
    return 1 if keys.rejected else 0


def print_json(keys: KeySet) -> None:
    """One object a line: the keys, then those that are left out."""
    for key in keys:
        sys.stdout.write(dump(_as_object(key)) + "\n")
    for rejected in keys.rejected:
        said = {
            "index": rejected.index,
            "key_id": rejected.key_id,
            "reason": rejected.reason,
            "detail": rejected.detail,
        }
        sys.stdout.write(dump({"usable": False, **said}) + "\n")


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
            (shown(key.key_id or "-"), _kind(key), ", ".join(key.algorithms), key.thumbprint) for key in keys
        ]
        _print_keys(rows)
        print()
    if keys.rejected:
        print(coloured(f"Left out: {count(len(keys.rejected), 'key')}", "red"))
        for rejected in keys.rejected:
            print(_objection(rejected))
        print()
    print(f"{count(len(keys), 'usable key')}, {len(keys.rejected)} left out.")


def _print_keys(rows: list[tuple[str, ...]]) -> None:
    limit = terminal.width()
    sizes = terminal.widths([_HEADINGS, *rows], None)
    if limit is None or sum(sizes) + 2 * (len(sizes) - 1) <= limit:
        print(coloured(terminal.line(_HEADINGS, sizes), "dim"))
        for row in rows:
            print(terminal.line(row, sizes))
        return
    # A thumbprint is for comparing, so it is never cut: where there is no room, each key takes some lines.
    for kid, kind, algorithms, thumbprint in rows:
        print(f"{kid}  {kind}")
        print(terminal.wrapped(algorithms, first="    algorithms  ", rest=" " * 16))
        print(f"    thumbprint  {thumbprint}")


def _kind(key: PublicKey) -> str:
    return key.curve or f"{key.key_type} {key.bits:,} bits"


def _objection(rejected: RejectedKey) -> str:
    name = "no kid" if rejected.key_id is None else f"kid {shown(rejected.key_id)}"
    sentence = f"{rejected.reason.replace('_', ' ')}: {shown(rejected.detail)}"
    advice = _ADVICE.get(rejected.reason)
    lead = f"  keys[{rejected.index}] ({name})  "
    return terminal.wrapped(sentence + (f"; {advice}" if advice else ""), first=lead, rest="    ")
