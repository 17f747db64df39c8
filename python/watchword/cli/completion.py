"""``watchword completion``: a script that completes commands, options and file names in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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
    for command in every_command(parser):
        names = [
            name for action in command._actions if action.nargs == argparse.PARSER for name in action.choices or ()
        ]
        if names:
            first = next(action for action in command._actions if not action.option_strings)
            first.complete = _names_and_files(names)  # type: ignore[attr-defined]
    text: str = shtab.complete(parser, shell=shell)
    return text


def _names_and_files(names: Sequence[str]) -> dict[str, object]:
    """Return what completes the first argument of a command that has commands: their names, and names of files."""
    function = f"_watchword_{'_'.join(names)}_or_file"
    words = " ".join(names)
    return {
        "bash": function,
        "zsh": f"{{compadd {words}; _files}}",
        "fish": f"({'; '.join(f'echo {name}' for name in names)}; __fish_complete_path (commandline -ct))",
        "preamble": {"bash": f'{function}() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}\n'},
    }
