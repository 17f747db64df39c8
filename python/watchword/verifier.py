"""Verifier: issuers, what is demanded of their tokens, and a clock."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from watchword import _kernel
from watchword import request as _request
from watchword._kernel import BatchResult, DpopProof, KeySet, Policy, TokenCache, UnverifiedProof, VerifiedToken
from watchword.batch import MergedResults
from watchword.batch_steps import verify_batch
from watchword.dpop import DpopVerifier
from watchword.errors import KeysUnavailableError, UnknownKeyError
from watchword.issuer import Issuer, as_audience, as_tuple
from watchword.issuer_table import IssuerEntry, IssuerTable
from watchword.jwks.clock import monotonic as _monotonic
from watchword.jwks.events import Listener, Stats
from watchword.jwks.waiting import Pending, Steps, finish, finish_async, finish_in_threads
from watchword.request import Headers, Request, VerifiedRequest
from watchword.slow_path import Judge, Verified, check_without_keys, verify_slowly

if TYPE_CHECKING:
    import types

    from watchword._kernel import AnyAudience
    from watchword.jwks.fetch import DefaultFetcher, Fetcher


class Verifier:
    """Verifies the tokens of one or several issuers, and looks after their keys.

    Make one for the life of the process: it holds the keys. It may be used from any number of threads and event loops
    at once. Nothing is fetched before the first token, or :meth:`refresh`, asks for it.

    ``issuers`` are :class:`~watchword.Issuer` objects (a string stands for ``Issuer(string)``); :meth:`add_issuer` and
    :meth:`remove_issuer` change them later. ``audience``, ``algorithms``, ``types``, ``leeway`` (seconds),
    ``required``, ``bound_tokens``, ``scope_claims``, ``max_token_bytes`` and ``max_header_bytes`` are as in
    :class:`~watchword.Policy`, for every issuer that says nothing else. ``dpop`` judges the DPoP proofs
    of requests (:class:`watchword.dpop.DpopVerifier`; by default one with a memory of this process). ``token_cache``, a
    :class:`watchword.TokenCache`, remembers verified tokens (by default nothing does); several Verifiers may share one,
    and :meth:`verify_many` does without it. ``clock`` tells
    Unix seconds where ``now`` is left out. ``fetcher`` fetches keys (:class:`watchword.jwks.Fetcher`;
    ``watchword.jwks.HttpxFetcher(client)`` takes a client of yours); closing it stays with you. ``on_event`` is called
    with a :class:`watchword.jwks.KeyEvent` for everything that happens to keys, from whatever thread it happens in, so
    it must be quick. ``monotonic`` counts the seconds of keys' ages; it is there for tests.

    Raises ``TypeError`` or ``ValueError`` if the arguments are invalid, or if two issuers claim the same tokens.
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
        self._requirements: dict[str, Any] = {
            "audience": as_audience(audience),
            "algorithms": as_tuple("algorithms", algorithms),
            "types": as_tuple("types", types),
            "leeway": leeway,
            "required": as_tuple("required", required),
            "bound_tokens": bound_tokens,
            "scope_claims": as_tuple("scope_claims", scope_claims),
            "max_token_bytes": max_token_bytes,
            "max_header_bytes": max_header_bytes,
        }
        if fetcher is not None and (hasattr(fetcher, "stream") or not callable(getattr(fetcher, "get", None))):
            raise TypeError("fetcher must be a watchword.jwks.Fetcher; watchword.jwks.HttpxFetcher(client) makes one")
        self._clock = clock
        if token_cache is not None and not isinstance(token_cache, TokenCache):
            raise TypeError("token_cache must be a watchword.TokenCache")
        self._judge = _kernel.verify if token_cache is None else token_cache.verify
        self._judge_request = _kernel.verify_request if token_cache is None else token_cache.verify_request
        self._dpop = dpop if dpop is not None else DpopVerifier()
        self._fetcher = fetcher
        self._own_fetcher: DefaultFetcher | None = None
        self._monotonic = monotonic or _monotonic
        self._on_event = on_event
        self._closed = False
        self.after_fork()
        known = _issuers(issuers)
        # Replaced as a whole, and read once by whatever verifies: a verification in flight goes on with its own.
        self._table = IssuerTable([self._open(issuer) for issuer in known], self._requirements)
        # It needs logging, which those who make no Verifier need not import.
        from watchword.jwks.forks import mind_forks

        mind_forks(self)

    # Tokens.

    def verify(self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None) -> VerifiedToken:
        """Verifies a token as of the moment ``now`` in Unix seconds (``None``: by the clock).

        ``proof`` is the DPoP proof that came with it, as in :func:`watchword.verify`; :meth:`verify_request` takes both
        from a request. Where the keys are there it takes no longer than the arithmetic; else it waits for them, for a
        bounded time. Raises :class:`~watchword.VerificationError`: of its kinds, ``KeysUnavailableError`` is the only
        one that is not the token's fault. Raises ``TypeError`` for a token that is neither ``str`` nor ``bytes``.
        """
        table = self._table
        entry = table.only or table.find(token) or self._refuse(table, token, now)
        keys = entry.source.current()
        if keys is not None:
            try:
                return self._judge(token, keys, entry.policy, self._clock() if now is None else now, proof)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return finish(self._verify_slowly(token, now, self._judge, proof))

    async def verify_async(
        self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting without blocking the event loop."""
        table = self._table
        entry = table.only or table.find(token) or self._refuse(table, token, now)
        keys = entry.source.current()
        if keys is not None:
            try:
                return self._judge(token, keys, entry.policy, self._clock() if now is None else now, proof)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return await finish_async(self._verify_slowly(token, now, self._judge, proof))

    def verify_many(
        self, tokens: Iterable[str | bytes], *, now: float | None = None, threads: int | None = None
    ) -> BatchResult | MergedResults:
        """Verifies many tokens, all as of the moment ``now``, on ``threads`` threads (``None``: one a processor).

        Returns a sequence with what :meth:`verify` would return or raise for each of them, in their order; it also has
        ``valid_count`` and ``codes()``. Keys are fetched at most twice for each issuer, whatever the tokens hold: where
        there are none, and for kids that are not known.
        """
        return finish(self._verify_many(_as_list(tokens), now, threads))

    async def verify_many_async(
        self, tokens: Iterable[str | bytes], *, now: float | None = None, threads: int | None = None
    ) -> BatchResult | MergedResults:
        """As :meth:`verify_many`, with the arithmetic in other threads than the event loop's."""
        return await finish_in_threads(self._verify_many(_as_list(tokens), now, threads))

    # Requests.

    def verify_request(self, *, method: str, uri: str, headers: Headers, now: float | None = None) -> VerifiedRequest:
        """Verifies the token of an HTTP request, and the DPoP proof where it comes by that scheme (RFC 9449).

        The token is verified first; a proof is looked at only if the token is valid and bound to a key. ``uri`` is the
        absolute URI that the client asked for; ``headers`` are a mapping, an object with ``items()``, pairs, or an ASGI
        server's pairs of bytes. Returns a :class:`~watchword.VerifiedRequest`; raises
        :class:`~watchword.VerificationError` with the answer to give. See ``docs/dpop.md``.
        """
        at = self._at(now)
        return finish(_request.verify(self, self._dpop, Request(method, uri, headers), at))

    async def verify_request_async(
        self, *, method: str, uri: str, headers: Headers, now: float | None = None
    ) -> VerifiedRequest:
        """As :meth:`verify_request`, waiting without blocking the event loop."""
        at = self._at(now)
        return await finish_async(_request.verify(self, self._dpop, Request(method, uri, headers), at))

    def _verify_bearer(self, token: str, now: float) -> Steps[VerifiedToken]:
        return self._verify_slowly(token, now, self._judge)

    def _verify_bound(self, token: str, now: float, proof: UnverifiedProof) -> Steps[tuple[VerifiedToken, DpopProof]]:
        """The token, then the proof: if the key is there, in one call of the kernel."""
        judge = self._judge_request

        def verify(
            token: str | bytes, keys: KeySet, policy: Policy, at: float, _: object
        ) -> tuple[VerifiedToken, DpopProof]:
            return judge(token, keys, policy, at, proof)

        return self._verify_slowly(token, now, verify)

    # Keys.

    def refresh(self) -> None:
        """Fetches every issuer's keys now and waits for them: to fail early at start-up, or after a revocation.

        Raises :class:`~watchword.errors.KeysUnavailableError` where any of them could not be had, after all were tried;
        the keys that are held stay in use within their bounds.
        """
        finish(self._refresh())

    async def refresh_async(self) -> None:
        """As :meth:`refresh`, without blocking the event loop."""
        await finish_async(self._refresh())

    def stats(self) -> dict[str, Stats]:
        """Each issuer's counters, and how its keys stand now."""
        return {name: entry.source.stats() for name, entry in self._table.entries.items()}

    # Issuers.

    def add_issuer(self, issuer: Issuer | str) -> None:
        """Accepts the tokens of one more issuer from now on. Nothing is fetched before its first token.

        May be called while other threads verify: a verification in flight does not notice. Raises ``ValueError`` if
        another issuer has the same name, or claims the same tokens, and if the Verifier is closed.
        """
        (added,) = _issuers([issuer])
        with self._lock:
            if self._closed:
                raise ValueError("the verifier is closed")
            entry = self._open(added)
            try:
                self._table = self._table.with_issuer(entry)
            except BaseException:
                entry.close()
                raise

    def remove_issuer(self, name: str) -> None:
        """Accepts no more tokens of the issuer of this name (``Issuer.issuer``), and drops its keys.

        May be called while other threads verify: one that is in flight accepts the token, or refuses it with
        ``wrong_issuer``. Tokens that a :class:`~watchword.TokenCache` remembers are not found any more, even if the
        issuer is added again. The last issuer may go, too: then every token is refused. Raises ``ValueError`` if there
        is no such issuer.
        """
        with self._lock:
            entry = self._table.entries.get(name)
            if entry is None:
                raise ValueError(f"no issuer is named {name!r}; configured: {list(self._table.entries)}")
            self._table = self._table.without(entry)
        # After the swap: whoever finds the source closed finds that the issuer is gone, too.
        entry.close()

    def close(self) -> None:
        """Ends what runs in the background and drops the keys. Never blocks; a second call does nothing more.

        A Verifier that is simply dropped ends by itself too.
        """
        with self._lock:
            self._closed = True
            table = self._table
        for entry in table.entries.values():
            entry.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

    def after_fork(self) -> None:
        """Makes a new lock: another thread of the parent may have held it."""
        # Reentrant, as a signal handler or a finalizer may call close() while its own thread is inside.
        self._lock = threading.RLock()

    def __enter__(self) -> Verifier:
        """The Verifier itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    async def __aenter__(self) -> Verifier:
        """The Verifier itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        """The issuers."""
        return f"Verifier({list(self._table.entries)!r})"

    # What may have to wait, written once for threads and tasks.

    def _verify_slowly(
        self, token: str | bytes, now: float | None, judge: Judge[Verified], proof: DpopProof | None = None
    ) -> Steps[Verified]:
        while True:
            table = self._table
            entry = table.only or table.find(token) or self._refuse(table, token, now)
            # A single issuer's tokens are not looked at before they are verified; nothing is fetched for another's.
            check_issuer = None if table.only is None else functools.partial(self._check_issuer, table, token, now)
            at = functools.partial(self._at, now)
            try:
                return (
                    yield from verify_slowly(
                        entry.source, judge, token, entry.policy, at=at, proof=proof, check_issuer=check_issuer
                    )
                )
            except (KeysUnavailableError, UnknownKeyError, ValueError):
                if entry in self._table:
                    raise
            # Its issuer was removed meanwhile, and its keys with it: the token is another's now, or nobody's.

    def _verify_many(
        self, tokens: list[str | bytes], now: float | None, threads: int | None
    ) -> Steps[BatchResult | MergedResults]:
        return verify_batch(lambda: self._table, tokens, self._at(now), threads)

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
        if table.find(token) is None:
            self._refuse(table, token, now)

    def _refuse(self, table: IssuerTable, token: str | bytes, now: float | None) -> NoReturn:
        """Raises what is wrong with a token that names none of the issuers."""
        check_without_keys(token, table.unknown_issuer_policy, self._at(now))
        raise table.error(token)

    def _open(self, issuer: Issuer) -> IssuerEntry:
        if issuer.is_remote and self._fetcher is None and self._own_fetcher is None:
            self._own_fetcher = _default_fetcher()
        policy = issuer.policy(self._requirements)
        source = issuer.open(self._fetcher or self._own_fetcher, self._monotonic, self._on_event)
        return IssuerEntry(issuer, policy, source)

    def _at(self, now: float | None) -> float:
        return self._clock() if now is None else now


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


def _default_fetcher() -> DefaultFetcher:
    from watchword.jwks.fetch import DefaultFetcher

    return DefaultFetcher()
