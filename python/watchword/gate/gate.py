"""Gate: a Verifier, routes and settings, and the decision on each request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter as _perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from watchword._kernel import Decision, TokenCacheStats, UnusedProof
from watchword.gate.config import GateConfig
from watchword.gate.guard import Guard, pairs
from watchword.gate.metadata import metadata_document
from watchword.gate.route import Requirements, Route
from watchword.gate.state import Settings, State, check_issuers, compile_state
from watchword.gate.steps import RequestToken, decide, use_proof
from watchword.gate.trusted_proxy import TrustedProxy
from watchword.jwks.events import Stats
from watchword.request import Headers
from watchword.verifier import Verifier
from watchword.waiting import Steps, finish, finish_async

if TYPE_CHECKING:
    import os
    import types

    from watchword.dpop import DpopVerifier
    from watchword.issuer_table import IssuerTable
    from watchword.jwks.events import Listener
    from watchword.jwks.fetch import Fetcher

#: Called after each check with the decision, and the seconds that it took.
OnVerdict = Callable[[Decision, float], object]


@dataclass(frozen=True)
class GateStats:
    """What a gate holds at one moment.

    ``issuers`` are the counters of each issuer's keys, by name; ``token_cache`` the counters of the token cache
    (``None``: there is none); ``replay_size`` and ``replay_capacity`` the number of proofs that the replay store has
    and can have (``None``: the store does not say).
    """

    issuers: Mapping[str, Stats]
    token_cache: TokenCacheStats | None
    replay_size: int | None
    replay_capacity: int | None


class Gate:
    """Decides on requests: which route, which token, what it may do. Make one for the life of the process.

    ``verifier`` verifies tokens and proofs: its issuers, token cache, replay store and clock are used. ``routes`` are
    tried in their order; a request that matches none is rejected. ``public_url`` is the scheme and host by which
    clients call the application, or a list of them (:class:`watchword.origin.PublicOrigin`): DPoP proofs are made for
    it. ``resource`` is the resource identifier (RFC 9728; by default the first ``public_url``), ``resource_metadata``
    the URL of its metadata (by default the well-known URL of ``resource``), ``realm`` that of challenges. Headers that
    begin with ``identity_prefix`` are the gate's: what a client sends under such names must not reach the application.
    ``identity_secret``, base64url of 32 bytes or more, is sent with them, so that an application in another process can
    tell that they are the gate's (:class:`watchword.gate.IdentityHeaders`). ``proxy`` is what one trusted proxy says of
    a request. ``on_verdict`` is called with each :class:`Decision` and the seconds that it took; an exception in it is
    logged.

    It may be used from any number of threads and event loops at once. Raises ``TypeError`` or ``ValueError`` if an
    argument is invalid.
    """

    def __init__(
        self,
        verifier: Verifier,
        routes: Iterable[Route] = (),
        *,
        public_url: str | Iterable[str],
        resource: str | None = None,
        resource_metadata: str | None = None,
        realm: str | None = None,
        identity_prefix: str = "X-Auth-",
        identity_secret: str | None = None,
        proxy: TrustedProxy | None = None,
        on_verdict: OnVerdict | None = None,
    ) -> None:
        if not isinstance(verifier, Verifier):
            raise TypeError(f"verifier must be a watchword.Verifier, not {type(verifier).__name__}")
        self.verifier = verifier
        self.on_verdict = on_verdict
        self._config: GateConfig | None = None
        settings = Settings.of(
            public_url=public_url,
            resource=resource,
            resource_metadata=resource_metadata,
            realm=realm,
            identity_prefix=identity_prefix,
            identity_secret=identity_secret,
            proxy=proxy,
        )
        # Replaced as a whole, and read once for each request, which then uses the same state to its end.
        self._state = self._compile(verifier._table, verifier._dpop, _checked(routes, verifier._table), settings)
        self.after_fork()
        from watchword.fork_safety import register_after_fork  # imports logging

        register_after_fork(self)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        on_verdict: OnVerdict | None = None,
    ) -> Gate:
        """Return the gate that a TOML file describes (JSON, if its name ends in ``.json``); see :class:`GateConfig`.

        ``fetcher`` and ``on_event`` are the Verifier's. Raises :class:`ConfigError` if the file is invalid, ``OSError``
        if it cannot be read.
        """
        config = GateConfig.from_file(path)
        return cls.from_config(config, fetcher=fetcher, on_event=on_event, on_verdict=on_verdict)

    @classmethod
    def from_config(
        cls,
        config: GateConfig,
        *,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        on_verdict: OnVerdict | None = None,
        dpop: DpopVerifier | None = None,
    ) -> Gate:
        """Return the gate of a configuration. Raises :class:`ConfigError` if it is invalid.

        ``dpop`` verifies proofs instead of what the configuration describes.
        """
        verifier = config.verifier(fetcher=fetcher, on_event=on_event, dpop=dpop)
        gate = cls(verifier, config.routes, **config.gate_keywords(), on_verdict=on_verdict)
        gate._config = config
        return gate

    # Requests.

    def check(
        self,
        *,
        method: str,
        target: str | bytes,
        headers: Headers,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
        now: float | None = None,
    ) -> Decision:
        """Decide on a request as of ``now`` in Unix seconds (``None``: the clock's).

        ``target`` is the path with the query, as it was received; ``headers`` are pairs (an ASGI server's pairs of
        bytes), a mapping, or an object with ``items()``. ``certificate`` is the one that the client presented on this
        TLS connection, in DER or PEM. ``form`` is the beginning of a form in the body, for a second call after a
        request was rejected as ``missing_token``: the answer then says why a token in it is not accepted.

        Returns a :class:`Decision`, whatever a client sent. Raises ``TypeError`` or ``ValueError`` if an argument is
        invalid.
        """
        found = self.check_steps(
            method=method, target=target, headers=headers, certificate=certificate, form=form, now=now
        )
        return found if isinstance(found, Decision) else finish(found)

    async def check_async(
        self,
        *,
        method: str,
        target: str | bytes,
        headers: Headers,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
        now: float | None = None,
    ) -> Decision:
        """As :meth:`check`, waiting without blocking the event loop."""
        found = self.check_steps(
            method=method, target=target, headers=headers, certificate=certificate, form=form, now=now
        )
        return found if isinstance(found, Decision) else await finish_async(found)

    def check_steps(
        self,
        *,
        method: str,
        target: str | bytes,
        headers: Headers,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
        now: float | None = None,
    ) -> Decision | Steps[Decision]:
        """As :meth:`check`: return the decision, or the steps to it if it may have to wait.

        The steps are for :func:`watchword.waiting.finish` or ``finish_async``. They are for code that must not pay for
        a coroutine if the keys and the token are cached.
        """
        begin = _perf_counter() if self.on_verdict is not None else 0.0
        verifier, state = self.verifier, self._state
        if state.only is not None and state.table is verifier._table:
            keys = state.only.current()
            if keys is not None:
                at = verifier._clock() if now is None else now
                nonces = None if state.nonces is None else state.nonces.valid(now=at)
                checked = state.rules.check(method, target, headers, at, keys, nonces, state.cache, certificate, form)
                if isinstance(checked, Decision):
                    if self.on_verdict is not None:
                        self._report(checked, _perf_counter() - begin)
                    return checked
                if isinstance(checked, UnusedProof):
                    return self._reported(use_proof(checked, state.dpop, at), begin)
        return self._reported(self._steps(None, method, target, headers, None, certificate, form, now), begin)

    def failed(self, error: BaseException) -> Decision:
        """Return the decision for an exception in the code around the gate: the request is rejected, and it is logged.

        The code is ``internal_error``, the status 500.
        """
        decision = self._state.rules.failed()
        _log().error("a request was rejected because of an exception", exc_info=error)
        self._report(decision, 0.0)
        return decision

    # Requirements and routes.

    def guard(self, **requirements: Any) -> Guard:  # noqa: ANN401 - those of Requirements
        """Return a :class:`Guard` for requests whose route a framework has chosen.

        ``requirements`` are those of :class:`Route`, except ``path``, ``methods`` and ``public``. Raises ``TypeError``
        or ``ValueError`` if they are invalid.
        """
        required = Requirements(**requirements)
        check_issuers(self.verifier._table, [required])
        return Guard(self, required)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, in the order in which they are tried."""
        return self._state.routes

    def reload(self, new: GateConfig | Iterable[Route]) -> None:
        """Replace all routes at once; with a :class:`GateConfig`, the issuers and all settings, too.

        Requests that are being checked keep the old ones. Issuers that have not changed keep their keys, and proofs
        stay used unless the configuration names another replay store. ``on_verdict`` and the token cache stay. Raises
        ``TypeError`` or ``ValueError`` (:class:`ConfigError`) if something is invalid, or if ``resource`` is another;
        everything then stays.
        """
        verifier = self.verifier
        with self._lock:
            if not isinstance(new, GateConfig):
                routes = _checked(new, verifier._table)
                self._state = self._compile(verifier._table, verifier._dpop, routes, self._state.settings)
                return
            settings = Settings.of(**new.gate_keywords())
            if settings.resource != self.resource:
                # Its metadata is published under a path of its own, and clients have tokens for it.
                raise ValueError(f"resource is {settings.resource!r}: it cannot change while the gate is in use")
            is_same_store = self._config is None or self._config.replay == new.replay
            replay = verifier._dpop.replay if is_same_store else None
            dpop = new.dpop_verifier(clock=verifier._clock, replay=replay)
            table = verifier._table_for(new.issuers, new.token)
            try:
                self._state = self._compile(table, dpop, _checked(new.routes, table), settings)
            except BaseException:
                verifier._discard(table)
                raise
            verifier._replace(table, new.token, dpop)
            self._config = new

    def compiled(self) -> State:
        """Return what requests are checked by at this moment: the rules, the issuers with their keys, the caches.

        It is for servers that check requests without Python.
        """
        return self._current()

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent may have held it."""
        self._lock = threading.RLock()

    # The protected resource's metadata (RFC 9728).

    @property
    def resource(self) -> str:
        """The resource identifier: the URL by which clients name this service to authorization servers (RFC 8707)."""
        return self._state.settings.resource

    def metadata(self) -> dict[str, Any]:
        """Return the metadata document: it may be published without a token."""
        state = self._current()
        scopes = [scope for route in state.routes for scope in route.scopes if "{" not in scope]
        supported = None if self._config is None else self._config.scopes_supported
        protected = [route for route in state.routes if not route.public]
        return metadata_document(
            self.resource,
            issuers=[entry.issuer.issuer for entry in state.entries if "://" in entry.issuer.issuer],
            scopes=scopes if supported is None else supported,
            algorithms=self.verifier._dpop.algorithms,
            dpop_required=bool(protected) and all(route.dpop == "required" for route in protected),
        )

    @property
    def metadata_path(self) -> str:
        """The path at which the metadata document has to be served."""
        return urlsplit(self._state.settings.metadata_url).path

    # Keys and counters.

    def refresh(self) -> None:
        """Fetch every issuer's keys now; see :meth:`watchword.Verifier.refresh`."""
        self.verifier.refresh()

    async def refresh_async(self) -> None:
        """As :meth:`refresh`, without blocking the event loop."""
        await self.verifier.refresh_async()

    def stats(self) -> GateStats:
        """Return what the gate holds: keys, tokens, proofs."""
        cache, store = self.verifier._token_cache, self.verifier._dpop.replay
        size = getattr(store, "__len__", None)
        return GateStats(
            issuers=self.verifier.stats(),
            token_cache=None if cache is None else cache.stats(),
            replay_size=None if size is None else size(),
            replay_capacity=getattr(store, "capacity", None),
        )

    def close(self) -> None:
        """Close the Verifier."""
        self.verifier.close()

    def __enter__(self) -> Gate:
        """Return the gate itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Gate:
        """Return the gate itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the number of routes and the issuers."""
        return f"Gate(routes={len(self._state.routes)}, verifier={self.verifier!r})"

    # One check.

    def _check(self, *request: Any) -> Decision:  # noqa: ANN401 - the arguments of _steps
        return finish(self._reported(self._steps(*request), _perf_counter()))

    async def _check_async(self, *request: Any) -> Decision:  # noqa: ANN401 - the arguments of _steps
        return await finish_async(self._reported(self._steps(*request), _perf_counter()))

    def _reported(self, steps: Steps[Decision], begin: float) -> Steps[Decision]:
        decision = yield from steps
        if self.on_verdict is not None:
            self._report(decision, _perf_counter() - begin)
        return decision

    def _steps(
        self,
        guard: Guard | None,
        method: str,
        target: str | bytes,
        headers: Headers,
        variables: Mapping[str, object] | None,
        certificate: bytes | str | None,
        form: bytes | None,
        now: float | None,
    ) -> Steps[Decision]:
        """Decide on a request, with the requirements of ``guard``, or of its route."""
        while True:
            state = self._current()
            at = self._at(now)
            request = (method, target, headers, at, certificate, form)
            if guard is None:
                sent = state.rules.read(*request)
            else:
                sent = state.rules.read_for(guard._for(state), pairs(variables), *request)
            if isinstance(sent, Decision):
                return sent
            entry = state.entries[sent.issuer]
            dpop = state.dpop
            try:
                decision = yield from decide(RequestToken(sent, at, dpop, state.cache), entry.source, dpop, at)
            except ValueError:
                if entry in self.verifier._table:
                    raise
            else:
                if decision.code not in ("keys_unavailable", "unknown_key") or entry in self.verifier._table:
                    return decision
            # Its issuer was removed meanwhile, with its keys.

    def _report(self, decision: Decision, seconds: float) -> None:
        hook = self.on_verdict
        if hook is None:
            return
        try:
            hook(decision, seconds)
        except Exception:
            _log().exception("on_verdict raised an exception")

    def _at(self, now: float | None) -> float:
        return self.verifier._clock() if now is None else now

    def _current(self) -> State:
        """Return the state for the Verifier's issuers, compiled anew if they have changed."""
        state = self._state
        if state.table is self.verifier._table:
            return state
        with self._lock:
            state, verifier = self._state, self.verifier
            if state.table is not verifier._table:
                self._state = state = self._compile(verifier._table, verifier._dpop, state.routes, state.settings)
        return state

    def _compile(self, table: IssuerTable, dpop: DpopVerifier, routes: tuple[Route, ...], settings: Settings) -> State:
        return compile_state(table, dpop, self.verifier._token_cache, routes, settings)


def _checked(routes: Iterable[Route], table: IssuerTable) -> tuple[Route, ...]:
    checked = tuple(routes)
    for route in checked:
        if not isinstance(route, Route):
            raise TypeError(f"routes must be watchword.gate.Route objects, not {type(route).__name__}")
    check_issuers(table, checked)
    return checked


def _log() -> Any:  # noqa: ANN401 - a Logger
    import logging  # not needed by a gate without exceptions

    return logging.getLogger("watchword.gate")


__all__ = ["Gate", "GateStats", "OnVerdict"]
