"""``watchword inspect``: the contents of a token, without verification."""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from watchword.cli import terminal
from watchword.cli.command_error import CommandError
from watchword.cli.decode import Decoded, decode
from watchword.cli.input import HELP as TOKEN_HELP
from watchword.cli.input import blocks_of_tokens
from watchword.cli.terminal import coloured, count, escaped
from watchword.cli.times import duration, parse_time, utc
from watchword.printable import to_json

WARNING = "NOTHING WAS VERIFIED"
_EXPLANATION = f"{WARNING}: anyone can create a token with these contents."

_DESCRIPTION = """\
Decodes the header and the claims of tokens: arguments, or the lines of files or
of standard input. Malformed tokens are decoded as far as possible.

NOTHING IS VERIFIED: anyone can create a token with these contents. To verify,
use `watchword verify`.

Exit status: 0 decoded, 1 some tokens are malformed, 2 a usage error."""

_TIMES = ("exp", "nbf", "iat", "auth_time", "updated_at")


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "inspect",
        help="decode tokens WITHOUT verifying them",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("token", nargs="*", help=TOKEN_HELP)
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="describe times as of TIME: Unix seconds, 2026-11-21T09:30:00Z, or a date (midnight UTC)",
    )
    parser.add_argument("--json", action="store_true", help='print one JSON object per line, with "verified": false')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each token. Returns the exit status."""
    try:
        now = time.time() if arguments.at is None else parse_time(arguments.at)
    except ValueError as error:
        raise CommandError(f"--at: {error}.") from None
    seen = malformed = 0
    for index, token in itertools.chain.from_iterable(blocks_of_tokens(arguments.token)):
        decoded = decode(token)
        seen += 1
        malformed += bool(decoded.problems)
        if arguments.json:
            print(to_json(_as_object(index, decoded, now)), flush=True)
        else:
            print(("\n" if seen > 1 else "") + _as_text(decoded, now), flush=True)
    if seen == 0:
        raise CommandError("there are no tokens. Give them as arguments, or as lines of a file or of standard input.")
    return 1 if malformed else 0


def _as_object(index: int, decoded: Decoded, now: float) -> dict[str, Any]:
    return {
        "index": index,
        "verified": False,
        "warning": _EXPLANATION,
        "header": decoded.header,
        "claims": decoded.claims,
        "times": {name: f"{when}, {meaning}" for name, when, meaning in _times(decoded.claims, now)},
        "signature_bytes": decoded.signature_bytes,
        "problems": decoded.problems,
    }


def _as_text(decoded: Decoded, now: float) -> str:
    lines = [coloured(terminal.wrapped(_EXPLANATION), "alarm"), ""]
    lines += _members("Header", decoded.header, {})
    notes = {name: f"{when}, {meaning}" for name, when, meaning in _times(decoded.claims, now)}
    lines += _members("Claims", decoded.claims, notes)
    if decoded.signature_bytes is not None:
        lines.append(f"{coloured('Signature', 'bold')}: {count(decoded.signature_bytes, 'byte')}, not checked")
    if decoded.problems:
        lines += ["", coloured("Problems", "red")]
        lines += [terminal.wrapped(escaped(problem), first="  - ", rest="    ") for problem in decoded.problems]
    lines += ["", coloured(f"{WARNING}. To verify: watchword verify --help", "alarm")]
    return "\n".join(lines)


def _members(title: str, members: Mapping[str, Any] | None, notes: Mapping[str, str]) -> list[str]:
    if members is None:
        return [f"{coloured(title, 'bold')}: unreadable", ""]
    names = [escaped(name) for name in members]
    size = min(20, max(map(terminal.columns_of, names), default=0))
    lines = [coloured(title, "bold")]
    for name, (member, value) in zip(names, members.items(), strict=True):
        lead = "  " + (terminal.fitted(name, size) if terminal.columns_of(name) <= size else name) + "  "
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        note = f"  {notes[member]}" if member in notes else ""
        lines.append(lead + escaped(text) + note)
    return [*lines, ""]


def _times(claims: Mapping[str, Any] | None, now: float) -> Iterable[tuple[str, str, str]]:
    """Yield each time among the claims as (name, date, what it means at ``now``)."""
    for name in _TIMES:
        value = (claims or {}).get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12:
            yield name, utc(value), _meaning(name, value, now)


def _meaning(name: str, value: float, now: float) -> str:
    past = value <= now
    distance = duration(now - value)
    if name == "exp":
        return f"expired {distance} ago" if past else f"expires in {distance}"
    if name == "nbf":
        return f"valid since {distance}" if past else f"not valid for another {distance}"
    return f"{distance} ago" if past else f"{distance} AHEAD of this clock"
