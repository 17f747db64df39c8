"""``watchword keys watch``: poll issuers, and record their keys in an archive."""

from __future__ import annotations

import argparse
import sys
import time

from watchword import KeySet
from watchword.cli.command_error import CommandError, in_options
from watchword.cli.key_archive import opened
from watchword.cli.key_lines import check_interval, key_line
from watchword.cli.stop_signals import StopSignals
from watchword.cli.terminal import escaped
from watchword.cli.times import utc
from watchword.jwks import CacheSettings, DefaultFetcher, monotonic
from watchword.jwks.archive import ArchiveError, ArchiveWriter
from watchword.jwks.archive.poll import IssuerPoll, PollResult

_DESCRIPTION = """\
Asks issuers for their keys, and records in an archive what each publishes: the
key set, keys that are absent since the last time, and failed attempts. URLs,
redirects, sizes and time-outs are limited as those of a Verifier. It prints a
line whenever the result for an issuer changes, and runs until SIGTERM or
SIGINT; an attempt in flight is recorded first.

Exit status: 0 ended by a signal, or with --once all issuers answered; 1 with
--once one did not; 2 a usage error, or the archive can't be written any more."""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``watchword keys``."""
    parser = verbs.add_parser(
        "watch",
        help="poll issuers, and record their keys in an archive",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the archive; made if it does not exist")
    parser.add_argument(
        "--issuer",
        action="extend",
        nargs="+",
        required=True,
        metavar="URL",
        help="an issuer, whose key set is discovered; URL=JWKS_URL if it is not (may be repeated)",
    )
    default = CacheSettings().ttl
    parser.add_argument(
        "--every", type=float, default=default, metavar="SECONDS", help=f"time between two polls (default: {default:g})"
    )
    parser.add_argument("--once", action="store_true", help="poll each issuer once, and end")
    parser.add_argument("--allow-loopback-http", action="store_true", help="allow http:// to loopback")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Poll until a signal comes. Returns the exit status."""
    check_interval("--every", arguments.every)
    fetcher = DefaultFetcher()
    try:
        polls = [_poll(text, fetcher, arguments) for text in dict.fromkeys(arguments.issuer)]
        if len({poll.issuer for poll in polls}) < len(polls):
            raise CommandError("an issuer is given twice, with another key set.")
        with StopSignals() as stop, opened(arguments.file) as writer:
            while True:
                begun = monotonic()
                answered = [_poll_once(poll, writer) for poll in polls if not stop.is_set]
                if arguments.once:
                    return 0 if all(answered) else 1
                if stop.wait(begun + arguments.every - monotonic()):
                    return 0
    finally:
        fetcher.close()


def _poll(text: str, fetcher: DefaultFetcher, arguments: argparse.Namespace) -> IssuerPoll:
    issuer, jwks_uri = text, None
    for separator in ("=https://", "=http://"):
        if separator in text:
            issuer, _, rest = text.partition(separator)
            jwks_uri = separator[1:] + rest
            break
    try:
        return IssuerPoll(issuer, fetcher=fetcher, jwks_uri=jwks_uri, allow_loopback_http=arguments.allow_loopback_http)
    except ValueError as error:
        raise CommandError(f"--issuer {text!r}: {in_options(error)}") from None


def _poll_once(poll: IssuerPoll, writer: ArchiveWriter) -> bool:
    try:
        writer.not_before_last(time.time())
    except ArchiveError as error:
        # A clock that was set back may be right again for the next poll.
        _complain(f"{escaped(poll.issuer)}: not polled: {error.problem}")
        return False
    try:
        result = poll.poll(writer)
    except ArchiveError:
        raise
    except OSError as error:
        # A disk that is full may have room again for the next poll.
        _complain(f"{escaped(poll.issuer)}: not recorded: {error.strerror}")
        return False
    if result.is_news:
        print(key_line(poll.issuer, _found(result)), flush=True)
    return result.keys is not None


def _found(result: PollResult) -> KeySet | str:
    return f"unreachable: {escaped(result.detail)}" if result.keys is None else result.keys


def _complain(sentence: str) -> None:
    print(f"watchword keys watch: {utc(time.time())}  {sentence}", file=sys.stderr, flush=True)
