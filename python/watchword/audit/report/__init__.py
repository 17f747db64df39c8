"""The report of an audit: one HTML page about everything in its output directory.

    from watchword.audit.report import write_report

    write_report(Path("audit-2025"), Path("report.html"))

The page needs no JavaScript and no network, and adapts to dark schemes, narrow screens and paper. All numbers are
counted from the parts, in memory that does not depend on their size; temporary files take eight bytes a row. Equal
directories give equal pages, to the byte.
"""

from __future__ import annotations

import os
from pathlib import Path

from watchword.audit.report.audit import read_audit
from watchword.audit.report.page import page
from watchword.durable import write_durably


def write_report(directory: Path, output: Path) -> None:
    """Write the report of the audit whose output directory is ``directory`` to the file ``output``.

    An existing file is replaced once the report is complete. Neither digests nor the signature of the manifest are
    checked: ``watchword audit verify`` does that. If the files have other totals than the manifest, the page says so.

    Raises ``ValueError`` if ``directory`` is not the output directory of a finished audit, or a file in it is missing
    or damaged, and ``OSError`` if a file cannot be read or written.
    """
    write_durably(os.fspath(output), page(read_audit(Path(directory))).encode())


__all__ = ["write_report"]
