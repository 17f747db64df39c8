"""One issuer's keys, for policies that differ from call to call."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from watchword import _kernel
from watchword._kernel import Policy, TokenCache, VerifiedToken
from watchword.errors import UnknownKeyError
from watchword.issuer import Issuer
from watchword.jwks.clock import monotonic
from watchword.jwks.events import Listener, Stats
from watchword.slow_path import verify_slowly
from watchword.waiting import Steps, finish, finish_async
from watchword.wrong_issuer import ConfiguredIssuers

if TYPE_CHECKING:
    from watchword.jwks.fetch import DefaultFetcher, Fetcher, HttpxClient


class IssuerKeys:
    """Verifies tokens by the keys of one :class:`~watchword.Issuer`, whose own demands are not looked at.

    A :class:`~watchword.Verifier` has its policy when it is made; where a provider's verb takes the audience with every
    token, the policy comes with the token too. Everything else is the Verifier's way: a token that is no good whatever
    the key never causes a fetch, an unknown kid causes one for each cooldown. It may be used from any number of threads
    and event loops at once. ``accepted_issuers`` are the values of ``iss`` (``None`` stands for its absence) that the
    policies accept; nothing is fetched for a token with another. ``None`` in place of a list: any value.
    ``httpx_client`` (any client with httpx's interface) or ``fetcher`` fetch the keys; closing them stays with their
    owner. ``token_cache`` remembers verified tokens.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        accepted_issuers: Collection[str | None] | None,
        httpx_client: HttpxClient | None = None,
        fetcher: Fetcher | None = None,
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
        on_event: Listener | None = None,
    ) -> None:
        if token_cache is not None and not isinstance(token_cache, TokenCache):
            raise TypeError("token_cache must be a watchword.TokenCache")
        self._accepted_issuers = accepted_issuers
        self._configured = ConfiguredIssuers([issuer])
        self._judge = _kernel.verify if token_cache is None else token_cache.verify
        self._own_fetcher: DefaultFetcher | None = None
        if httpx_client is not None:
            from watchword.jwks.fetch import HttpxFetcher

            fetcher = HttpxFetcher(httpx_client)
        elif fetcher is None and issuer.is_remote:
            from watchword.jwks.fetch import DefaultFetcher

            self._own_fetcher = DefaultFetcher()
        self._source = issuer.open(fetcher or self._own_fetcher, monotonic, on_event)
        self._owned = issuer.source is None
        self._clock = clock

    def verify(self, token: str | bytes, policy: Policy, now: float | None) -> VerifiedToken:
        """Verifies a token as of ``now`` in Unix seconds (``None``: by the clock), as ``Verifier.verify`` does."""
        keys = self._source.current()
        if keys is not None:
            with contextlib.suppress(UnknownKeyError):  # perhaps there are newer keys
                return self._judge(token, keys, policy, self.at(now))
        return finish(self._verify_slowly(token, policy, now))

    async def verify_async(self, token: str | bytes, policy: Policy, now: float | None) -> VerifiedToken:
        """As :meth:`verify`, waiting without blocking the event loop."""
        keys = self._source.current()
        if keys is not None:
            with contextlib.suppress(UnknownKeyError):
                return self._judge(token, keys, policy, self.at(now))
        return await finish_async(self._verify_slowly(token, policy, now))

    def at(self, now: float | None) -> float:
        """The moment meant: ``now``, or the clock's."""
        return self._clock() if now is None else now

    def can_verify(self, algorithm: str) -> bool:
        """Whether there is a key for this algorithm among those at hand."""
        return any(algorithm in key.algorithms for key in self._source.current() or ())

    def refresh(self) -> None:
        """Fetches the keys now. Raises :class:`~watchword.errors.KeysUnavailableError` where they can't be had."""
        self._source.refresh().result()

    async def refresh_async(self) -> None:
        """As :meth:`refresh`, without blocking the event loop."""
        await self._source.refresh().result_async()

    def stats(self) -> Stats:
        """What happened to the keys."""
        return self._source.stats()

    def close(self) -> None:
        """Ends what runs in the background. A source that the issuer was given stays its owner's to close."""
        if self._owned:
            self._source.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

    def _verify_slowly(self, token: str | bytes, policy: Policy, now: float | None) -> Steps[VerifiedToken]:
        return verify_slowly(
            self._source,
            self._judge,
            token,
            policy,
            at=lambda: self.at(now),
            check_issuer=lambda: self._check_issuer(token),
        )

    def _check_issuer(self, token: str | bytes) -> None:
        if self._accepted_issuers is None:
            return
        named = _kernel.unverified_names(token).issuer
        if named not in self._accepted_issuers:
            raise self._configured.error(named)._about(token)
