"""Names for the literal types in this package's signatures, for annotations."""

from typing import Literal, TypeAlias

__all__ = ["Backend", "Prepare"]

Backend: TypeAlias = Literal["default", "reference"]
"""The implementation that verifies signatures: the kernel's own, or the ``jsonwebtoken`` crate.

Both give the same verdicts.
"""

Prepare: TypeAlias = Literal["auto", "never"]
"""Whether keys may get precomputed tables: ``auto`` (after some uses, or by ``KeySet.prepare``) or ``never``."""
