"""Verifier: issuers, their policies and keys, and a clock."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from watchword import _kernel
from watchword import request as _request
from watchword._kernel import BatchResult, DpopProof, KeySet, TokenCache, UnverifiedProof, VerifiedToken
from watchword.arguments import as_audience, as_tuple
from watchword.batch import MergedResults
from watchword.batch_steps import verify_batch
from watchword.dpop import DpopVerifier
from watchword.errors import KeysUnavailableError, UnknownKeyError
from watchword.fetching import Verified, check_without_keys
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys, check_fetcher, check_token_cache, default_fetcher
from watchword.issuer_table import IssuerEntry, IssuerTable
from watchword.jwks.events import Listener, Stats
from watchword.request import Headers, Request, VerifiedRequest
from watchword.waiting import Pending, Steps, finish, finish_async, finish_in_threads

if TYPE_CHECKING:
    import types

    from watchword._kernel import AnyAudience
    from watchword.jwks.fetch import DefaultFetcher, Fetcher


class Verifier:
    """Verifies the tokens of one or several issuers, and fetches and caches their keys.

    Make one for the life of the process: it has the key caches. It may be used from any number of threads and event
    loops at once. Nothing is fetched before the first token needs it, or :meth:`refresh` is called.

    ``issuers`` are :class:`~watchword.Issuer` objects (a string stands for ``Issuer(string)``); :meth:`add_issuer` and
    :meth:`remove_issuer` change them later. ``audience``, ``algorithms``, ``types``, ``leeway`` (seconds),
    ``required``, ``bound_tokens``, ``scope_claims``, ``max_token_bytes`` and ``max_header_bytes`` (bytes) are as in
    :class:`~watchword.Policy`, for every issuer that does not set them itself. ``dpop`` verifies the DPoP proofs of
    requests (:class:`watchword.dpop.DpopVerifier`; by default one with a replay cache of this process).
    ``token_cache``, a :class:`watchword.TokenCache`, caches verified tokens (default: none); several Verifiers may
    share one, and :meth:`verify_many` does not use it. ``clock`` returns Unix seconds, used if ``now`` is ``None``.
    ``fetcher`` fetches keys (:class:`watchword.jwks.Fetcher`; ``watchword.jwks.HttpxFetcher(client)`` uses a client of
    yours); you close it yourself. ``on_event`` is called with a :class:`watchword.jwks.KeyEvent` for each event of a
    key cache, in the thread in which it happens, so it must not block. ``monotonic`` returns the seconds by which keys
    age; it is for tests.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid, or if two issuers claim the same tokens.
    """

    def __init__(
        self,
        issuers: Issuer | str | Iterable[Issuer | str],
        *,
        audience: str | Iterable[str] | AnyAudience | None = None,
        algorithms: Iterable[str] | None = None,
        types: Iterable[str | None] = _kernel.DEFAULT_TYPES,
        leeway: float = _kernel.DEFAULT_LEEWAY,
        required: Iterable[str] = _kernel.DEFAULT_REQUIRED,
        bound_tokens: Literal["reject", "accept"] = "reject",
        scope_claims: Iterable[str] = _kernel.DEFAULT_SCOPE_CLAIMS,
        max_token_bytes: int = _kernel.MAX_TOKEN_BYTES,
        max_header_bytes: int = _kernel.MAX_HEADER_BYTES,
        dpop: DpopVerifier | None = None,
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._requirements = _requirements(
            audience=audience,
            algorithms=algorithms,
            types=types,
            leeway=leeway,
            required=required,
            bound_tokens=bound_tokens,
            scope_claims=scope_claims,
            max_token_bytes=max_token_bytes,
            max_header_bytes=max_header_bytes,
        )
        check_fetcher(fetcher)
        check_token_cache(token_cache)
        self._clock = clock
        self._token_cache = token_cache
        self._verify_with = _kernel.verify if token_cache is None else token_cache.verify
        self._dpop = dpop if dpop is not None else DpopVerifier()
        self._fetcher = fetcher
        self._own_fetcher: DefaultFetcher | None = None
        self._monotonic = monotonic
        self._on_event = on_event
        self._closed = False
        self.after_fork()
        known = _issuers(issuers)
        # Replaced as a whole, and read once for each verification, which then uses the same table to its end.
        self._table = IssuerTable([self._open(issuer) for issuer in known], self._requirements)
        # Imported here, as it imports logging, which a process without a Verifier does not need.
        from watchword.fork_safety import register_after_fork

        register_after_fork(self)

    # Tokens.

    def verify(
        self,
        token: str | bytes,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken:
        """Verify a token as of ``now`` in Unix seconds (``None``: the clock's).

        ``proof`` is the DPoP proof sent with it, ``certificate`` the client certificate of the TLS connection, in DER,
        as in :func:`watchword.verify`; :meth:`verify_request` takes token and proof from a request. If the keys are
        cached, it does not wait; otherwise it waits for them, for a bounded time.

        Returns a :class:`~watchword.VerifiedToken`. Raises :class:`~watchword.VerificationError`, of which
        ``KeysUnavailableError`` is not the token's fault; ``TypeError`` for a token that is neither ``str`` nor
        ``bytes``, or a certificate that is not ``bytes``; ``ValueError`` for one that is not in DER.
        """
        # IssuerKeys.verify_current, inlined: one more call would take a tenth of the time of a cached token.
        table = self._table
        entry = table.only or table.find(token) or self._reject(table, token, now)
        keys = entry.source.current()
        if keys is not None:
            try:
                at = self._clock() if now is None else now
                return self._verify_with(token, keys, entry.policy, at, proof, certificate)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return finish(self.verify_fetching(token, now=now, proof=proof, certificate=certificate))

    async def verify_async(
        self,
        token: str | bytes,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting without blocking the event loop."""
        table = self._table
        entry = table.only or table.find(token) or self._reject(table, token, now)
        found = entry.keys.verify_current(token, entry.policy, now, proof, certificate)
        if found is None:
            found = await finish_async(self.verify_fetching(token, now=now, proof=proof, certificate=certificate))
        return found

    def verify_current(
        self,
        token: str | bytes,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken | None:
        """Verify a token with the keys that are cached: return ``None`` if keys would have to be fetched first."""
        table = self._table
        entry = table.only or table.find(token) or self._reject(table, token, now)
        return entry.keys.verify_current(token, entry.policy, now, proof, certificate)

    def verify_fetching(
        self,
        token: str | bytes,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> Steps[VerifiedToken]:
        """As :meth:`verify`, as steps for :func:`watchword.waiting.finish` or ``finish_async``."""

        def steps(entry: IssuerEntry, check_issuer: Callable[[], object]) -> Steps[VerifiedToken]:
            return entry.keys.verify_fetching(
                token, entry.policy, now=now, proof=proof, certificate=certificate, check_issuer=check_issuer
            )

        return self._fetch(token, now, steps)

    def verify_many(
        self, tokens: Iterable[str | bytes], *, now: float | Iterable[float] | None = None, threads: int | None = None
    ) -> BatchResult | MergedResults:
        """Verify many tokens as of ``now`` in Unix seconds, on ``threads`` threads (``None``: one per processor).

        ``now`` is one time for all tokens, or a list with the time of each. The keys are today's, whatever the time.

        Returns a sequence with what :meth:`verify` would return or raise for each of them, in their order; it also has
        ``valid_count`` and ``codes()``. Keys are fetched at most twice for each issuer, whatever the tokens are: if
        there are none, and for unknown kids. Raises ``TypeError`` if a token is neither ``str`` nor ``bytes``,
        ``ValueError`` if ``now`` lists another number of times.
        """
        return finish(self._verify_many(_as_list(tokens), now, threads))

    async def verify_many_async(
        self, tokens: Iterable[str | bytes], *, now: float | Iterable[float] | None = None, threads: int | None = None
    ) -> BatchResult | MergedResults:
        """As :meth:`verify_many`, without blocking the event loop: signatures are verified in other threads."""
        return await finish_in_threads(self._verify_many(_as_list(tokens), now, threads))

    # Requests.

    def verify_request(
        self,
        *,
        method: str,
        uri: str,
        headers: Headers,
        certificate: bytes | None = None,
        now: float | None = None,
    ) -> VerifiedRequest:
        """Verify the token of an HTTP request, and its DPoP proof if the scheme is ``DPoP`` (RFC 9449 section 7).

        The token is verified first; the proof only if the token is valid and bound to a key. ``uri`` is the absolute
        URI that the client requested; ``headers`` are a mapping, an object with ``items()``, pairs, or an ASGI server's
        pairs of bytes; ``certificate`` is the client certificate of the TLS connection, in DER; ``now`` is in Unix
        seconds (``None``: the clock's).

        Returns a :class:`~watchword.VerifiedRequest`. Raises :class:`~watchword.VerificationError`, whose
        ``http_status`` and ``www_authenticate()`` are the answer; ``ValueError`` if ``uri`` is not an absolute http or
        https URI.
        """
        return finish(
            self.verify_request_fetching(method=method, uri=uri, headers=headers, certificate=certificate, now=now)
        )

    async def verify_request_async(
        self,
        *,
        method: str,
        uri: str,
        headers: Headers,
        certificate: bytes | None = None,
        now: float | None = None,
    ) -> VerifiedRequest:
        """As :meth:`verify_request`, waiting without blocking the event loop."""
        return await finish_async(
            self.verify_request_fetching(method=method, uri=uri, headers=headers, certificate=certificate, now=now)
        )

    def verify_request_fetching(
        self,
        *,
        method: str,
        uri: str,
        headers: Headers,
        certificate: bytes | None = None,
        now: float | None = None,
    ) -> Steps[VerifiedRequest]:
        """As :meth:`verify_request`, as steps for :func:`watchword.waiting.finish` or ``finish_async``."""
        return _request.verify(self, self._dpop, Request(method, uri, headers, certificate), self._at(now))

    def _verify_bound_current(
        self, token: str, now: float, proof: UnverifiedProof, certificate: bytes | None
    ) -> tuple[VerifiedToken, DpopProof] | None:
        """Verify the token, then the proof, with the cached keys: ``None`` if keys would have to be fetched first."""
        table = self._table
        entry = table.only or table.find(token) or self._reject(table, token, now)
        return entry.keys.verify_request_current(token, entry.policy, proof, now, certificate)

    def _verify_bound(
        self, token: str, now: float, proof: UnverifiedProof, certificate: bytes | None
    ) -> Steps[tuple[VerifiedToken, DpopProof]]:
        """Verify the token, then the proof: if the key is cached, in one call of the kernel."""

        def steps(entry: IssuerEntry, check_issuer: Callable[[], object]) -> Steps[tuple[VerifiedToken, DpopProof]]:
            return entry.keys.verify_request_fetching(
                token, entry.policy, proof, now=now, certificate=certificate, check_issuer=check_issuer
            )

        return self._fetch(token, now, steps)

    # Keys.

    def refresh(self) -> None:
        """Fetch every issuer's keys now and wait for them: to fail early at start-up, or after a revocation.

        Raises :class:`~watchword.errors.KeysUnavailableError` if any of them are unavailable, after all were tried;
        cached keys stay in use within their bounds.
        """
        finish(self._refresh())

    async def refresh_async(self) -> None:
        """As :meth:`refresh`, without blocking the event loop."""
        await finish_async(self._refresh())

    def stats(self) -> dict[str, Stats]:
        """Return each issuer's counters and the state of its key cache, by the issuer's name."""
        return {name: entry.keys.stats() for name, entry in self._table.entries.items()}

    @property
    def token_cache(self) -> TokenCache | None:
        """The cache of verified tokens; ``None`` if there is none."""
        return self._token_cache

    @property
    def dpop(self) -> DpopVerifier:
        """What verifies the DPoP proofs of requests."""
        return self._dpop

    # Issuers.

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """The issuers whose tokens are accepted, in the order in which they were added."""
        return tuple(entry.issuer for entry in self._table.entries.values())

    def add_issuer(self, issuer: Issuer | str) -> None:
        """Accept the tokens of one more issuer. Nothing is fetched before its first token.

        May be called while other threads verify: verifications in progress are not affected. Raises ``ValueError`` if
        another issuer has the same name or claims the same tokens, or if the Verifier is closed.
        """
        (added,) = _issuers([issuer])
        with self._lock:
            if self._closed:
                raise ValueError("the verifier is closed")
            entry = self._open(added)
            try:
                self._table = self._table.with_issuer(entry)
            except BaseException:
                entry.keys.close()
                raise

    def remove_issuer(self, name: str) -> None:
        """Stop accepting tokens of the issuer of this name (``Issuer.issuer``), and drop its keys.

        May be called while other threads verify: a verification in progress accepts the token, or rejects it as
        ``wrong_issuer``. Its tokens in a :class:`~watchword.TokenCache` are not found any more, even if the issuer is
        added again. The last issuer may be removed, too: every token is then rejected. Raises ``ValueError`` if there
        is no such issuer.
        """
        with self._lock:
            entry = self._table.entries.get(name)
            if entry is None:
                raise ValueError(f"no issuer is named {name!r}; configured: {list(self._table.entries)}")
            self._table = self._table.without(entry)
        # After the table was replaced: a thread that finds the source closed finds the issuer removed, too.
        entry.keys.close()

    def close(self) -> None:
        """End what runs in the background and drop the keys. Never blocks; a second call has no effect.

        A Verifier that is garbage-collected needs no call.
        """
        with self._lock:
            self._closed = True
            table = self._table
        for entry in table.entries.values():
            entry.keys.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent may have held it."""
        # Reentrant, as a signal handler or a finalizer may call close() while its own thread is inside.
        self._lock = threading.RLock()

    def __enter__(self) -> Verifier:
        """Return the Verifier itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Verifier:
        """Return the Verifier itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the names of the issuers."""
        return f"Verifier({list(self._table.entries)!r})"

    # Steps that may wait, for threads and tasks alike.

    def _fetch(
        self,
        token: str | bytes,
        now: float | None,
        steps: Callable[[IssuerEntry, Callable[[], object]], Steps[Verified]],
    ) -> Steps[Verified]:
        """Run the steps of the token's issuer, and again if that issuer is removed meanwhile."""
        while True:
            table = self._table
            entry = table.only or table.find(token) or self._reject(table, token, now)
            try:
                # The tokens of a single issuer were not parsed before.
                return (yield from steps(entry, functools.partial(self._check_issuer, table, token, now)))
            except (KeysUnavailableError, UnknownKeyError, ValueError):
                if entry in self._table:
                    raise
            # Its issuer was removed meanwhile, with its keys.

    def _verify_many(
        self, tokens: list[str | bytes], now: float | Iterable[float] | None, threads: int | None
    ) -> Steps[BatchResult | MergedResults]:
        if isinstance(now, (str, bytes)):
            raise TypeError(f"now must be a number of Unix seconds or a list of them, not {type(now).__name__}")
        at = list(now) if isinstance(now, Iterable) else self._at(now)
        return verify_batch(lambda: self._table, tokens, at, threads)

    def _refresh(self) -> Steps[None]:
        entries = list(self._table.entries.values())
        pending: list[tuple[IssuerEntry, Pending[KeySet]]] = []
        failures = []
        for entry in entries:
            try:
                pending.append((entry, entry.source.refresh()))
            except ValueError:
                if entry in self._table:
                    raise
        for entry, one in pending:
            try:
                yield one
            except KeysUnavailableError as error:
                if entry in self._table:
                    failures.append(error.detail)
            except ValueError:
                if entry in self._table:
                    raise
        if failures:
            raise KeysUnavailableError("; ".join(failures))

    def _check_issuer(self, table: IssuerTable, token: str | bytes, now: float | None) -> None:
        if table.only is not None and table.find(token) is None:
            self._reject(table, token, now)

    def _reject(self, table: IssuerTable, token: str | bytes, now: float | None) -> NoReturn:
        """Raise the error of a token that names none of the issuers."""
        check_without_keys(token, table.unknown_issuer_policy, self._at(now))
        raise table.error(token)

    def _open(self, issuer: Issuer, requirements: Mapping[str, Any] | None = None) -> IssuerEntry:
        if issuer.is_remote and self._fetcher is None and self._own_fetcher is None:
            self._own_fetcher = default_fetcher()
        policy = issuer.policy(self._requirements if requirements is None else requirements)
        keys = IssuerKeys(
            issuer,
            token_cache=self._token_cache,
            clock=self._clock,
            fetcher=self._fetcher or self._own_fetcher,
            on_event=self._on_event,
            monotonic=self._monotonic,
        )
        return IssuerEntry.of(keys, policy)

    def _table_for(self, issuers: Iterable[Issuer], token: Mapping[str, Any]) -> IssuerTable:
        """Return a table of these issuers, with the keys of those that are configured already and have not changed.

        ``token`` is what is required of their tokens, as keywords of this class.
        """
        requirements = _requirements(**token)
        entries = []
        opened = []
        try:
            for issuer in _issuers(issuers):
                old = self._table.entries.get(issuer.issuer)
                if old is None or old.issuer != issuer:
                    opened.append(self._open(issuer, requirements))
                    entries.append(opened[-1])
                elif requirements == self._requirements:
                    entries.append(old)
                else:
                    entries.append(IssuerEntry.of(old.keys, issuer.policy(requirements)))
            return IssuerTable(entries, requirements)
        except BaseException:
            for entry in opened:
                entry.keys.close()
            raise

    def _replace(self, table: IssuerTable, token: Mapping[str, Any], dpop: DpopVerifier) -> None:
        """Replace the issuers, what is required of their tokens, and what verifies proofs."""
        with self._lock:
            old, self._table = self._table, table
            self._requirements = _requirements(**token)
            self._dpop = dpop
        _close_all_but(table, old)

    def _discard(self, table: IssuerTable) -> None:
        """Close the keys of a table that is not used after all."""
        _close_all_but(self._table, table)

    def _at(self, now: float | None) -> float:
        return self._clock() if now is None else now


def _close_all_but(kept: IssuerTable, dropped: IssuerTable) -> None:
    """Close the keys of ``dropped`` that ``kept`` does not have, too."""
    in_use = {id(entry.keys) for entry in kept.entries.values()}
    for entry in dropped.entries.values():
        if id(entry.keys) not in in_use:
            entry.keys.close()


def _requirements(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - of a Policy
    """Return the keywords of Policy, with the defaults for what is not given, and lists as tuples."""
    defaults: dict[str, Any] = {
        "audience": None,
        "algorithms": None,
        "types": _kernel.DEFAULT_TYPES,
        "leeway": _kernel.DEFAULT_LEEWAY,
        "required": _kernel.DEFAULT_REQUIRED,
        "bound_tokens": "reject",
        "scope_claims": _kernel.DEFAULT_SCOPE_CLAIMS,
        "max_token_bytes": _kernel.MAX_TOKEN_BYTES,
        "max_header_bytes": _kernel.MAX_HEADER_BYTES,
    }
    all_of_them = defaults | given
    all_of_them["audience"] = as_audience(all_of_them["audience"])
    for name in ("algorithms", "types", "required", "scope_claims"):
        all_of_them[name] = as_tuple(name, all_of_them[name])
    return all_of_them


def _issuers(given: Issuer | str | Iterable[Issuer | str]) -> list[Issuer]:
    several = [given] if isinstance(given, (Issuer, str)) else list(given)
    issuers = [Issuer(one) if isinstance(one, str) else one for one in several]
    if not issuers:
        raise ValueError("a Verifier needs at least one issuer")
    for issuer in issuers:
        if not isinstance(issuer, Issuer):
            raise TypeError("issuers must be Issuer objects or strings")
    names = [issuer.issuer for issuer in issuers]
    if len(set(names)) < len(names):
        raise ValueError("an issuer is given twice")
    return issuers


def _as_list(tokens: Iterable[str | bytes]) -> list[str | bytes]:
    if isinstance(tokens, (str, bytes)):
        raise TypeError("tokens must be a list of tokens, not one token")
    return list(tokens)
