"""The settings of a server, and which of a configuration cannot change while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from watchword._kernel import Server
from watchword.gate import ConfigError, GateConfig

#: Settings of ``[server]`` that a reload cannot change: sockets and threads are made once.
_SERVER = (
    "proxy",
    "listen",
    "status_listen",
    "socket_mode",
    "threads",
    "max_connections",
    "header_timeout",
    "idle_timeout",
    "write_timeout",
    "lookup_timeout",
    "replay_timeout",
    "max_header_bytes",
    "path_prefix",
)


def server_settings(config: GateConfig, listen: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the settings of the server; ``listen`` replaces those addresses.

    Raises :class:`ConfigError` if the configuration has no section ``[server]``, or if the server cannot use it.
    """
    if config.server is None:
        message = 'is missing: add a section [server] with proxy = "nginx", or the proxy that is in front'
        raise ConfigError([(None, None, "server", message)])
    try:
        Server.check_replay(config.replay)
    except ValueError as error:
        raise ConfigError([(None, None, "dpop.replay", str(error))]) from None
    settings = dict(config.server)
    if listen is not None:
        settings["listen"] = tuple(listen)
    # Rejections are always wanted, for the status page; the decision log takes those that are to be logged.
    settings["log_rejections"] = True
    settings["log_allowed"] = bool((config.log or {}).get("allowed", False))
    return settings


def fixed_settings(config: GateConfig, server: Mapping[str, Any]) -> dict[str, object]:
    """Return what cannot change while the server runs, by its names in the configuration."""
    fixed: dict[str, object] = {f"server.{name}": server[name] for name in _SERVER}
    # Clients have tokens for it, and know the URL of its metadata.
    fixed["resource"] = config.gate_keywords(with_secret=False).get("resource", config.public_url[0])
    fixed["dpop.replay"] = config.replay
    fixed["dpop.replay_capacity"] = config.replay_capacity
    fixed["token_cache.max_bytes"] = config.token_cache_bytes
    fixed["log.allowed"] = server["log_allowed"]
    return fixed


def check_unchanged(old: Mapping[str, object], new: Mapping[str, object]) -> None:
    """Raise :class:`ConfigError` if something that cannot change has changed. No value is in the message."""
    changed = [name for name, value in new.items() if old[name] != value]
    if changed:
        raise ConfigError([(None, None, name, "cannot change while the server runs: restart it") for name in changed])


class ReplayedInServer:
    """In place of a replay store: the server has its own, and needs no package for it."""

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> NoReturn:
        """Never called."""
        raise NotImplementedError("proofs are used up by the server")


__all__ = ["ReplayedInServer", "check_unchanged", "fixed_settings", "server_settings"]
