"""The key archive: what was seen of issuers' keys over time, and which keys are accepted as of which time.

:class:`KeyArchive` reads an archive, :class:`ArchiveWriter` writes one, :func:`timeline` decides which keys are
accepted as of which time, by :class:`KeyRules`. docs/key-archive.md describes the format and the rules.
"""

from __future__ import annotations

from watchword.jwks.archive.chain import ArchiveHead
from watchword.jwks.archive.errors import ArchiveError
from watchword.jwks.archive.history import IssuerHistory
from watchword.jwks.archive.key_archive import KeyArchive
from watchword.jwks.archive.key_timeline import KeyEpoch, KeyLifetime, KeyTimeline, timeline
from watchword.jwks.archive.listener import ArchiveListener
from watchword.jwks.archive.record import ArchiveEvent, ArchiveRecord
from watchword.jwks.archive.rules import KeyRules, KeyState
from watchword.jwks.archive.writer import ArchiveWriter

__all__ = [
    "ArchiveError",
    "ArchiveEvent",
    "ArchiveHead",
    "ArchiveListener",
    "ArchiveRecord",
    "ArchiveWriter",
    "IssuerHistory",
    "KeyArchive",
    "KeyEpoch",
    "KeyLifetime",
    "KeyRules",
    "KeyState",
    "KeyTimeline",
    "timeline",
]
