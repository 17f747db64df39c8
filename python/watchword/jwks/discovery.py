"""From an issuer to its ``jwks_uri`` (RFC 8414; OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from collections.abc import Collection

from watchword import _kernel
from watchword.jwks.fetch import FetchError
from watchword.jwks.urls import check_url, is_loopback, split_host, split_path

#: The statuses of a server without such a document: the next URL is tried. Any other status but 200 is an error, which
#: trying another URL would only hide.
ABSENT = frozenset({404, 410})


def well_known_urls(issuer: str) -> tuple[str, ...]:
    """Return the URLs at which an issuer's metadata may be, the most likely first. ``issuer`` has been checked.

    OpenID Connect Discovery section 4.1 appends to the issuer's path; RFC 8414 section 3.1 inserts before it, and
    section 5 does so for ``openid-configuration`` too. A final slash of the issuer is not part of its path.
    """
    root, path = split_path(issuer)
    urls = (
        f"{root}{path}/.well-known/openid-configuration",
        f"{root}/.well-known/oauth-authorization-server{path}",
        f"{root}/.well-known/openid-configuration{path}",
    )
    return tuple(dict.fromkeys(urls))


def read_metadata(body: bytes, issuer: str, *, allow_loopback_http: bool, http_hosts: Collection[str] = ()) -> str:
    """Return the ``jwks_uri`` of an issuer's metadata. Raises :class:`FetchError` if they are invalid.

    ``allow_loopback_http`` and ``http_hosts`` are as in :func:`~watchword.jwks.urls.check_url`; loopback is allowed for
    an issuer that is there itself.
    """
    try:
        metadata = _kernel.decode_json_object(body)
    except ValueError as error:
        raise FetchError(f"the metadata is not strict JSON: {error}") from None
    named = metadata.get("issuer")
    if not isinstance(named, str):
        raise FetchError("the metadata names no issuer")
    # RFC 8414 section 3.3: identical, code point by code point; a missing final slash is a mismatch too.
    if named != issuer:
        raise FetchError("the metadata is that of another issuer (compared exactly, a final slash included)")
    jwks_uri = metadata.get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise FetchError("the metadata names no jwks_uri")
    # Plain http leads to this machine only for an issuer that is on it, and elsewhere only to a host that is configured
    # for it. For https the address decides, later.
    scheme, host, _ = split_host(issuer)
    local = allow_loopback_http and scheme == "http" and is_loopback(host)
    try:
        check_url(jwks_uri, allow_loopback_http=local, what="the metadata's jwks_uri", http_hosts=http_hosts)
    except ValueError as error:
        raise FetchError(str(error)) from None
    return jwks_uri


__all__ = ["ABSENT", "read_metadata", "well_known_urls"]
