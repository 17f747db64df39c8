"""ArchiveError: what is wrong with a key archive, and where."""

from __future__ import annotations


class ArchiveError(ValueError):
    """A key archive can't be used. The message names the file, the line and what is wrong with it.

    ``problem`` is the message without file and line; ``path`` the file (``None``: not from a file); ``line`` the number
    of the line, from 1 (``None``: the whole file). ``repairable`` is true if the only defect is an incomplete last
    line, which a writer removes when it opens the archive.
    """

    def __init__(
        self, problem: str, *, path: str | None = None, line: int | None = None, repairable: bool = False
    ) -> None:
        places = ([] if path is None else [path]) + ([] if line is None else [f"line {line}"])
        super().__init__(f"{', '.join(places)}: {problem}" if places else problem)
        self.problem = problem
        self.path = path
        self.line = line
        self.repairable = repairable

    def __reduce__(self) -> tuple[object, ...]:
        """Return what pickle makes it from again."""
        return _again, (self.problem, self.path, self.line, self.repairable)


def _again(problem: str, path: str | None, line: int | None, repairable: bool) -> ArchiveError:  # noqa: FBT001
    return ArchiveError(problem, path=path, line=line, repairable=repairable)


__all__ = ["ArchiveError"]
