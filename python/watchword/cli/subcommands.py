"""Commands of a command: ``watchword keys SOURCE`` beside ``watchword keys archive FILE``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from watchword.cli.parser import Parser


class CommandParser(Parser):
    """The parser of a command that has commands of its own beside its own arguments.

    The first argument decides: if it is the name of such a command, the rest is that command's; otherwise all are
    arguments of this one. (argparse alone would take the name of a file for a mistyped command.)
    """

    _is_parsing = False

    def add_commands(self) -> argparse._SubParsersAction[argparse.ArgumentParser]:
        """Return what the commands are added to."""
        return self.add_subparsers(title="commands", metavar="COMMAND", prog=self.prog, parser_class=type(self))

    def parse_known_args(  # type: ignore[override]  # only what is called here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the arguments, and those that are unknown."""
        commands = {name: parser for action in _subcommands(self) for name, parser in action.choices.items()}
        if args and args[0] in commands:
            return commands[args[0]].parse_known_args(args[1:], namespace)
        self._is_parsing = True
        try:
            return super().parse_known_args(args, namespace)
        finally:
            self._is_parsing = False

    def _get_positional_actions(self) -> list[argparse.Action]:
        # The commands are there for the help, the completion scripts and the manual page.
        actions = super()._get_positional_actions()
        return [action for action in actions if action not in _subcommands(self)] if self._is_parsing else actions


def every_command(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of all commands below a parser, at any depth."""
    found = []
    for action in _subcommands(parser):
        for command in action.choices.values():
            found += [command, *every_command(command)]
    return found


def _subcommands(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
