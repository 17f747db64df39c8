"""``watchword keys sync``: keep the keys of a gate's issuers in a file, for gates inside a proxy."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from watchword import KeySet
from watchword.cli.command_error import CommandError
from watchword.cli.key_lines import check_interval, key_line
from watchword.cli.logs import log_suppressed
from watchword.cli.stop_signals import StopSignals
from watchword.cli.terminal import escaped
from watchword.cli.times import utc
from watchword.gate import ConfigError, GateConfig
from watchword.gate.synced_keys import SyncedKeys, SyncResult
from watchword.jwks import DefaultFetcher

_DESCRIPTION = """\
Fetches the keys of the issuers of a gate's configuration, and keeps them in one
file, for gates that run inside a proxy and fetch nothing themselves. The file
is replaced at once, and only if it has to say something else. URLs, redirects,
sizes, time-outs and caching are limited as those of a Verifier.

An issuer whose keys can't be fetched keeps its last ones up to max_stale of its
cache, and is then left out of the file: its tokens are rejected. The file says
until when each issuer's keys may be used, so that this is so, too, if this
command does not run any more.

It prints a line whenever the result for an issuer changes, and runs until
SIGTERM or SIGINT. Restart it after a change of the issuers.

Exit status: 0 ended by a signal, or with --once all issuers answered; 1 with
--once one did not, or the file could not be written; 2 a usage error."""

_INTERVAL = 60
_MODE = 0o644

#: How often it is looked whether the file has to be written, in seconds.
_TICK = 1


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``watchword keys``."""
    parser = verbs.add_parser(
        "sync",
        help="keep the keys of a gate's issuers in a file",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration of the gate")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file of keys; made if it does not exist")
    parser.add_argument(
        "--interval",
        type=float,
        default=_INTERVAL,
        metavar="SECONDS",
        help=f"after which keys are fetched again, at the latest (default: {_INTERVAL})",
    )
    parser.add_argument(
        "--mode",
        type=_mode,
        default=_MODE,
        metavar="OCTAL",
        help=f"the permissions of the file, as keys are public (default: {_MODE:o})",
    )
    parser.add_argument("--once", action="store_true", help="fetch the keys once, write the file, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Keep the file until a signal comes. Returns the exit status."""
    check_interval("--interval", arguments.interval)
    config = _config(arguments.config)
    fetcher = DefaultFetcher()
    with contextlib.closing(fetcher), log_suppressed(), StopSignals() as stop:
        try:
            synced = SyncedKeys(
                config.issuers, arguments.output, fetcher=fetcher, interval=arguments.interval, mode=arguments.mode
            )
        except ValueError as error:
            raise CommandError(f"{error}.") from None
        except OSError as error:
            raise CommandError(f"--output {arguments.output!r} can't be read: {error.strerror}.") from None
        with contextlib.closing(synced):
            report = _Report(arguments.output)
            while True:
                results = synced.update()
                report.add_results(results)
                is_written = _write(synced, results, report)
                if arguments.once:
                    return 0 if is_written and all(one.failure is None for one in results.values()) else 1
                if stop.wait(_TICK):
                    return 0


def _write(synced: SyncedKeys, results: dict[str, SyncResult], report: _Report) -> bool:
    try:
        synced.write(results)
    except OSError as error:
        # A disk that is full may have room again, and a folder that is lost may be mounted again.
        report.add_write(error.strerror or type(error).__name__)
        return False
    report.add_write(None)
    return True


def _config(path: str) -> GateConfig:
    try:
        return GateConfig.from_file(path)
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give a configuration.") from None
    except ConfigError as error:
        raise CommandError(f"{path!r} is invalid; run `watchword check {path}`:\n{error}") from None


def _mode(text: str) -> int:
    mode = int(text, 8)
    if not 0o400 <= mode <= 0o777:
        raise argparse.ArgumentTypeError("must be permissions in octal, such as 644, by which the owner can read it")
    return mode


class _Report:
    """Prints what is new."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._last: dict[str, object] = {}
        self._trouble: str | None = None

    def add_results(self, results: dict[str, SyncResult]) -> None:
        """Print a line for each issuer with another result than before."""
        for name, result in results.items():
            keys = None if result.keys is None else {(key.key_id, key.thumbprint) for key in result.keys}
            # Within an outage the reason may change each time.
            found = (keys, result.failure is not None)
            if found != self._last.get(name):
                self._last[name] = found
                print(key_line(name, _outcome(result)), flush=True)

    def add_write(self, trouble: str | None) -> None:
        """Complain about a file that can't be written, once for each reason, and say when it can be again."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        sentence = "is written again" if trouble is None else f"is not written: {trouble}; trying again"
        print(
            f"watchword keys sync: {utc(time.time())}  {escaped(repr(self._output))} {sentence}",
            file=sys.stderr,
            flush=True,
        )


def _outcome(result: SyncResult) -> KeySet | str:
    if result.keys is None or result.valid_until is None:
        return f"left out: {escaped(result.failure or 'the keys are unavailable')}"
    if result.failure is not None:
        return f"the keys are used until {utc(result.valid_until)}: {escaped(result.failure)}"
    return result.keys
