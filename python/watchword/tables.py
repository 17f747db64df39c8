"""Tables of multiples of keys that are met again: what makes a prepared key fast.

A key that has verified a few signatures earns a table, which is built in the background; from then on its signatures
take a fraction of the time. :meth:`watchword.KeySet.prepare` builds the tables of a set at once, and keeps them. All
tables live within one budget for the whole process; where it is full, the keys that are used least lose theirs first.
A table changes how long a verdict takes, never the verdict.

    watchword.tables.configure(max_bytes=256 * 1024 * 1024)  # thousands of keys
    watchword.tables.stats()
"""

from __future__ import annotations

from watchword import _kernel
from watchword._kernel import TableStats


def configure(*, max_bytes: int | None = None, width: int | None = None, after_uses: int | None = None) -> None:
    """Changes the settings for the whole process; what is not given stays as it is.

    ``max_bytes`` is what all tables may take together, 0 for none at all. ``width``, from 4 to 8, is the bits of a
    digit: each bit more makes tables nearly twice as large, and verification faster by less and less; tables that are
    there keep theirs. A key asks for a table after ``after_uses`` verifications.

    Raises ``ValueError`` or ``TypeError`` for what cannot be meant.
    """
    _kernel.configure_tables(max_bytes=max_bytes, width=width, after_uses=after_uses)


def stats() -> TableStats:
    """How tables stand now, and the settings in force: ``bytes``, ``tables``, ``built``, ``evicted``, ``refused``,
    ``max_bytes``, ``width``, ``after_uses``.
    """
    return _kernel.table_stats()


__all__ = ["TableStats", "configure", "stats"]
