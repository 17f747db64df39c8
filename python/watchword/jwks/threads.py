"""Threads in the background."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


def start_daemon(name: str, target: Callable[..., None], *arguments: object) -> threading.Thread:
    """Starts a daemon thread and returns it. Raises ``RuntimeError`` if there is none to be had.

    There is none while the interpreter ends. Before Python 3.12 one could be started even then, and whoever started it
    would wait for ever for its first sign of life.
    """
    if sys.is_finalizing():
        raise RuntimeError("the interpreter is ending")
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread
