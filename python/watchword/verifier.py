"""Verifier: issuers, what is demanded of their tokens, and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from watchword import _kernel
from watchword import request as _request
from watchword._kernel import BatchResult, DpopProof, KeySet, Policy, TokenCache, VerifiedToken
from watchword.batch import MergedResults
from watchword.dpop import DpopVerifier
from watchword.errors import KeysUnavailableError, UnknownKeyError, WrongIssuerError
from watchword.issuer import Issuer, as_audience, as_tuple
from watchword.jwks.clock import monotonic as _monotonic
from watchword.jwks.events import Listener, Stats
from watchword.jwks.source import KeySource
from watchword.jwks.waiting import Pending, Steps, finish, finish_async, finish_in_threads
from watchword.request import Headers, Request, VerifiedRequest
from watchword.slow_path import NO_KEYS, check_without_keys, verify_slowly

if TYPE_CHECKING:
    import types

    from watchword._kernel import _AnyAudience
    from watchword.jwks.fetch import DefaultFetcher, Fetcher

_NO_SUCH_ISSUER = "the token names no issuer that is configured"


@dataclass(frozen=True, slots=True)
class _Site:
    """One issuer, ready for work. With slots, which are read for every token."""

    policy: Policy
    source: KeySource
    owned: bool


class Verifier:
    """Verifies the tokens of one or several issuers, and looks after their keys.

    Make one for the life of the process: it holds the keys. It may be used from any number of threads and event loops
    at once. Nothing is fetched before the first token, or :meth:`refresh`, asks for it.

    ``issuers`` are :class:`~watchword.Issuer` objects (a string stands for ``Issuer(string)``). ``audience``,
    ``algorithms``, ``types``, ``leeway`` (seconds), ``required`` and ``bound_tokens`` are as in
    :class:`~watchword.Policy`, for every issuer that says nothing else. ``dpop`` judges the DPoP proofs
    of requests (:class:`watchword.dpop.DpopVerifier`; by default one with a memory of this process). ``cache``, a
    :class:`watchword.TokenCache`, remembers verified tokens (by default nothing does); several Verifiers may share one,
    and :meth:`verify_many` does without it. ``clock`` tells
    Unix seconds where ``now`` is left out. ``fetcher`` fetches keys (:class:`watchword.jwks.Fetcher`;
    ``watchword.jwks.HttpxFetcher(client)`` takes a client of yours); closing it stays with you. ``on_event`` is called
    with a :class:`watchword.jwks.KeyEvent` for everything that happens to keys, from whatever thread it happens in, so
    it must be quick. ``monotonic`` counts the seconds of keys' ages; it is there for tests.

    Raises ``TypeError`` or ``ValueError`` where these can't be meant.
    """

    def __init__(
        self,
        issuers: Issuer | str | Iterable[Issuer | str],
        *,
        audience: str | Iterable[str] | _AnyAudience | None = None,
        algorithms: Iterable[str] | None = None,
        types: Iterable[str | None] = ("JWT", "at+jwt", None),
        leeway: float = 5,
        required: Iterable[str] = ("exp",),
        bound_tokens: Literal["reject", "accept"] = "reject",
        dpop: DpopVerifier | None = None,
        cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        demands: dict[str, Any] = {
            "audience": as_audience(audience),
            "algorithms": as_tuple("algorithms", algorithms),
            "types": as_tuple("types", types),
            "leeway": leeway,
            "required": as_tuple("required", required),
            "bound_tokens": bound_tokens,
        }
        if fetcher is not None and (hasattr(fetcher, "stream") or not callable(getattr(fetcher, "get", None))):
            raise TypeError("fetcher must be a watchword.jwks.Fetcher; watchword.jwks.HttpxFetcher(client) makes one")
        self._clock = clock
        if cache is not None and not isinstance(cache, TokenCache):
            raise TypeError("cache must be a watchword.TokenCache")
        self._judge = _kernel.verify if cache is None else cache.verify
        self._dpop = dpop if dpop is not None else DpopVerifier()
        known = _issuers(issuers)
        self._own_fetcher = _default_fetcher() if fetcher is None and any(i.is_remote for i in known) else None
        self._sites = {
            issuer.issuer: _Site(
                Policy(issuer=issuer.issuer, **{**demands, **issuer.demands()}),
                issuer.open(fetcher or self._own_fetcher, monotonic or _monotonic, on_event),
                owned=issuer.source is None,
            )
            for issuer in known
        }
        self._only = next(iter(self._sites.values())) if len(self._sites) == 1 else None
        # For tokens of no configured issuer.
        self._strangers = Policy(issuer=tuple(self._sites), **demands)

    # Tokens.

    def verify(self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None) -> VerifiedToken:
        """Verifies a token as of the moment ``now`` in Unix seconds (``None``: by the clock).

        ``proof`` is the DPoP proof that came with it, as in :func:`watchword.verify`; :meth:`verify_request` takes both
        from a request. Where the keys are there it takes no longer than the arithmetic; else it waits for them, for a
        bounded time. Raises :class:`~watchword.VerificationError`: of its kinds, ``KeysUnavailableError`` is the only
        one that is not the token's fault. Raises ``TypeError`` for a token that is neither ``str`` nor ``bytes``.
        """
        site = self._only or self._choose(token, now)
        keys = site.source.current()
        if keys is not None:
            try:
                return self._judge(token, keys, site.policy, self._clock() if now is None else now, proof)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return finish(self._verify_slowly(site, token, now, proof))

    async def verify_async(
        self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting without blocking the event loop."""
        site = self._only or self._choose(token, now)
        keys = site.source.current()
        if keys is not None:
            try:
                return self._judge(token, keys, site.policy, self._clock() if now is None else now, proof)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return await finish_async(self._verify_slowly(site, token, now, proof))

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

        ``uri`` is the absolute URI that the client asked for; ``headers`` are a mapping, pairs, or an ASGI server's
        pairs of bytes. Returns a :class:`~watchword.VerifiedRequest`; raises :class:`~watchword.VerificationError`
        with the answer to give. See ``docs/dpop.md``.
        """
        at = self._at(now)
        return _request.verify(self, self._dpop, Request(method, uri, headers), at)

    async def verify_request_async(
        self, *, method: str, uri: str, headers: Headers, now: float | None = None
    ) -> VerifiedRequest:
        """As :meth:`verify_request`, waiting without blocking the event loop."""
        at = self._at(now)
        return await _request.verify_async(self, self._dpop, Request(method, uri, headers), at)

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
        return {name: site.source.stats() for name, site in self._sites.items()}

    def close(self) -> None:
        """Ends what runs in the background and drops the keys. Never blocks; a second call does nothing more.

        A Verifier that is simply dropped ends by itself too.
        """
        for site in self._sites.values():
            if site.owned:
                site.source.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

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
        return f"Verifier({list(self._sites)!r})"

    # What may have to wait, written once for threads and tasks.

    def _verify_slowly(
        self, site: _Site, token: str | bytes, now: float | None, proof: DpopProof | None
    ) -> Steps[VerifiedToken]:
        return verify_slowly(site.source, self._judge, token, site.policy, at=lambda: self._at(now), proof=proof)

    def _verify_many(
        self, tokens: list[str | bytes], now: float | None, threads: int | None
    ) -> Steps[BatchResult | MergedResults]:
        at = self._at(now)
        merged = MergedResults(len(tokens))

        def verify(places: Sequence[int], keys: KeySet, policy: Policy) -> list[int]:
            """Returns the places of tokens whose key is not in the set."""
            some = tokens if len(places) == len(tokens) else [tokens[i] for i in places]
            merged.put(places, _kernel.verify_many(some, keys, policy, at, threads))
            return merged.with_unknown_keys(places)

        ready: list[tuple[_Site, Sequence[int], KeySet]] = []
        waiting: list[tuple[_Site, Sequence[int], Pending[KeySet]]] = []
        for site, places in self._group(tokens):
            if site is None:
                merged.put_errors(
                    (i, WrongIssuerError(_NO_SUCH_ISSUER)._about(tokens[i]))
                    for i in verify(places, NO_KEYS, self._strangers)
                )
            elif (keys := site.source.current()) is not None:
                ready.append((site, places, keys))
            elif wanting := verify(places, NO_KEYS, site.policy):
                waiting.append((site, wanting, site.source.request()))
        # All requests are under way before the first is waited for.
        for site, places, requested in waiting:
            try:
                ready.append((site, places, (yield requested)))
            except KeysUnavailableError as error:
                merged.put_errors((i, KeysUnavailableError(error.detail)._about(tokens[i])) for i in places)
        asked: list[tuple[_Site, Sequence[int], Pending[KeySet | None]]] = []
        for site, places, keys in ready:
            if unknown := verify(places, keys, site.policy):
                key_ids = {_kernel.unverified_names(tokens[i]).key_id for i in unknown}
                asked.append((site, unknown, site.source.request_newer(keys, key_ids)))
        for site, places, wanted in asked:
            newer = yield wanted
            if newer is not None:
                verify(places, newer, site.policy)
        return merged.simplest()

    def _group(self, tokens: list[str | bytes]) -> Iterable[tuple[_Site | None, Sequence[int]]]:
        """The places of the tokens by the issuer that they name; ``None`` for none of ours."""
        if self._only is not None:
            return [(self._only, range(len(tokens)))]
        groups: dict[str | None, list[int]] = {}
        for place, token in enumerate(tokens):
            name = _kernel.unverified_names(token).issuer
            groups.setdefault(name if name in self._sites else None, []).append(place)
        return [(None if name is None else self._sites[name], places) for name, places in groups.items()]

    def _refresh(self) -> Steps[None]:
        pending = [site.source.refresh() for site in self._sites.values()]
        failures = []
        for one in pending:
            try:
                yield one
            except KeysUnavailableError as error:
                failures.append(error.detail)
        if failures:
            raise KeysUnavailableError("; ".join(failures))

    def _choose(self, token: str | bytes, now: float | None) -> _Site:
        """The issuer that the token names, before anything of the token is believed: it can only be one of ours."""
        name = _kernel.unverified_names(token).issuer
        site = self._sites.get(name) if name is not None else None
        if site is None:
            check_without_keys(token, self._strangers, self._at(now))
            raise WrongIssuerError(_NO_SUCH_ISSUER)._about(token)
        return site

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
