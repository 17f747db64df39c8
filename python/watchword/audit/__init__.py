"""Audits: whether each token of a log was valid when it was used, with the keys and the policy of that time.

:class:`Auditor` verifies columns of tokens in tables of pyarrow, polars, DuckDB, and all others that have Arrow's
PyCapsule interface; :func:`verify_column` does so once. :class:`PolicyHistory` has the policies of intervals of time,
and :class:`~watchword.jwks.archive.KeyArchive` the keys. ``watchword audit`` is the command for files. docs/audit.md
has examples.
"""

from __future__ import annotations

from watchword.audit.auditor import Auditor, verify_column
from watchword.audit.codes import AuditCode
from watchword.audit.policy_history import PolicyHistory
from watchword.audit.policy_interval import PolicyInterval

__all__ = ["AuditCode", "Auditor", "PolicyHistory", "PolicyInterval", "verify_column"]
