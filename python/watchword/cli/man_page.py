"""``watchword man``: the manual page, in roff."""

from __future__ import annotations

import argparse
import functools
from importlib import import_module

from watchword import __version__
from watchword.cli.command_error import CommandError
from watchword.cli.subcommands import every_command

_DESCRIPTION = """\
Prints the manual page. It needs the extra watchword[shell].

  watchword man > ~/.local/share/man/man1/watchword.1

Exit status: 0 printed, 2 a usage error."""

# A usage line of this many columns stays one line of the page.
_USAGE_COLUMNS = 62


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "man",
        help="print the manual page",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the page. Returns the exit status."""
    print(page(arguments.root), end="")
    return 0


def page(parser: argparse.ArgumentParser) -> str:
    """Return the manual page. Raises :class:`CommandError` if argparse-manpage is not installed."""
    try:
        manpage = import_module("argparse_manpage.manpage")
    except ImportError:
        raise CommandError(
            "argparse-manpage is not installed. Install it with: pip install 'watchword[shell]'."
        ) from None
    for command in every_command(parser):
        command.formatter_class = functools.partial(argparse.RawDescriptionHelpFormatter, width=_USAGE_COLUMNS)
        command.description = "\n\n".join(filter(None, (command.description, command.epilog)))
    data = {
        "project_name": "watchword",
        "version": __version__,
        "description": "verify JSON Web Tokens",
        "manual_title": "Watchword",
    }
    return str(manpage.Manpage(parser, data, format="single-commands-section"))
