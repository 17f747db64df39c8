"""The command line: from arguments to a command, and from whatever happens to an exit status."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from watchword import __version__
from watchword.cli import audit, check, completion, demo, explain, inspect, keys, man_page, serve, thumbprint, verify
from watchword.cli.command_error import CommandError, without_tokens
from watchword.cli.parser import Parser
from watchword.cli.subcommands import CommandParser, every_command

# As a shell reports a program that SIGINT or SIGPIPE ended.
_INTERRUPTED = 128 + 2
_BROKEN_PIPE = 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns its exit status: 0 all valid, 1 some tokens or keys are not, 2 a usage error."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal cannot show is escaped, never a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
        if arguments.verb is None:
            parser.print_help()
            # Not 0: a script whose variable is empty must not take this for "all valid".
            status = 2
        else:
            status = arguments.run(arguments)
        _flush_stdout()
    except SystemExit as leaving:  # argparse, after --help or with its own message
        return leaving.code if isinstance(leaving.code, int) else 2
    except CommandError as error:
        _flush_stdout()
        print(f"watchword {arguments.verb}: {without_tokens(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:  # Whoever reads files and sockets handles their errors; a disk can be full at any time.
        _silence_stdout()
        print(f"watchword: the output can't be written: {error.strerror}.", file=sys.stderr)
        return 2
    return status


def build_parser() -> Parser:
    """Return the parser of the command line; the help, the completion scripts and the manual page are made from it."""
    parser = Parser(
        prog="watchword",
        description="Verifies JSON Web Tokens strictly and offline.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30),
        epilog=(
            "Each command has its own --help. "
            "Exit status: 0 all valid, 1 some tokens or keys are not, 2 a usage error, or no command."
        ),
    )
    parser.add_argument(
        "-V", "--version", action="version", version=f"watchword {__version__}", help="print the version and exit"
    )
    verbs = parser.add_subparsers(title="commands", dest="verb", metavar="COMMAND", parser_class=CommandParser)
    for verb in (verify, audit, inspect, thumbprint, keys, check, explain, serve, demo, completion, man_page):
        verb.add_to(verbs)
    for command in every_command(parser):
        command.set_defaults(root=parser, parser=command)
    return parser


def _flush_stdout() -> None:
    # It is None if it was closed, as by >&-.
    if sys.stdout is not None:
        sys.stdout.flush()


def _silence_stdout() -> None:
    """Discard what is still in the buffer, which must not raise again when the interpreter flushes it."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
