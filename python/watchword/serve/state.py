"""What a server shows of itself at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword._kernel import KeySet, TokenCacheStats
    from watchword.jwks import Stats
    from watchword.serve.history import Minute
    from watchword.serve.records import Rejection


@dataclass(frozen=True)
class Reload:
    """A reload that was refused, and why."""

    at: float
    """Unix seconds."""
    reason: str


@dataclass(frozen=True)
class IssuerState:
    """The keys of one issuer."""

    name: str
    keys: KeySet | None
    stats: Stats


@dataclass(frozen=True)
class ServerState:
    """What the status page is made of. Times are in Unix seconds."""

    now: float
    version: str
    started_at: float
    config_file: str
    loaded_at: float
    refused: Reload | None
    """The last reload, if it was refused."""
    reloads: Mapping[str, int]
    proxy: str
    addresses: tuple[str, ...]
    stopping: bool
    missing: tuple[str, ...]
    """The issuers whose keys have never been there."""
    issuers: tuple[IssuerState, ...]
    routes: int
    token_cache: TokenCacheStats | None
    counters: Mapping[str, Any]
    """Those of the server."""
    history: tuple[Minute, ...]
    rejections: tuple[Rejection, ...]

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return not self.stopping and not self.missing


__all__ = ["IssuerState", "Reload", "ServerState"]
