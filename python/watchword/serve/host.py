"""The host of the server in Rust: it loads the configuration, fetches keys, and shows what happens."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from watchword import __version__, _kernel, tables
from watchword.gate import ConfigError, Gate, GateConfig
from watchword.observability import DecisionLog
from watchword.observability.sources import Sources
from watchword.serve.history import History
from watchword.serve.key_feed import KeyFeed
from watchword.serve.loop import Loop
from watchword.serve.metrics import LAST_RELOAD, LOADED_AT, READY, RELOADS, TABLES, exposition
from watchword.serve.pages import Pages
from watchword.serve.records import Records
from watchword.serve.settings import ReplayedInServer, check_unchanged, fixed_settings, server_settings
from watchword.serve.state import IssuerState, Reload, ServerState
from watchword.serve.watched_files import WatchedFiles

if TYPE_CHECKING:
    from watchword._kernel import NonceKeys, TokenCache
    from watchword.gate.state import State
    from watchword.jwks.events import KeyEvent
    from watchword.jwks.fetch import Fetcher
    from watchword.observability.instruments import Instrument

_LOG = logging.getLogger("watchword.serve")

#: Threads that answer look-ups of keys, each of which may wait for a fetch.
_LOOKUP_THREADS = 8

#: How long a call may take that should take a second, before the server is reported as stuck, in seconds.
_STUCK_AFTER = 60.0

#: How long a thread waits for the server to have something for it, in seconds.
_POLL = 0.5

#: Between two batches of decisions, in seconds.
_PAUSE = 0.02


class Host:
    """A server of verdicts for a proxy, from the configuration in a file.

    ``listen`` replaces the addresses of the configuration; ``decisions`` is what the decision log is written to (by
    default standard output); ``fetcher`` fetches keys. The sockets are open from here on; :meth:`start` answers.

    Raises :class:`ConfigError` if the configuration is invalid, ``OSError`` if the file cannot be read or an address is
    not available.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        listen: Iterable[str] | None = None,
        decisions: TextIO | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        self._path = os.fspath(path)
        self._process = os.getpid()
        self._listen = None if listen is None else tuple(listen)
        self._decisions = sys.stdout if decisions is None else decisions
        config = self._read()
        settings = server_settings(config, self._listen)
        self._fixed = fixed_settings(config, settings)
        self._gate = Gate.from_config(
            config, fetcher=fetcher, on_event=self._key_event, dpop=config.dpop_verifier(replay=ReplayedInServer())
        )
        state = self._gate.compiled()
        self._config = config
        self._proxy: str = settings["proxy"]
        self._stop_timeout: float = settings["stop_timeout"]
        self._started_at = self._loaded_at = time.time()
        self._refused: Reload | None = None
        self._reloads = {"applied": 0, "refused": 0}
        self._stopping = False
        self._loaded: set[str] = set()
        self._history = History()
        self._records = Records(self._decision_log(config))
        self._pages = Pages(self.state, self.metrics, self.stuck)
        self._feed = KeyFeed(self._set_keys)
        with self._feed.replacing(state.entries) as keys:
            self._server = _kernel.Server(
                settings=settings,
                replay=config.replay,
                replay_capacity=config.replay_capacity,
                pages=self._pages,
                **self._checked_by(state, keys),
            )
        self._note_loaded()
        self._keys = Loop("watchword-key-feed", self._look)
        self._loops = [
            self._keys,
            Loop("watchword-records", self._drain),
            *(Loop(f"watchword-lookup-{number}", self._look_up) for number in range(_LOOKUP_THREADS)),
        ]
        # Only one reload at a time; the pages read what it replaces without it.
        self._reloading = threading.Lock()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens."""
        return tuple(self._server.addresses)

    @property
    def status_addresses(self) -> tuple[str, ...]:
        """Where its status page is."""
        return tuple(self._server.status_addresses)

    def start(self) -> None:
        """Answer requests, in threads of its own, until :meth:`stop` or the end of the interpreter."""
        # A thread in Rust that needs the interpreter while it ends would abort the process.
        atexit.register(self._stop_at_exit)
        for loop in self._loops:
            loop.start()
        self._server.start()

    def stop(self) -> None:
        """Accept no more connections, and wait for the requests in flight, ``stop_timeout`` seconds at most."""
        atexit.unregister(self._stop_at_exit)
        self._stopping = True
        self._server.stop(self._stop_timeout)
        for loop in self._loops:
            loop.stop()
        until = time.monotonic() + 2 * _POLL
        for loop in self._loops:
            loop.join(until - time.monotonic())
        self._records.take(self._server.drain_records(0.0))
        self._records.log.flush()
        self._gate.close()

    def _stop_at_exit(self) -> None:
        # The server of a forked child is that of its parent.
        if os.getpid() == self._process:
            self.stop()

    # The configuration.

    def files_have_changed(self) -> bool:
        """Return whether the configuration should be loaded again; to be called about once a second."""
        return self._files.have_changed()

    def reload(self) -> bool:
        """Load the configuration again, and return whether it is used. The reason why it is not is logged."""
        with self._reloading:
            try:
                self._reload()
            except Exception as error:
                # Whatever it is, the server continues.
                if not isinstance(error, (OSError, ValueError)):
                    _LOG.exception("a reload failed")
                reason = f"{self._path}: {error.strerror}" if isinstance(error, OSError) else str(error)
                self._refused = Reload(time.time(), reason)
                self._reloads["refused"] += 1
                _LOG.error("the configuration was not loaded, the one before stays in use: %s", reason)
                return False
            self._refused = None
            self._reloads["applied"] += 1
            self._loaded_at = time.time()
            _LOG.info("the configuration was loaded: %s", self._path)
            return True

    def _reload(self) -> None:
        config = self._read()
        settings = server_settings(config, self._listen)
        check_unchanged(self._fixed, fixed_settings(config, settings))
        log = self._decision_log(config)
        self._gate.reload(config)
        try:
            self._use_compiled()
        except BaseException:
            self._gate.reload(self._config)
            self._use_compiled()
            raise
        self._config, self._stop_timeout = config, settings["stop_timeout"]
        self._records.log.flush()
        self._records.log = log
        self._note_loaded()
        self._keys.wake()

    def _use_compiled(self) -> None:
        state = self._gate.compiled()
        with self._feed.replacing(state.entries) as keys:
            self._server.replace(**self._checked_by(state, keys))

    def _read(self) -> GateConfig:
        # Before it is read: what changes meanwhile is a change again.
        self._files = WatchedFiles([Path(self._path)])
        config = GateConfig.from_file(self._path)
        self._files.add(config.watched_files())
        problems = config.check_files()
        if problems:
            # Files of keys are watched by their sources, which there are none of yet.
            self._files.add(Path(issuer.jwks_file) for issuer in config.issuers if issuer.jwks_file is not None)
            raise ConfigError(problems, self._path)
        for warning in config.warnings:
            _LOG.warning("%s", warning.describe(self._path))
        return config

    def _checked_by(self, state: State, keys: list[_kernel.KeySet | None]) -> dict[str, Any]:
        """Return what requests are checked by, as keywords of the server."""
        nonces: NonceKeys | None = None if state.nonces is None else state.nonces.kernel_keys
        cache: TokenCache | None = state.cache
        document = json.dumps(self._gate.metadata()).encode()
        return {
            "rules": state.rules,
            "keys": keys,
            "cache": cache,
            "nonces": nonces,
            "metadata": (self._gate.metadata_path, document),
        }

    def _decision_log(self, config: GateConfig) -> DecisionLog:
        return DecisionLog(self._decisions, **(config.log or {}))

    # What the threads do.

    def _look(self) -> float:
        pause = self._feed.look()
        self._note_loaded()
        allowed, rejected = _totals(self._server.stats())
        self._history.count(allowed, rejected)
        return pause

    def _look_up(self) -> float:
        lookup = self._server.next_lookup(_POLL)
        if lookup is None:
            return 0.0 if not self._stopping else _POLL
        identifier, issuer, seen, key_ids = lookup
        try:
            self._feed.look_up(issuer, key_ids, are_missing=seen is None)
        finally:
            self._server.finish_lookup(identifier)
        return 0.0

    def _drain(self) -> float:
        self._records.take(self._server.drain_records(_POLL))
        # So that a flood of rejections, of which few are logged, does not take a whole processor.
        return _PAUSE

    def _set_keys(self, issuer: str, keys: _kernel.KeySet | None) -> None:
        self._server.set_keys(issuer, keys)

    def _key_event(self, event: KeyEvent) -> None:
        del event
        # The keys are not handed over here: the source tells of them before it is finished with them.
        keys: Loop | None = getattr(self, "_keys", None)
        if keys is not None:
            keys.wake()

    def _note_loaded(self) -> None:
        self._loaded.update(name for name, keys in self._feed.keys().items() if keys)

    # What it shows.

    def state(self) -> ServerState:
        """Return what the status page shows."""
        self._note_loaded()
        keys, stats = self._feed.keys(), self._gate.stats()
        return ServerState(
            now=time.time(),
            version=__version__,
            started_at=self._started_at,
            config_file=self._path,
            loaded_at=self._loaded_at,
            refused=self._refused,
            reloads=dict(self._reloads),
            proxy=self._proxy,
            addresses=self.addresses,
            stopping=self._stopping,
            missing=tuple(name for name in keys if name not in self._loaded),
            issuers=tuple(
                IssuerState(name, keys[name], found) for name, found in stats.issuers.items() if name in keys
            ),
            routes=len(self._gate.routes),
            token_cache=stats.token_cache,
            counters=self._server.stats(),
            history=tuple(self._history.last_hour()),
            rejections=tuple(self._records.last()),
        )

    def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        own: dict[Instrument, Mapping[tuple[str, ...], float]] = {
            READY: {(): int(self.state().ready)},
            RELOADS: {(result,): count for result, count in self._reloads.items()},
            LAST_RELOAD: {(): int(self._refused is None)},
            LOADED_AT: {(): self._loaded_at},
            TABLES: {(): tables.stats().bytes},
        }
        return exposition(self._server.stats(), {**Sources([self._gate, self._records.log]).read(), **own})

    def stuck(self) -> list[str]:
        """Return the threads that do not run any more, or are in one call for long: none in health."""
        return [loop.name for loop in self._loops if loop.is_stuck(_STUCK_AFTER)]


def _totals(stats: dict[str, Any]) -> tuple[int, int]:
    """Return the numbers of allowed and of rejected requests."""
    allowed = rejected = 0
    for labels, count in stats["verdicts"].items():
        if labels[1] == "allowed":
            allowed += count
        else:
            rejected += count
    return allowed, rejected


__all__ = ["Host"]
