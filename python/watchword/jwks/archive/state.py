"""What the records of an archive add up to, each checked against those before it."""

from __future__ import annotations

from watchword.jwks.archive.chain import Chain
from watchword.jwks.archive.errors import ArchiveError
from watchword.jwks.archive.history import IssuerHistory
from watchword.jwks.archive.record import parse_line


class ArchiveState:
    """The chain, and the history of each issuer. ``path`` is the name of the file in messages."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.chain = Chain()
        self.histories: dict[str, IssuerHistory] = {}

    def add(self, line: bytes) -> None:
        """Add the next line, without its newline. Raises :class:`ArchiveError` if it has a defect."""
        number = self.chain.count + 1
        try:
            record = parse_line(line)
            self.chain.add(record, line)
            history = self.histories.get(record.issuer)
            if history is None:
                history = self.histories[record.issuer] = IssuerHistory(record.issuer)
            history.add(record)
        except ValueError as error:
            raise ArchiveError(str(error), path=self.path, line=number) from None


__all__ = ["ArchiveState"]
