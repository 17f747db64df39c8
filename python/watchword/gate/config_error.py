"""ConfigError: everything that is wrong with a configuration, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ConfigProblem(NamedTuple):
    """One error in a configuration, or one warning.

    ``line`` and ``column`` are counted from 1 (``None``: not known, as in JSON), ``path`` names the value, as
    ``routes[2].scopes[0]`` (empty: the whole file).
    """

    line: int | None
    column: int | None
    path: str
    message: str

    def describe(self, source: str | None = None) -> str:
        """Return the problem on one line, as compilers write errors: ``gate.toml:12:9: routes[2].scopes: …``."""
        place = [part for part in (source, self.line, self.column) if part is not None]
        return ": ".join(part for part in (":".join(map(str, place)), self.path, self.message) if part)


class ConfigError(ValueError):
    """A configuration is invalid. The message has one line for each error, and no secret.

    ``problems`` are the errors, a tuple of :class:`ConfigProblem`; ``source`` is the name of the file, if there is one.
    """

    def __init__(self, problems: Iterable[tuple[int | None, int | None, str, str]], source: str | None = None) -> None:
        self.problems = tuple(ConfigProblem(*problem) for problem in problems)
        self.source = source
        super().__init__("\n".join(problem.describe(source) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[ConfigProblem, ...], str | None]]:
        """Return how to make the same error in another process."""
        return type(self), (self.problems, self.source)


__all__ = ["ConfigError", "ConfigProblem"]
