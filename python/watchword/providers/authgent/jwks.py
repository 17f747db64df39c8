"""The keys of one authgent-server, fetched and cached."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol, runtime_checkable

from watchword import Issuer, IssuerKeys, Verifier
from watchword.errors import UnknownKeyError
from watchword.jwks import CacheSettings, Fetcher
from watchword.providers.authgent.errors import translate_errors
from watchword.providers.authgent.requirements import Requirements
from watchword.providers.profiles.authgent import JWKS_PATH

#: For how many different requirements a Verifier is kept. The application chooses them, and no sender does.
MAX_VERIFIERS: Final = 64

#: The shortest lifetime of a key set in seconds, whatever ``cache_ttl`` is: longer than a fetch may take.
_MIN_TTL = 6.0


@runtime_checkable
class KeyFetcher(Protocol):
    """What may replace a :class:`JWKSFetcher`: an application's own object that finds keys."""

    def get_key(self, kid: str) -> Awaitable[Mapping[str, Any]]:
        """Return the public JWK with this ``kid``, or raise any exception."""
        ...


class JWKSFetcher:
    """The keys of an issuer, by default those at ``{issuer}/.well-known/jwks.json``.

    ``cache_ttl`` is the lifetime of a key set in seconds if its response has no ``Cache-Control``; ``cache_settings``
    has all settings instead. ``jwks`` is the key set itself, and nothing is fetched; ``jwks_uri`` is another URL of it.
    ``fetcher`` fetches it (``watchword.jwks.HttpxFetcher(client)`` uses your own client); the caller closes it.
    URLs must be https, except on loopback and, if that is accepted (``docs/keys.md``), on ``allow_http_hosts``: exact
    host names or addresses.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid. It may be used from any number of threads and
    event loops at once.
    """

    def __init__(
        self,
        issuer: str,
        cache_ttl: float = 300,
        *,
        jwks_uri: str | None = None,
        jwks: Mapping[str, Any] | str | bytes | None = None,
        fetcher: Fetcher | None = None,
        cache_settings: CacheSettings | None = None,
        allow_http_hosts: Iterable[str] = (),
    ) -> None:
        if jwks is None and jwks_uri is None:
            jwks_uri = issuer.rstrip("/") + JWKS_PATH
        known = Issuer(
            issuer,
            jwks_uri=jwks_uri,
            jwks=jwks,
            cache_settings=_settings(cache_ttl) if cache_settings is None else cache_settings,
            allow_loopback_http=True,
            allow_http_hosts=allow_http_hosts,
        )
        self._issuer = issuer
        self._keys = IssuerKeys(known, fetcher=fetcher)
        make = functools.partial(Requirements.verifier, keys=self._keys.source)
        self._verifier: Callable[[Requirements], Verifier] = functools.lru_cache(MAX_VERIFIERS)(make)

    def verifier(self, requirements: Requirements) -> Verifier:
        """Return a Verifier with these keys. All Verifiers of one fetcher share them."""
        return self._verifier(requirements)

    async def get_key(self, kid: str) -> dict[str, Any]:
        """Return the public JWK with this ``kid``, fetching the keys if needed; for ES256, if there are several.

        Raises :class:`~watchword.providers.authgent.InvalidTokenError` if there is none, and
        :class:`~watchword.providers.authgent.ServerError` if the keys are unavailable.
        """
        source = self._keys.source
        with translate_errors():
            keys = await source.request().result_async()
            if kid not in keys:
                keys = await source.request_newer(keys, (kid,)).result_async() or keys
            key = keys.get(kid, "ES256") or keys.get(kid)
            if key is None:
                raise UnknownKeyError("the issuer has no usable key with this kid")
            return {**key.to_jwk()}

    async def get_all_keys(self) -> dict[str, dict[str, Any]]:
        """Return all usable public JWKs by ``kid``, fetching the keys if needed; raises as :meth:`get_key` does."""
        with translate_errors():
            keys = await self._keys.source.request().result_async()
        found: dict[str, dict[str, Any]] = {}
        for key in keys:
            if key.key_id and (key.key_id not in found or "ES256" in key.algorithms):
                found[key.key_id] = {**key.to_jwk()}
        return found

    async def refresh(self) -> None:
        """Fetch the keys now: when the application starts, or after a key was revoked.

        Raises :class:`~watchword.providers.authgent.ServerError` if that fails.
        """
        with translate_errors():
            await self._keys.refresh_async()

    def close(self) -> None:
        """Drop the keys and stop refreshing them; the object raises ``ValueError`` from then on.

        A ``fetcher`` that was given stays open.
        """
        self._keys.close()

    def __repr__(self) -> str:
        """Return the issuer."""
        return f"JWKSFetcher({self._issuer!r})"


def _settings(cache_ttl: float) -> CacheSettings:
    ttl = max(cache_ttl, _MIN_TTL)
    return CacheSettings(ttl=ttl, min_ttl=min(ttl, 30), max_ttl=max(ttl, 3600))


__all__ = ["MAX_VERIFIERS", "JWKSFetcher", "KeyFetcher"]
