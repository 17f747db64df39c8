"""One attempt to fetch a key set: discovery if it is due, then the set. It has no state."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword._kernel import KeySet
from watchword.errors import KeySetError
from watchword.jwks.addresses import is_configured
from watchword.jwks.cache_control import lifetime
from watchword.jwks.describe import rejections
from watchword.jwks.discovery import ABSENT, read_metadata, well_known_urls
from watchword.jwks.fetch import Fetcher, FetchError, NotPublicError, Response, get_public
from watchword.jwks.settings import CacheSettings
from watchword.jwks.urls import redact

if TYPE_CHECKING:
    from watchword.types import Backend, Prepare


@dataclass(frozen=True)
class Discovered:
    """A ``jwks_uri`` from the issuer's metadata, and until when it is used without another discovery."""

    jwks_uri: str
    until: float


@dataclass(frozen=True)
class Origin:
    """Where a set was fetched from, for the next attempt's conditional request."""

    keys: KeySet
    url: str
    etag: str | None
    digest: bytes
    discovered: Discovered | None


@dataclass(frozen=True)
class Answer:
    """The result of an attempt. ``unchanged``: the set is the cached one."""

    origin: Origin
    lifetime: float
    unchanged: bool


class DownloadError(Exception):
    """An attempt failed. ``url`` (for display) is the last one requested."""

    def __init__(self, detail: str, url: str | None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.url = url


@dataclass(frozen=True)
class Endpoint:
    """Where an issuer's keys are, and how they are fetched."""

    issuer: str
    jwks_uri: str | None
    """``None``: it is discovered."""
    allow_loopback_http: bool
    backend: Backend
    prepare: Prepare
    settings: CacheSettings
    allow_private_hosts: tuple[str, ...] = ()
    """Hosts that a discovered ``jwks_uri`` may lead to although their addresses are not public."""
    http_hosts: tuple[str, ...] = ()
    """Hosts that plain http may lead to."""

    def download(self, fetcher: Fetcher, previous: Origin | None, now: float) -> Answer:
        """Fetch the set. Raises :class:`DownloadError`. Takes at most ``settings.timeout`` seconds."""
        attempt = _Attempt(self, fetcher)
        discovered = None
        if self.jwks_uri is None:
            discovered = previous.discovered if previous is not None else None
            if discovered is None or now >= discovered.until:
                discovered = attempt.discover(now)
        if discovered is None:
            return attempt.key_set(self.jwks_uri or "", previous, None)
        configured = is_configured(discovered.jwks_uri, self.issuer, self.allow_private_hosts)
        return attempt.key_set(discovered.jwks_uri, previous, discovered, public_only=not configured)


def _validator(etag: str | None) -> str | None:
    """Return the ETag if it can be sent back unchanged."""
    return etag if etag and len(etag) <= 256 and etag.isascii() and etag.isprintable() else None


class _Attempt:
    def __init__(self, endpoint: Endpoint, fetcher: Fetcher) -> None:
        self._endpoint = endpoint
        self._settings = endpoint.settings
        self._fetcher = fetcher
        self._deadline = time.monotonic() + endpoint.settings.timeout

    def discover(self, now: float) -> Discovered:
        endpoint = self._endpoint
        urls = well_known_urls(endpoint.issuer)
        for url in urls:
            answer = self._get(url, {"accept": "application/json"})
            if answer.status in ABSENT:
                continue
            if answer.status != 200:
                raise DownloadError(f"the metadata endpoint returned HTTP {answer.status}", redact(url))
            try:
                jwks_uri = read_metadata(
                    answer.body,
                    endpoint.issuer,
                    allow_loopback_http=endpoint.allow_loopback_http,
                    http_hosts=endpoint.http_hosts,
                )
            except FetchError as error:
                raise DownloadError(str(error), redact(url)) from None
            return Discovered(jwks_uri, now + lifetime(answer.headers, self._settings))
        raise DownloadError(f"no metadata at any of {len(urls)} well-known URLs", redact(urls[0]))

    def key_set(
        self, url: str, previous: Origin | None, discovered: Discovered | None, *, public_only: bool = False
    ) -> Answer:
        headers = {"accept": "application/jwk-set+json, application/json"}
        # A validator is valid for its own URL only.
        known = previous if previous is not None and previous.url == url else None
        if known is not None and known.etag is not None:
            headers["if-none-match"] = known.etag
        answer = self._get(url, headers, public_only=public_only)
        time_to_live = lifetime(answer.headers, self._settings)
        if answer.status == 304 and known is not None and known.etag is not None:
            return Answer(Origin(known.keys, url, known.etag, known.digest, discovered), time_to_live, unchanged=True)
        if answer.status != 200:
            raise DownloadError(f"the key endpoint returned HTTP {answer.status}", redact(url))
        digest = hashlib.sha256(answer.body).digest()
        etag = _validator(answer.headers.get("etag"))
        if known is not None and known.digest == digest:
            # The same object again: precomputed tables of its keys stay.
            return Answer(Origin(known.keys, url, etag, digest, discovered), time_to_live, unchanged=True)
        keys = self._parse(answer.body, url)
        return Answer(Origin(keys, url, etag, digest, discovered), time_to_live, unchanged=False)

    def _parse(self, body: bytes, url: str) -> KeySet:
        try:
            keys = KeySet.from_json(body, backend=self._endpoint.backend, prepare=self._endpoint.prepare)
        except KeySetError as error:
            raise DownloadError(f"the answer is not a key set: {error}", redact(url)) from None
        if len(keys) + len(keys.rejected) > self._settings.max_keys:
            raise DownloadError(f"the key set lists more than {self._settings.max_keys} keys", redact(url))
        if len(keys) == 0:
            why = rejections(keys)
            raise DownloadError("the key set has no usable key" + (f" ({why})" if why else ""), redact(url))
        return keys

    def _get(self, url: str, headers: Mapping[str, str], *, public_only: bool = False) -> Response:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DownloadError("no complete answer in time", redact(url))
        get = functools.partial(get_public, self._fetcher) if public_only else self._fetcher.get
        try:
            answer = get(
                url, headers={"user-agent": "watchword", **headers}, timeout=left, max_bytes=self._settings.max_bytes
            )
        except NotPublicError as error:
            remedy = "if that is meant, list the host in the issuer's allow_private_hosts, or configure its jwks_uri"
            raise DownloadError(f"the metadata's jwks_uri is rejected: {error}; {remedy}", redact(url)) from error
        except FetchError as error:
            raise DownloadError(str(error), redact(url)) from error
        except Exception as error:
            # A user's fetcher: only the kind of the error is reported, as its message may quote anything.
            raise DownloadError(f"the fetcher raised {type(error).__name__}", redact(url)) from error
        if len(answer.body) > self._settings.max_bytes:
            raise DownloadError(f"the answer is longer than {self._settings.max_bytes} bytes", redact(url))
        return answer
