"""IssuerKeys: one issuer's key source, and tokens verified with its keys."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Literal

from watchword import _kernel
from watchword._kernel import DpopProof, KeySet, Policy, TokenCache, UnverifiedProof, VerifiedToken
from watchword.configured_issuers import ConfiguredIssuers
from watchword.errors import UnknownKeyError
from watchword.fetching import NO_KEYS, SingleToken, Verified, check_without_keys
from watchword.issuer import Issuer
from watchword.jwks.clock import monotonic as _monotonic
from watchword.jwks.events import Listener, Stats
from watchword.waiting import Steps, finish, finish_async

if TYPE_CHECKING:
    import types

    from watchword.jwks.fetch import DefaultFetcher, Fetcher


class IssuerKeys:
    """The keys of one :class:`~watchword.Issuer`, and what verifies tokens with them.

    A :class:`~watchword.Verifier` has one policy for each issuer; here the policy is given with each token, and the
    issuer's own requirements are not used. Caching and fetching are the same: a token that is invalid whatever the key
    never causes a fetch, and an unknown ``kid`` causes one in each cooldown. It may be used from any number of threads
    and event loops at once.

    Nothing is fetched for a token of another issuer: ``accepted_issuers`` are the values of ``iss`` (``None``: no
    ``iss``) that the policies accept, ``"configured"`` stands for those of ``issuer``, and ``"any"`` for all.
    ``token_cache`` caches verified tokens. ``clock`` returns Unix seconds, used if ``now`` is ``None``. ``fetcher``
    fetches the keys (:class:`watchword.jwks.Fetcher`); closing it stays with you. ``on_event`` is called with each
    :class:`watchword.jwks.KeyEvent`. ``monotonic`` returns the seconds by which keys age; it is for tests.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        issuer: Issuer | str,
        *,
        accepted_issuers: Collection[str | None] | Literal["configured", "any"] = "configured",
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        if isinstance(accepted_issuers, str) and accepted_issuers not in ("configured", "any"):
            raise ValueError('accepted_issuers must be a list of issuers, "configured" or "any"')
        check_token_cache(token_cache)
        check_fetcher(fetcher)
        self.issuer = Issuer(issuer) if isinstance(issuer, str) else issuer
        self._accepted_issuers = accepted_issuers
        self._configured: ConfiguredIssuers | None = None  # made on first use: a Verifier has one of its own
        self._verify = _kernel.verify if token_cache is None else token_cache.verify
        self._verify_request = _kernel.verify_request if token_cache is None else token_cache.verify_request
        self._clock = clock
        self._own_fetcher: DefaultFetcher | None = None
        if fetcher is None and self.issuer.is_remote:
            fetcher = self._own_fetcher = default_fetcher()
        self.source = self.issuer.open(fetcher, monotonic or _monotonic, on_event)

    # Tokens.

    def verify(
        self,
        token: str | bytes,
        policy: Policy,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken:
        """Verify a token as of ``now`` in Unix seconds (``None``: the clock's), as :meth:`watchword.Verifier.verify`.

        Returns a :class:`~watchword.VerifiedToken`; raises :class:`~watchword.VerificationError`.
        """
        return self.verify_current(token, policy, now, proof, certificate) or finish(
            self.verify_fetching(token, policy, now=now, proof=proof, certificate=certificate)
        )

    async def verify_async(
        self,
        token: str | bytes,
        policy: Policy,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting without blocking the event loop."""
        found = self.verify_current(token, policy, now, proof, certificate)
        if found is None:
            found = await finish_async(
                self.verify_fetching(token, policy, now=now, proof=proof, certificate=certificate)
            )
        return found

    def verify_current(
        self,
        token: str | bytes,
        policy: Policy,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken | None:
        """Verify a token with the keys that are cached: return ``None`` if keys would have to be fetched first."""
        keys = self.source.current()
        if keys is not None:
            try:
                return self._verify(token, keys, policy, self._clock() if now is None else now, proof, certificate)
            except UnknownKeyError:
                pass  # perhaps there are newer keys
        return None

    def verify_request_current(
        self,
        token: str | bytes,
        policy: Policy,
        proof: UnverifiedProof,
        now: float | None = None,
        certificate: bytes | None = None,
    ) -> tuple[VerifiedToken, DpopProof] | None:
        """As :meth:`verify_current`, for a token and then its proof, in one call of the kernel."""
        keys = self.source.current()
        if keys is not None:
            with contextlib.suppress(UnknownKeyError):  # perhaps there are newer keys
                return self._verify_request(token, keys, policy, self.at(now), proof, certificate)
        return None

    def verify_fetching(
        self,
        token: str | bytes,
        policy: Policy,
        *,
        now: float | None = None,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
        check_issuer: Callable[[], object] | None = None,
    ) -> Steps[VerifiedToken]:
        """As :meth:`verify`, as steps for :func:`watchword.waiting.finish` or ``finish_async``.

        ``check_issuer`` replaces the check of ``accepted_issuers``: it is called before anything is fetched, and raises
        if the token is of another issuer.
        """
        return self._fetch(
            token,
            policy,
            lambda keys, at: self._verify(token, keys, policy, at, proof, certificate),
            now,
            check_issuer,
        )

    def verify_request_fetching(
        self,
        token: str | bytes,
        policy: Policy,
        proof: UnverifiedProof,
        *,
        now: float | None = None,
        certificate: bytes | None = None,
        check_issuer: Callable[[], object] | None = None,
    ) -> Steps[tuple[VerifiedToken, DpopProof]]:
        """As :meth:`verify_fetching`, for a token and then its proof, in one call of the kernel."""
        return self._fetch(
            token,
            policy,
            lambda keys, at: self._verify_request(token, keys, policy, at, proof, certificate),
            now,
            check_issuer,
        )

    def at(self, now: float | None) -> float:
        """Return ``now``, or the clock's Unix seconds if it is ``None``."""
        return self._clock() if now is None else now

    # Keys.

    def can_verify(self, algorithm: str) -> bool:
        """Return whether one of the cached keys is for this algorithm."""
        return any(algorithm in key.algorithms for key in self.source.current() or ())

    def refresh(self) -> None:
        """Fetch the keys now.

        Raises :class:`~watchword.KeysUnavailableError` if that fails; cached keys stay in use within their bounds.
        """
        self.source.refresh().result()

    async def refresh_async(self) -> None:
        """As :meth:`refresh`, without blocking the event loop."""
        await self.source.refresh().result_async()

    def stats(self) -> Stats:
        """Return the counters of the keys."""
        return self.source.stats()

    def close(self) -> None:
        """End what runs in the background and drop the keys. A source that the issuer was given stays open."""
        if self.issuer.source is None:
            self.source.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

    def __enter__(self) -> IssuerKeys:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Name the issuer."""
        return f"IssuerKeys({self.issuer.issuer!r})"

    def _fetch(
        self,
        token: str | bytes,
        policy: Policy,
        verify: Callable[[KeySet, float], Verified],
        now: float | None,
        check_issuer: Callable[[], object] | None,
    ) -> Steps[Verified]:
        at = functools.partial(self.at, now)
        check = check_issuer or functools.partial(self._check_issuer, token)
        return SingleToken(token, policy, verify, at, check).verify_fetching(self.source)

    def _check_issuer(self, token: str | bytes) -> None:
        if self._accepted_issuers == "any":
            return
        names = _kernel.unverified_names(token, len(token), len(token))  # the kernel has checked its size before
        if self._configured is None:
            self._configured = ConfiguredIssuers([self.issuer])
        if self._accepted_issuers == "configured":
            accepted = self._configured.table.find_by_names(names.issuer, names.subject) is not None
        else:
            accepted = names.issuer in self._accepted_issuers
        if not accepted:
            raise self._configured.error(names.issuer).about(token)


def check_fetcher(fetcher: Fetcher | None) -> None:
    """Raise ``TypeError`` for what is not a fetcher, an HTTP client above all."""
    if fetcher is not None and (hasattr(fetcher, "stream") or not callable(getattr(fetcher, "get", None))):
        raise TypeError("fetcher must be a watchword.jwks.Fetcher; watchword.jwks.HttpxFetcher(client) makes one")


def check_token_cache(token_cache: TokenCache | None) -> None:
    """Raise ``TypeError`` for what is not a token cache."""
    if token_cache is not None and not isinstance(token_cache, TokenCache):
        raise TypeError("token_cache must be a watchword.TokenCache")


def default_fetcher() -> DefaultFetcher:
    """Return a new fetcher. Its module is imported here, as sockets are slow to import."""
    from watchword.jwks.fetch import DefaultFetcher

    return DefaultFetcher()


__all__ = ["NO_KEYS", "IssuerKeys", "check_without_keys"]
