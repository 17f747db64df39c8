"""The server of verdicts that a proxy asks: ``watchword serve``.

Requests are read, checked and answered in Rust, without the interpreter. Here is what surrounds that: the
configuration, the keys of the issuers, metrics, the status page, the decision log.
"""

from __future__ import annotations

from watchword.serve.host import Host

__all__ = ["Host"]
