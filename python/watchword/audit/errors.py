"""What ends an audit, as opposed to what is counted: rows and files that are unreadable do not."""

from __future__ import annotations

import importlib
from types import ModuleType


class AuditError(Exception):
    """An audit cannot start or continue. The message says what is wrong and what to do, without a full stop."""


def required(module: str) -> ModuleType:
    """Import a module of the extra ``audit``. Raises :class:`AuditError`, which says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise AuditError(f"the package {package} is not installed; run: pip install 'watchword[audit]'") from None


__all__ = ["AuditError", "required"]
