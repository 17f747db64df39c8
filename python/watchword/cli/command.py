"""From arguments to a verb, and from whatever happens to an exit status."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from watchword._kernel import __version__
from watchword.cli import demo, inspect, keys, thumbprint, verify
from watchword.cli.command_error import CommandError, without_tokens

# As a shell reports a program that SIGINT or SIGPIPE ended.
_INTERRUPTED = 128 + 2
_BROKEN_PIPE = 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0 all well, 1 some tokens or keys are not, 2 usage."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal can't show is escaped, never a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse, after --help or with its own message
        return leaving.code if isinstance(leaving.code, int) else 2
    except CommandError as error:
        sys.stdout.flush()
        print(f"watchword {arguments.verb}: {without_tokens(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:  # Files and sockets have been seen to where they are read; a full disk can be anywhere.
        _silence_stdout()
        print(f"watchword: the output can't be written: {error.strerror}.", file=sys.stderr)
        return 2
    return status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """As it is, save that it does not repeat a token that stands where a command or an option should."""
        super().error(without_tokens(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="watchword",
        description="Verifies JSON Web Tokens strictly and offline.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30),
        epilog="Each command has its own --help. Exit status: 0 all well, 1 some tokens or keys are not, 2 usage.",
    )
    parser.add_argument("--version", action="version", version=f"watchword {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for verb in (verify, inspect, thumbprint, keys, demo):
        verb.add_to(verbs)
    return parser


def _silence_stdout() -> None:
    """What is still in the buffer must not raise again when the interpreter flushes it."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
