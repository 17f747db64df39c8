"""What an audit writes beside the verdicts: the rows that could not be read, and the replayed proofs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from watchword.html.words import MICROSECONDS

#: Examples that are kept of each kind of unreadable row, kinds that are counted one by one, and replays that are shown.
EXAMPLES = 3
KINDS = 1000
SHOWN_REPLAYS = 20

#: The longest line that is read, in bytes.
MAX_LINE = 1024 * 1024


@dataclass
class Unreadable:
    """Rows that could not be read, by file and reason."""

    rows: int = 0
    kinds: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    examples: defaultdict[tuple[str | None, str | None], list[int | None]] = field(
        default_factory=lambda: defaultdict(list)
    )
    #: Rows of further kinds than ``KINDS``.
    others: int = 0


@dataclass(frozen=True)
class Use:
    """One use of a proof."""

    file: str | None
    row: int | None
    time: int | None


@dataclass
class Replays:
    """Proofs that were used more than once."""

    uses: int = 0
    #: The hash of the proof, its first use, and the repeated one.
    shown: list[tuple[str | None, Use, Use]] = field(default_factory=list)


def read_unreadable(paths: Iterable[Path]) -> Unreadable:
    """Return the unreadable rows that these files list. Raises ``ValueError`` if one is damaged."""
    found = Unreadable()
    for record in (record for path in paths for record in _lines(path)):
        found.rows += 1
        kind = (_text(record.get("file")), _text(record.get("reason")))
        if kind not in found.kinds and len(found.kinds) >= KINDS:
            found.others += 1
            continue
        found.kinds[kind] += 1
        if len(found.examples[kind]) < EXAMPLES:
            found.examples[kind].append(_integer(record.get("row")))
    return found


def read_replays(path: Path) -> Replays | None:
    """Return the replays that a file lists; ``None`` if there is none, because no proofs were audited.

    Raises ``ValueError`` if it is damaged.
    """
    if not path.is_file():
        return None
    found = Replays()
    for record in _lines(path):
        found.uses += 1
        if len(found.shown) < SHOWN_REPLAYS:
            first = record.get("first")
            found.shown.append(
                (_text(record.get("proof_hash")), _use(first if isinstance(first, dict) else {}), _use(record))
            )
    return found


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            try:
                record = json.loads(line) if len(line) <= MAX_LINE else None
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                raise ValueError(f"{path} is damaged: line {number} is not a JSON object; run the audit again")  # noqa: TRY004
            yield record


def _use(record: Mapping[str, Any]) -> Use:
    return Use(_text(record.get("file")), _integer(record.get("row")), _time(record.get("time")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(value: object) -> int | None:
    """Return a time in microseconds since 1970: text as RFC 3339 writes it, or Unix seconds."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return None
        return pa.scalar(at, pa.timestamp("us", "UTC")).value if at.tzinfo is not None else None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**40:
        return round(value * MICROSECONDS)
    return None


__all__ = ["Replays", "Unreadable", "Use", "read_replays", "read_unreadable"]
