"""Reading documents that hold keys: a file, standard input, or over HTTP under the library's own rules."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from watchword._kernel import KeySet
from watchword.cli.command_error import CommandError, in_options
from watchword.errors import KeySetError
from watchword.jwks.addresses import is_configured
from watchword.jwks.discovery import read_metadata, well_known_urls
from watchword.jwks.fetch import DefaultFetcher, FetchError, NotPublicError, get_public
from watchword.jwks.settings import CacheSettings
from watchword.jwks.urls import check_issuer_url, check_url, redact
from watchword.limits import MAX_KEY_SET_BYTES

_PEM = b"-----BEGIN "
_OK = 200


def is_url(source: str) -> bool:
    """Whether a source is fetched rather than opened. A scheme that is refused later counts too."""
    return "://" in source


def read_document(source: str, *, allow_loopback_http: bool = False) -> bytes:
    """The bytes of a file, of standard input (``-``), or of what a URL answers. Raises :class:`CommandError`."""
    if is_url(source):
        return _fetched(source, allow_loopback_http=allow_loopback_http)
    try:
        if source == "-":
            document = sys.stdin.buffer.read(MAX_KEY_SET_BYTES + 1)
        else:
            with open(source, "rb") as file:
                document = file.read(MAX_KEY_SET_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{source!r} can't be read: {error.strerror}. Give a file, - or an https URL.") from None
    if len(document) > MAX_KEY_SET_BYTES:
        raise CommandError(f"{_named(source)} is longer than {MAX_KEY_SET_BYTES:,} bytes; no key set is.")
    return document


def parse_keys(document: bytes, source: str, *, read_pem: Callable[[bytes], KeySet] = KeySet.from_pem) -> KeySet:
    """The keys of a JWK Set, a JWK or a public key in PEM. Raises :class:`CommandError`."""
    try:
        if document.lstrip().startswith(_PEM):
            return read_pem(document)
        return KeySet.from_json(document)
    except KeySetError as error:
        raise CommandError(f"{_named(source)} holds no keys that can be read: {error}.") from None


def check_not_empty(keys: KeySet) -> None:
    """Raises :class:`CommandError` for a set that lists no keys, good or bad."""
    if len(keys) == 0 and not keys.rejected:
        raise CommandError("the key set is empty. Nothing can be verified with it.")


def load_keys(
    source: str, *, allow_loopback_http: bool = False, read_pem: Callable[[bytes], KeySet] = KeySet.from_pem
) -> KeySet:
    """Both of the above."""
    return parse_keys(read_document(source, allow_loopback_http=allow_loopback_http), source, read_pem=read_pem)


def find_key_set(source: str, *, allow_loopback_http: bool = False) -> tuple[str, bytes]:
    """A document that holds keys, and where it was found in the end: ``source`` may also be the URL of an issuer, which
    publishes where its keys are (RFC 8414, OpenID Connect Discovery). Raises :class:`CommandError`.
    """
    if not is_url(source):
        return source, read_document(source)
    _check(source, allow_loopback_http=allow_loopback_http)
    status, body = _get(source)
    if status == _OK and _holds_keys(body):
        return source, body
    jwks_uri = _discovered(source, allow_loopback_http=allow_loopback_http)
    if jwks_uri is None:
        raise CommandError(f"{redact(source)} is neither a key set nor an issuer that publishes where its keys are.")
    # Whoever published it says where the keys are; it is no URL of the person at the keyboard.
    public_only = not is_configured(jwks_uri, source, ())
    try:
        return jwks_uri, _fetched(jwks_uri, allow_loopback_http=allow_loopback_http, public_only=public_only)
    except NotPublicError:
        raise CommandError(
            f"{redact(source)} publishes {redact(jwks_uri)}, which is not on the public internet. If that is meant, "
            "give that URL."
        ) from None


def _discovered(issuer: str, *, allow_loopback_http: bool) -> str | None:
    try:
        check_issuer_url(issuer, allow_loopback_http=allow_loopback_http)
    except ValueError:
        return None
    for url in well_known_urls(issuer):
        status, body = _get(url)
        if status == _OK:
            try:
                return read_metadata(body, issuer, allow_loopback_http=allow_loopback_http)
            except FetchError as error:
                raise CommandError(f"{redact(url)} is of no use: {error}.") from None
    return None


def _holds_keys(document: bytes) -> bool:
    try:
        KeySet.from_json(document)
    except KeySetError:
        return document.lstrip().startswith(_PEM)
    return True


def _check(url: str, *, allow_loopback_http: bool) -> None:
    try:
        check_url(url, allow_loopback_http=allow_loopback_http, what="the URL of a key set")
    except ValueError as error:
        raise CommandError(in_options(error)) from None


def _fetched(url: str, *, allow_loopback_http: bool, public_only: bool = False) -> bytes:
    _check(url, allow_loopback_http=allow_loopback_http)
    status, body = _get(url, public_only=public_only)
    if status != _OK:
        # A redirect is not followed either: whoever can redirect could say whose keys are used.
        raise CommandError(f"{redact(url)} answered {status}, and only {_OK} is taken. Check the URL.")
    return body


def _get(url: str, *, public_only: bool = False) -> tuple[int, bytes]:
    fetcher = DefaultFetcher()
    get = functools.partial(get_public, fetcher) if public_only else fetcher.get
    try:
        answer = get(
            url, headers={"user-agent": "watchword"}, timeout=CacheSettings().timeout, max_bytes=MAX_KEY_SET_BYTES
        )
    except NotPublicError:
        raise
    except FetchError as error:
        raise CommandError(f"{redact(url)} can't be fetched: {error}.") from None
    finally:
        fetcher.close()
    return answer.status, answer.body


def _named(source: str) -> str:
    return "standard input" if source == "-" else redact(source) if is_url(source) else repr(source)
