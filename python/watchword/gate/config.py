"""GateConfig: one file for a gate, and the objects that it describes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from watchword import _kernel
from watchword._kernel import KeySet, TokenCache
from watchword.dpop import DpopVerifier, MemoryReplayStore, Nonces
from watchword.gate.config_error import ConfigError, ConfigProblem
from watchword.gate.route import Route
from watchword.gate.trusted_proxy import TrustedProxy
from watchword.issuer import Issuer
from watchword.jwks.settings import CacheSettings
from watchword.limits import MAX_KEY_SET_BYTES
from watchword.verifier import Verifier

if TYPE_CHECKING:
    from watchword.dpop import AsyncReplayStore, ReplayStore
    from watchword.jwks.events import Listener
    from watchword.jwks.fetch import Fetcher


class GateConfig:
    """The configuration of a gate: its issuers, routes and settings, read from TOML or JSON and checked whole.

    ``issuers`` and ``routes`` are the objects that a :class:`~watchword.Verifier` and a :class:`watchword.gate.Gate`
    take; ``warnings``, a tuple of :class:`ConfigProblem`, is what is allowed and probably not meant. Files that it
    names are read when they are needed: relative names are relative to ``folder`` (``None``: the current folder).

    Raises :class:`ConfigError` (a ``ValueError``) with everything that is wrong.
    """

    def __init__(self, parsed: _kernel.GateConfig, *, folder: str | os.PathLike[str] | None = None) -> None:
        """Make the objects. Use :meth:`from_toml`, :meth:`from_json` or :meth:`from_file`."""
        self._parsed = parsed
        self._folder = Path() if folder is None else Path(folder)
        self._settings: dict[str, Any] = parsed.settings
        self._token: dict[str, Any] = parsed.token
        problems: list[ConfigProblem] = []
        self.issuers = tuple(self._issuers(problems))
        self.routes = tuple(Route(**route) for route in parsed.routes)
        self.warnings = tuple(ConfigProblem(*warning) for warning in parsed.warnings)
        if problems:
            raise ConfigError(problems)

    @classmethod
    def from_toml(cls, text: str, *, folder: str | os.PathLike[str] | None = None) -> GateConfig:
        """Return the configuration in a TOML text. Raises :class:`ConfigError` if it is invalid."""
        return cls(_kernel.GateConfig.from_toml(text), folder=folder)

    @classmethod
    def from_json(cls, text: str, *, folder: str | os.PathLike[str] | None = None) -> GateConfig:
        """Return the configuration in a JSON text, with the same names as TOML.

        Raises :class:`ConfigError` if it is invalid.
        """
        return cls(_kernel.GateConfig.from_json(text), folder=folder)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> GateConfig:
        """Return the configuration in a file: JSON if its name ends in ``.json``, otherwise TOML.

        Raises :class:`ConfigError` if it is invalid, ``OSError`` if the file cannot be read.
        """
        source = os.fspath(path)
        read = cls.from_json if source.endswith(".json") else cls.from_toml
        try:
            text = Path(source).read_bytes().decode()
        except UnicodeDecodeError as error:
            raise ConfigError([(None, None, "", f"the file is not UTF-8 (at byte {error.start})")], source) from None
        try:
            return read(text, folder=Path(source).parent)
        except ConfigError as error:
            raise ConfigError(error.problems, source) from None

    @property
    def public_url(self) -> tuple[str, ...]:
        """The URLs by which clients know the service, the most important first."""
        urls: tuple[str, ...] = self._settings["public_url"]
        return urls

    @property
    def scopes_supported(self) -> tuple[str, ...] | None:
        """The scopes that the metadata document names (RFC 9728); ``None``: those of the routes."""
        scopes: tuple[str, ...] | None = self._settings.get("scopes_supported")
        return scopes

    @property
    def log(self) -> Mapping[str, Any] | None:
        """The keywords of the decision log; ``None``: there is no section ``[log]``."""
        log = self._settings.get("log")
        return None if log is None else MappingProxyType(log)

    @property
    def metrics(self) -> bool:
        """Whether there is a section ``[metrics]``."""
        return bool(self._settings["metrics"])

    @property
    def server(self) -> Mapping[str, Any] | None:
        """The settings of ``watchword serve``, with their defaults; ``None``: there is no section ``[server]``."""
        server = self._settings.get("server")
        return None if server is None else MappingProxyType(server)

    def gate_keywords(self, *, with_secret: bool = True) -> dict[str, Any]:
        """Return the keywords of a :class:`watchword.gate.Gate`, apart from the verifier and the routes.

        With ``with_secret=False`` that of ``identity_secret_file`` is left out. Raises :class:`ConfigError` if the
        file cannot be read.
        """
        names = ("public_url", "resource", "realm", "identity_prefix")
        keywords = {name: self._settings[name] for name in names if name in self._settings}
        if with_secret and (secrets := self.identity_secrets()):
            keywords["identity_secret"] = secrets[0]
        return {**keywords, "proxy": TrustedProxy(**self._settings["proxy"])}

    @property
    def identity_secret_file(self) -> Path | None:
        """The file with the secrets that are sent with identity headers; ``None``: none is sent."""
        file = self._settings.get("identity_secret_file")
        return None if file is None else self._folder / file

    def identity_secrets(self) -> tuple[str, ...]:
        """Return the secrets of ``identity_secret_file`` in base64url, of which the first is sent; none without a file.

        Raises :class:`ConfigError` if it cannot be read.
        """
        path = self.identity_secret_file
        return () if path is None else tuple(text for text, _ in self._secrets("identity_secret_file", path))

    def verifier(
        self,
        *,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        clock: Callable[[], float] = time.time,
        issuers: Iterable[Issuer] | None = None,
        dpop: DpopVerifier | None = None,
    ) -> Verifier:
        """Return a new :class:`~watchword.Verifier` with the issuers, the token cache and the proofs' settings.

        ``fetcher``, ``on_event`` and ``clock`` (Unix seconds) are the Verifier's; ``issuers`` and ``dpop`` are
        used instead of those of the configuration. Raises :class:`ConfigError` if a file of the configuration cannot be
        read, or if two issuers claim the same tokens.
        """
        dpop = self.dpop_verifier(clock=clock) if dpop is None else dpop
        try:
            return Verifier(
                self.issuers if issuers is None else issuers,
                **self._token,
                dpop=dpop,
                token_cache=self.token_cache(),
                clock=clock,
                fetcher=fetcher,
                on_event=on_event,
            )
        except ValueError as error:
            raise ConfigError([self._problem("issuers", str(error))]) from error

    @property
    def token(self) -> Mapping[str, Any]:
        """What every issuer's tokens must fulfil, as keywords of :class:`~watchword.Verifier`."""
        return MappingProxyType(self._token)

    @property
    def replay(self) -> str:
        """Where used proofs are kept: ``"memory"``, ``"none"``, or the URL of a Redis server."""
        replay: str = self._settings["dpop"]["replay"]
        return replay

    @property
    def replay_capacity(self) -> int | None:
        """How many proofs fit into the memory of a process; ``None``: the default."""
        capacity: int | None = self._settings["dpop"].get("replay_capacity")
        return capacity

    @property
    def token_cache_bytes(self) -> int:
        """The size of the cache of verified tokens, in bytes; 0: there is none."""
        size: int = self._settings["token_cache_bytes"]
        return size

    def token_cache(self) -> TokenCache | None:
        """Return a new cache of verified tokens; ``None`` if ``max_bytes`` is 0."""
        return TokenCache(max_bytes=self.token_cache_bytes) if self.token_cache_bytes else None

    def dpop_verifier(
        self, *, clock: Callable[[], float] = time.time, replay: ReplayStore | AsyncReplayStore | None = None
    ) -> DpopVerifier:
        """Return a new :class:`watchword.dpop.DpopVerifier`; ``clock`` returns Unix seconds.

        ``replay`` is a store that is used instead of a new one.

        Raises :class:`ConfigError` if the keys of its nonces cannot be read, or if a package is missing.
        """
        settings = self._settings["dpop"]
        keywords = {name: settings[name] for name in ("max_age", "leeway", "algorithms") if name in settings}
        store = self._replay(settings) if replay is None else replay
        return DpopVerifier(replay=store, nonces=self._nonces(settings, clock), clock=clock, **keywords)

    def matching(self, method: str, path: str) -> tuple[str, list[tuple[Route, bool, bool]]]:
        """Return the normal form of a request's path, and for each route whether its path and its methods match.

        The first route of which both match is taken. Raises ``ValueError`` if the path is not one, or if two parsers
        could read it differently.
        """
        normal = _kernel.normal_path(path)
        matches = self._parsed.matches(method, normal)
        return normal, [(route, *match) for route, match in zip(self.routes, matches, strict=True)]

    @staticmethod
    def json_schema() -> str:
        """Return the JSON Schema (draft 2020-12) of a configuration, by which editors complete and check a file."""
        return _kernel.gate_config_schema()

    def watched_files(self) -> tuple[Path, ...]:
        """Return the files that are read once: if one changes, the configuration has to be loaded again.

        Files of keys are not among them: a Verifier notices when they change.
        """
        nonces = self._settings["dpop"].get("nonce_keys_file")
        files = (None if nonces is None else self._folder / nonces, self.identity_secret_file)
        return tuple(file for file in files if file is not None)

    def check_files(self) -> tuple[ConfigProblem, ...]:
        """Return what is wrong with the files that the configuration names; they are read for this."""
        problems = []
        for index, issuer in enumerate(self.issuers):
            if issuer.jwks_file is not None:
                found = _unusable(Path(issuer.jwks_file))
                if found is not None:
                    problems.append(self._problem(f"issuers[{index}].jwks_file", found))
        for read in (self.identity_secrets, lambda: self._nonces(self._settings["dpop"], time.time)):
            try:
                read()
            except ConfigError as error:
                problems.extend(error.problems)
        return tuple(problems)

    def __repr__(self) -> str:
        """Return the number of issuers and routes."""
        return f"GateConfig(issuers={len(self.issuers)}, routes={len(self.routes)})"

    def _issuers(self, problems: list[ConfigProblem]) -> Iterable[Issuer]:
        for index, keywords in enumerate(self._parsed.issuers):
            path = f"issuers[{index}]"
            try:
                keywords["cache_settings"] = CacheSettings(**keywords["cache_settings"])
            except (TypeError, ValueError) as error:
                problems.append(self._problem(f"{path}.cache", str(error)))
                keywords["cache_settings"] = CacheSettings()
            if "jwks_file" in keywords:
                keywords["jwks_file"] = str(self._folder / keywords["jwks_file"])
            try:
                yield Issuer(**keywords)
            except (TypeError, ValueError) as error:
                problems.append(self._problem(path, str(error)))

    def _problem(self, path: str, message: str) -> ConfigProblem:
        """Return a problem of the library's own checks; their messages begin with the name of the argument."""
        name = re.match(r"\w*", message)
        within = f"{path}.{name[0]}" if name else path
        if self._parsed.position(within) is not None:
            path = within
        line, column = self._parsed.position(path) or (None, None)
        return ConfigProblem(line, column, path, message)

    def _replay(self, settings: Mapping[str, Any]) -> ReplayStore | AsyncReplayStore | None:
        url = settings["replay"]
        if url == "none":
            return None
        if url == "memory":
            capacity = self.replay_capacity
            return MemoryReplayStore() if capacity is None else MemoryReplayStore(capacity)
        try:
            from watchword.dpop.redis import RedisReplayStore
        except ImportError:
            message = "needs the package redis: pip install 'watchword[redis]'"
            raise ConfigError([self._problem("dpop.replay", message)]) from None
        try:
            return RedisReplayStore(url)
        except ValueError:
            # Not its message, which may quote a URL with a password.
            raise ConfigError([self._problem("dpop.replay", "the URL of the Redis server is invalid")]) from None

    def _nonces(self, settings: Mapping[str, Any], clock: Callable[[], float]) -> Nonces | None:
        file, lifetime = settings.get("nonce_keys_file"), settings.get("nonce_lifetime")
        if file is None and lifetime is None:
            return None
        path = None if file is None else self._folder / file
        keys = None if path is None else [key for _, key in self._secrets("dpop.nonce_keys_file", path)]
        keywords = {} if lifetime is None else {"lifetime": lifetime}
        try:
            return Nonces(keys, clock=clock, **keywords)
        except ValueError as error:
            raise ConfigError([self._problem("dpop.nonce_keys_file", str(error))]) from None

    def _secrets(self, key: str, path: Path) -> list[tuple[str, bytes]]:
        """Return the secrets of a file that the configuration names: their base64url, and their bytes."""
        try:
            return _kernel.read_secrets(path.read_bytes())
        except OSError as error:
            message = f"{str(path)!r} can't be read: {error.strerror}"
            raise ConfigError([self._problem(key, message)]) from None
        except ValueError as error:
            raise ConfigError([self._problem(key, f"{str(path)!r}: {error}")]) from None


def _unusable(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            document = file.read(MAX_KEY_SET_BYTES + 1)
    except OSError as error:
        return f"{str(path)!r} can't be read: {error.strerror}"
    try:
        keys = KeySet._from_document(document, "default", "never")
    except ValueError as error:
        return f"{str(path)!r} has no readable keys: {error}"
    return None if len(keys) else f"{str(path)!r} has no usable key: `watchword keys` shows why"


__all__ = ["ConfigError", "ConfigProblem", "GateConfig"]
