"""The argument parser: ``argparse``, with suggestions for what is mistyped and no token in its messages."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from watchword.cli.command_error import without_tokens

_INVALID_CHOICE = re.compile(r"invalid choice: '([^']*)'")


class Parser(argparse.ArgumentParser):
    """A parser whose errors suggest the option, command or value that was probably meant. Exit status 2."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: None = None) -> argparse.Namespace:  # type: ignore[override]  # only what is called here
        """Return the arguments. Exits with status 2 if there are any that no command takes."""
        arguments, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # Its usage and its options are those of the command, not those of all commands.
            parser: Parser = getattr(arguments, "parser", self)
            parser.error(f"unrecognized arguments: {' '.join(unknown)}{parser._suggested_options(unknown)}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, without the tokens in it, and exit with status 2."""
        mistyped = _INVALID_CHOICE.search(message)
        if mistyped is not None and "maybe you meant" not in message:  # Python 3.15 suggests one itself
            choices = [str(choice) for action in self._actions for choice in action.choices or ()]
            message += _suggestion(mistyped[1], choices)
        super().error(without_tokens(message))

    def _suggested_options(self, unknown: Iterable[str]) -> str:
        options = [option for action in self._actions for option in action.option_strings if len(option) > 2]
        mistyped = (argument.partition("=")[0] for argument in unknown if argument.startswith("-"))
        return "".join(_suggestion(option, options) for option in mistyped)


def _suggestion(mistyped: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean '--issuer'?"``, or nothing if no known word is like this one."""
    close = difflib.get_close_matches(mistyped, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
