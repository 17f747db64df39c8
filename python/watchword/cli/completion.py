"""``watchword completion``: a script that completes commands, options and file names in a shell."""

from __future__ import annotations

import argparse
from importlib import import_module

from watchword.cli.command_error import CommandError
from watchword.cli.subcommands import every_command

SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = """\
Prints a completion script for a shell. It needs the extra watchword[shell].

  bash  watchword completion bash > \\
            ~/.local/share/bash-completion/completions/watchword
  zsh   watchword completion zsh > ~/.zfunc/_watchword
        (~/.zfunc must be in $fpath before compinit runs)
  fish  watchword completion fish > \\
            ~/.config/fish/completions/watchword.fish

Exit status: 0 printed, 2 a usage error."""

# The arguments whose values are names of files.
_FILES = ("token", "source", "file", "config", "--jwks", "--pem", "--config", "--certificate")


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "completion",
        help="print a completion script for bash, zsh or fish",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script. Returns the exit status."""
    print(script(arguments.root, arguments.shell))
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script for ``shell``. Raises :class:`CommandError` if shtab is not installed."""
    try:
        shtab = import_module("shtab")
    except ImportError:
        raise CommandError("shtab is not installed. Install it with: pip install 'watchword[shell]'.") from None
    for action in [action for one in (parser, *every_command(parser)) for action in one._actions]:
        if action.dest in _FILES or not set(_FILES).isdisjoint(action.option_strings):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # what shtab reads
    text: str = shtab.complete(parser, shell=shell)
    return text
