"""Precomputed tables of the multiples of public keys, which make verification with a prepared key fast.

A key's table is built in the background after a number of uses; from then on its signatures take a fraction of the
time. :meth:`watchword.KeySet.prepare` builds the tables of a set at once, and keeps them. All tables share one budget
of the process; if it is full, the tables of the least used keys are evicted first. A table changes how long a verdict
takes, never the verdict.

    watchword.tables.configure(max_bytes=256 * 1024 * 1024)  # thousands of keys
    watchword.tables.stats()
"""

from __future__ import annotations

from watchword import _kernel
from watchword._kernel import TableStats


def configure(*, max_bytes: int | None = None, width: int | None = None, after_uses: int | None = None) -> None:
    """Change the settings of the whole process; what is not given stays as it is.

    ``max_bytes`` is the size of all tables together in bytes, 0 for no tables. ``width``, from 4 to 8, is the bits of
    a digit: each further bit nearly doubles a table, for an ever smaller gain in speed; existing tables keep theirs. A
    key's table is built after ``after_uses`` verifications.

    Raises ``ValueError`` or ``TypeError`` if a value is invalid.
    """
    _kernel.configure_tables(max_bytes=max_bytes, width=width, after_uses=after_uses)


def stats() -> TableStats:
    """Return the counters of the tables and the current settings.

    They are ``bytes``, ``tables``, ``built``, ``evicted``, ``refused``, ``queued``, ``max_bytes``, ``width`` and
    ``after_uses``.
    """
    return _kernel.table_stats()


__all__ = ["TableStats", "configure", "stats"]
