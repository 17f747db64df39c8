"""Reading key documents: from a file, standard input, or over HTTP under the library's own rules."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from watchword import KeySet, KeySetError
from watchword.cli.command_error import CommandError, in_options
from watchword.jwks import CacheSettings, DefaultFetcher, FetchError, NotPublicError
from watchword.jwks.addresses import is_configured
from watchword.jwks.discovery import read_metadata, well_known_urls
from watchword.jwks.fetch import get_public
from watchword.jwks.urls import check_issuer_url, check_url, redact
from watchword.limits import MAX_KEY_SET_BYTES

_PEM = b"-----BEGIN "
_OK = 200


def is_url(source: str) -> bool:
    """Return whether a source is a URL rather than a file. Its scheme may be rejected later."""
    return "://" in source


def read_document(source: str, *, allow_loopback_http: bool = False) -> bytes:
    """Return the bytes of a file, of standard input (``-``) or of a URL. Raises :class:`CommandError`."""
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
        raise CommandError(f"{_named(source)} is longer than {MAX_KEY_SET_BYTES:,} bytes, the limit for a key set.")
    return document


def parse_keys(document: bytes, source: str, *, read_pem: Callable[[bytes], KeySet] = KeySet.from_pem) -> KeySet:
    """Return the keys of a JWK Set, a JWK or a public key in PEM. Raises :class:`CommandError`."""
    try:
        if document.lstrip().startswith(_PEM):
            return read_pem(document)
        return KeySet.from_json(document)
    except KeySetError as error:
        raise CommandError(f"{_named(source)} has no readable keys: {error}.") from None


def check_not_empty(keys: KeySet) -> None:
    """Raise :class:`CommandError` if a set lists no keys, usable or rejected."""
    if len(keys) == 0 and not keys.rejected:
        raise CommandError("the key set is empty. Nothing can be verified with it.")


def load_keys(
    source: str, *, allow_loopback_http: bool = False, read_pem: Callable[[bytes], KeySet] = KeySet.from_pem
) -> KeySet:
    """Read and parse a key document. Raises :class:`CommandError`."""
    return parse_keys(read_document(source, allow_loopback_http=allow_loopback_http), source, read_pem=read_pem)


def find_key_set(source: str, *, allow_loopback_http: bool = False) -> tuple[str, bytes]:
    """Return the source of a key document and its bytes. Raises :class:`CommandError`.

    ``source`` may also be the URL of an issuer, whose metadata names the URL of its key set (RFC 8414, OpenID Connect
    Discovery).
    """
    if not is_url(source):
        return source, read_document(source)
    _check(source, allow_loopback_http=allow_loopback_http)
    status, body = _get(source)
    if status == _OK and _is_key_document(body):
        return source, body
    jwks_uri = _discovered(source, allow_loopback_http=allow_loopback_http)
    if jwks_uri is None:
        raise CommandError(
            f"{redact(source)} is neither a key set nor an issuer that publishes metadata. Give the URL of its key set."
        )
    # This URL comes from the metadata, not from the user.
    public_only = not is_configured(jwks_uri, source, ())
    try:
        return jwks_uri, _fetched(jwks_uri, allow_loopback_http=allow_loopback_http, public_only=public_only)
    except NotPublicError:
        raise CommandError(
            f"{redact(source)} publishes {redact(jwks_uri)}, which is not on the public internet. If that is intended, "
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
                raise CommandError(f"{redact(url)} is invalid metadata: {error}.") from None
    return None


def _is_key_document(document: bytes) -> bool:
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
        # Redirects are not followed either: whoever can redirect could choose the keys.
        raise CommandError(f"{redact(url)} returned HTTP {status} instead of {_OK}. Check the URL.")
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
