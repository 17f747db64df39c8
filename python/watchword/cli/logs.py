"""The log, on a command line that reports errors itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def log_suppressed() -> Iterator[None]:
    """Within this context nothing is logged: the error that is raised says the same."""
    logger = logging.getLogger("watchword")

    def nothing(_: logging.LogRecord) -> bool:
        return False

    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)
