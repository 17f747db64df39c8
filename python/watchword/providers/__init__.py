"""Five providers' names over one kernel: change an import and keep the code.

``watchword.providers.agentwrit``, ``authgent``, ``authpi``, ``clawauth`` and ``paphwey`` have the names of the packages
that the providers publish or document; see ``docs/providers.md``. None is imported before it is asked for.

:func:`detect` says whose a token looks like, and **verifies nothing**.
"""

from __future__ import annotations

from watchword.providers.detection import Detection, detect
from watchword.providers.profiles import PROVIDERS, ProviderName

__all__ = ["PROVIDERS", "Detection", "ProviderName", "detect"]
