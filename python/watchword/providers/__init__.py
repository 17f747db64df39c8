"""The names of five providers' packages, implemented by Watchword: change an import and keep the code.

``watchword.providers.agentwrit``, ``authgent``, ``authpi``, ``clawauth`` and ``paphwey`` have the names of the packages
that the providers publish or document; see ``docs/providers.md``. Each is imported by those who use it.

:func:`detect` finds the provider whose token a text looks like, and **verifies nothing**.
"""

from __future__ import annotations

from watchword.providers.detection import Detection, detect
from watchword.providers.profiles import PROVIDERS, ProviderName

__all__ = ["PROVIDERS", "Detection", "ProviderName", "detect"]
