"""Everything that the report shows of one audit, read from its output directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchword.audit.report.manifest import FileDigest, Manifest, read_manifest
from watchword.audit.report.rows import batches
from watchword.audit.report.side_files import Replays, Unreadable, read_replays, read_unreadable
from watchword.audit.report.timeline import Timeline, timeline
from watchword.audit.report.token_uses import COLUMNS, MostUsed, TokenCounter
from watchword.audit.report.totals import Totals

_UNREADABLE = ".unreadable.ndjson"


@dataclass(frozen=True)
class Audit:
    """An audit, counted."""

    manifest: Manifest
    totals: Totals
    axis: Timeline | None
    most_used: MostUsed
    unreadable: Unreadable
    #: ``None`` if no proofs were audited.
    replays: Replays | None

    def differences(self) -> list[str]:
        """Return in words where the files do not contain what the manifest counts."""
        replays = None if self.replays is None else self.replays.uses
        found = {
            "rows": self.totals.rows,
            "valid": self.totals.valid,
            "unreadable": self.unreadable.rows,
            "replays": replays,
        }
        counted = {name: self.manifest.counted(name) for name in found}
        return [
            f"The manifest counts {counted[name] or 0:,} {name}, the files contain {number or 0:,}."
            for name, number in found.items()
            if counted[name] is not None and (counted[name] or 0) != (number or 0)
        ]


def read_audit(directory: Path) -> Audit:
    """Return the counts of an audit. Raises ``ValueError`` if ``directory`` is not the output of one."""
    manifest = read_manifest(directory)
    parts = [directory / part.path for part in _verdicts(manifest)]
    totals = Totals()
    with TokenCounter(manifest.counted("rows") or sum(part.rows or 0 for part in manifest.parts)) as tokens:
        for part in parts:
            for batch in batches(part):
                totals.add(batch)
                tokens.add(batch["token_hash"])
        most_used = tokens.most_used(lambda: (batch for part in parts for batch in batches(part, COLUMNS)))
    return Audit(
        manifest=manifest,
        totals=totals,
        axis=timeline(totals.days),
        most_used=most_used,
        unreadable=read_unreadable(_unreadable(parts)),
        replays=read_replays(directory / "replays.ndjson"),
    )


def _verdicts(manifest: Manifest) -> list[FileDigest]:
    """Return the parts that contain verdicts."""
    return [
        part
        for part in manifest.parts
        if part.path.endswith((".parquet", ".ndjson"))
        and not part.path.endswith((_UNREADABLE, "replays.ndjson", "journal.ndjson"))
    ]


def _unreadable(parts: list[Path]) -> Iterator[Path]:
    """Yield the files of unreadable rows, in the order of the parts that they belong to."""
    for part in parts:
        path = part.with_name(part.stem + _UNREADABLE)
        if path.is_file():
            yield path


__all__ = ["Audit", "read_audit"]
