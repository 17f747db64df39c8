"""IssuerPoll: asks for an issuer's keys, as a Verifier does, and writes the answer to an archive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from watchword._kernel import KeySet
from watchword.jwks.archive.errors import ArchiveError
from watchword.jwks.archive.record import MAX_NAME, ArchiveEvent, check_name
from watchword.jwks.archive.writer import ArchiveWriter
from watchword.jwks.clock import monotonic
from watchword.jwks.download import DownloadError, Endpoint, Origin
from watchword.jwks.fetch import Fetcher, Response, get_public
from watchword.jwks.settings import CacheSettings
from watchword.jwks.urls import check_issuer_url, check_url, redact


class PollResult(NamedTuple):
    """What a poll found: ``seen`` or ``unreachable``, where, and the usable keys or why there are none."""

    event: ArchiveEvent
    source: str
    keys: KeySet | None
    detail: str
    is_news: bool
    """Whether it is another result than that of the poll before."""


class IssuerPoll:
    """Polls one issuer. Its URLs, redirects, sizes and time-outs are limited as those of :class:`~watchword.Issuer`.

    ``jwks_uri`` is the URL of its key set (``None``: discovered from the issuer); ``allow_loopback_http`` and
    ``allow_private_hosts`` are those of :class:`~watchword.Issuer`. ``fetcher`` fetches, and stays open. ``clock``
    returns seconds that never go back. Raises ``ValueError`` if a URL is not allowed, or the issuer's is too
    long to be recorded.
    """

    def __init__(
        self,
        issuer: str,
        *,
        fetcher: Fetcher,
        jwks_uri: str | None = None,
        allow_loopback_http: bool = False,
        allow_private_hosts: Collection[str] = (),
        settings: CacheSettings | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if jwks_uri is None:
            check_issuer_url(issuer, allow_loopback_http=allow_loopback_http)
        else:
            check_url(jwks_uri, allow_loopback_http=allow_loopback_http, what="jwks_uri")
        self.issuer = check_name("issuer", issuer)
        self._endpoint = Endpoint(
            issuer,
            jwks_uri,
            allow_loopback_http,
            "default",
            "never",
            settings or CacheSettings(),
            tuple(allow_private_hosts),
        )
        self._fetcher = _BodyKeeper(fetcher)
        self._clock = clock
        self._previous: Origin | None = None
        self._document = b""
        self._last: tuple[ArchiveEvent, object] | None = None

    def poll(self, writer: ArchiveWriter) -> PollResult:
        """Ask once, and write what was seen. Return it.

        Takes at most the time-out of the settings. Raises what a writer raises if the archive can't be written.
        """
        try:
            answer = self._endpoint.download(self._fetcher, self._previous, self._clock())
        except DownloadError as error:
            if self._previous is not None:
                # The set may have moved.
                self._previous = replace(self._previous, discovered=None)
            source = (error.url or redact(self.issuer))[:MAX_NAME]
            writer.record_unreachable(self.issuer, error.detail, source=source)
            return self._result(ArchiveEvent.UNREACHABLE, source, None, error.detail)
        if not answer.unchanged:
            self._document = self._fetcher.body
        self._previous = answer.origin
        source = redact(answer.origin.url)[:MAX_NAME]
        try:
            writer.record_key_set(self.issuer, self._document, source=source)
        except ArchiveError:
            raise
        except ValueError:
            # A document may be written so that it is longer in the archive: the keys that can verify never are.
            writer.record_key_set(self.issuer, answer.origin.keys, source=source)
        return self._result(ArchiveEvent.SEEN, source, answer.origin.keys, "")

    def _result(self, event: ArchiveEvent, source: str, keys: KeySet | None, detail: str) -> PollResult:
        found = (event, detail if keys is None else {(key.key_id, key.thumbprint) for key in keys})
        is_news, self._last = found != self._last, found
        return PollResult(event, source, keys, detail, is_news)


class _BodyKeeper:
    """A fetcher that keeps the body of the last answer: an archive records the document, rejected keys included."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self.body = b""

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        answer = self._fetcher.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)
        self.body = answer.body
        return answer

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`PublicFetcher.get_public`."""
        answer = get_public(self._fetcher, url, headers=headers, timeout=timeout, max_bytes=max_bytes)
        self.body = answer.body
        return answer


__all__ = ["IssuerPoll", "PollResult"]
