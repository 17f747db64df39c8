"""Audits: was each token of a log valid when it was used, with the keys and the policy of that time?

:class:`Auditor` verifies columns of tokens in tables of pyarrow, polars, DuckDB, and all others that have Arrow's PyCapsule
interface; :func:`verify_column` does so once. ``watchword audit`` is the command for files. docs/audit.md has examples.
"""

from __future__ import annotations

from watchword.audit.auditor import Auditor, verify_column

__all__ = ["Auditor", "verify_column"]
