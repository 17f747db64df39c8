"""The keys of one authgent-server, fetched and cached."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, runtime_checkable

from watchword._kernel import KeySet
from watchword.errors import KeySetError, UnknownKeyError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, DefaultFetcher, Fetcher, Response, monotonic
from watchword.providers.authgent.errors import translate_errors
from watchword.providers.authgent.requirements import Requirements
from watchword.providers.profiles.authgent import JWKS_PATH
from watchword.verifier import Verifier

#: For how many different requirements a Verifier is kept. The application chooses them, and no sender does.
MAX_VERIFIERS: Final = 64

#: A set is fresh for at least so many seconds, whatever ``cache_ttl`` says: longer than a fetch may take.
_LEAST_TTL = 6.0


@runtime_checkable
class KeyFetcher(Protocol):
    """What may stand in for a :class:`JWKSFetcher`: an object of an application's own that finds keys."""

    def get_key(self, kid: str) -> Awaitable[Mapping[str, Any]]:
        """The public JWK of that name, or an exception."""
        ...


class JWKSFetcher:
    """The keys of an issuer, by default those at ``{issuer}/.well-known/jwks.json``.

    ``cache_ttl`` is how many seconds a set is fresh where its answer does not say; ``cache_settings`` has all the
    settings
    instead. ``jwks`` is the set itself, and nothing is fetched then; ``jwks_uri`` another place. ``fetcher``
    fetches keys (``watchword.jwks.HttpxFetcher(client)`` uses your client); closing it is up to you. http is for this
    machine only.

    Raises ``TypeError`` or ``ValueError`` where these cannot be meant. It may be used from any number of threads and
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
    ) -> None:
        if jwks is None and jwks_uri is None:
            jwks_uri = issuer.rstrip("/") + JWKS_PATH
        known = Issuer(
            issuer,
            jwks_uri=jwks_uri,
            jwks=jwks,
            cache_settings=_settings(cache_ttl) if cache_settings is None else cache_settings,
            allow_loopback_http=True,
        )
        self._issuer = issuer
        self._published = _PublishedKeys()
        if jwks is not None:
            self._published.keep(jwks if isinstance(jwks, (str, bytes)) else json.dumps(dict(jwks)))
        self._own_fetcher = DefaultFetcher() if fetcher is None else None
        self._source = known.open(_Recording(fetcher or self._own_fetcher, self._published), monotonic, None)
        make = functools.partial(Requirements.verifier, keys=self._source)
        self._verifier: Callable[[Requirements], Verifier] = functools.lru_cache(MAX_VERIFIERS)(make)

    def verifier(self, requirements: Requirements) -> Verifier:
        """Return a Verifier with these keys. All Verifiers of one fetcher share them."""
        return self._verifier(requirements)

    async def get_key(self, kid: str) -> dict[str, Any]:
        """The public JWK of that name, fetched where need be.

        Raises :class:`~watchword.providers.authgent.InvalidTokenError` where there is none, and
        :class:`~watchword.providers.authgent.ServerError` where the keys could not be had.
        """
        with translate_errors():
            keys = await self._source.request().result_async()
            if kid not in keys:
                keys = await self._source.request_newer(keys, (kid,)).result_async() or keys
            jwk = self._published.of(keys).get(kid)
            if jwk is None:
                raise UnknownKeyError("the issuer has no key of that name")
            return jwk

    async def get_all_keys(self) -> dict[str, dict[str, Any]]:
        """Every usable public JWK by its name, fetched where need be; raises as :meth:`get_key` does."""
        with translate_errors():
            return self._published.of(await self._source.request().result_async())

    async def refresh(self) -> None:
        """Fetches the keys now: when the application starts, or after a key was revoked.

        Raises :class:`~watchword.providers.authgent.ServerError` where they could not be had.
        """
        with translate_errors():
            await self._source.refresh().result_async()

    def close(self) -> None:
        """Drop the keys and stop refreshing them; the fetcher raises ``ValueError`` from then on.

        A ``fetcher`` of your own stays open.
        """
        self._source.close()
        if self._own_fetcher is not None:
            self._own_fetcher.close()

    def __repr__(self) -> str:
        """The issuer."""
        return f"JWKSFetcher({self._issuer!r})"


class _PublishedKeys:
    """The last usable key set as it was written: the kernel's sets do not give keys back as JWK."""

    def __init__(self) -> None:
        self._body: str | bytes = b'{"keys":[]}'
        self._found: tuple[object, object, dict[str, dict[str, Any]]] = (None, None, {})

    def keep(self, body: str | bytes) -> None:
        """Keeps a set in place of the one before, unless the kernel finds no usable key in it."""
        with contextlib.suppress(KeySetError):
            if len(KeySet.from_json(body)) > 0:
                self._body = body

    def of(self, keys: KeySet) -> dict[str, dict[str, Any]]:
        """The JWK of each key in ``keys`` that has a name; of several keys with one name, that for ES256.

        An entry is one of these only if the kernel accepts it by itself and finds the very key that is in ``keys``.
        """
        read, written, found = self._found
        if read is not keys or written is not self._body:
            body = written = self._body
            found = _accepted(json.loads(body), {(key.key_id, key.thumbprint) for key in keys})
            self._found = (keys, written, found)
        return {name: dict(jwk) for name, jwk in found.items()}


def _accepted(document: dict[str, Any], current: set[tuple[str | None, str]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for jwk in document.get("keys", [document]):
        for key in KeySet.from_json({"keys": [jwk]}):
            is_current = (key.key_id, key.thumbprint) in current
            if is_current and key.key_id and (key.key_id not in found or "ES256" in key.algorithms):
                found[key.key_id] = jwk
    return found


class _Recording:
    """A Fetcher that keeps what it fetched."""

    def __init__(self, fetcher: Fetcher, published: _PublishedKeys) -> None:
        self._fetcher = fetcher
        self._published = published

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        answer = self._fetcher.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)
        if answer.status == 200 and len(answer.body) <= max_bytes:
            self._published.keep(answer.body)
        return answer


def _settings(cache_ttl: float) -> CacheSettings:
    ttl = max(cache_ttl, _LEAST_TTL)
    return CacheSettings(ttl=ttl, min_ttl=min(ttl, 30), max_ttl=max(ttl, 3600))


__all__ = ["MAX_VERIFIERS", "JWKSFetcher", "KeyFetcher"]
