"""Which URLs keys may be fetched from: https, or http to loopback and to configured hosts, both on request."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable

from watchword.arguments import as_tuple

# Deliberately narrower than RFC 3986: what two URL parsers could read differently (user information, backslashes,
# white space, percent-encoded hosts, internationalised hosts that are not in their xn-- form) is rejected.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!$%&'()*+,;=:@A-Za-z0-9._~/-]*)?"
    r"(?P<query>\?[!$%&'()*+,;=:@A-Za-z0-9._~/?-]*)?"
)


def check_url(url: str, *, allow_loopback_http: bool, what: str, http_hosts: Collection[str] = ()) -> None:
    """Raise ``ValueError``, naming ``what``, unless keys may be fetched from ``url``.

    That is an https URL; an http URL of loopback, with ``allow_loopback_http``; an http URL whose host is one of
    ``http_hosts``, on any port. These are exact names and addresses, as :func:`check_hosts` returns them.
    """
    if isinstance(http_hosts, (str, bytes)):
        # A part of it would count as a host.
        raise TypeError("http_hosts must be a list or a tuple of hosts, not one string")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(f"{what} must be an https URL without user information and fragment, in plain ASCII")
    if match["port"] is not None and not 0 < int(match["port"]) < 65536:
        raise ValueError(f"{what} has the port {match['port']}: it must be from 1 to 65535")
    if match["scheme"] == "https" or plain_host(match["host"]) in http_hosts:
        return
    if not is_loopback(match["host"]):
        raise ValueError(f"{what} must be an https URL")
    if not allow_loopback_http:
        raise ValueError(f"{what} must be an https URL (for http to loopback, set allow_loopback_http=True)")


def check_issuer_url(issuer: str, *, allow_loopback_http: bool, http_hosts: Collection[str] = ()) -> None:
    """Raise ``ValueError`` unless ``issuer`` is a URL that discovery can start from (RFC 8414 section 2).

    ``allow_loopback_http`` and ``http_hosts`` are as in :func:`check_url`.
    """
    what = "an issuer whose keys are to be discovered (give jwks_uri, jwks or jwks_file otherwise)"
    check_url(issuer, allow_loopback_http=allow_loopback_http, what=what, http_hosts=http_hosts)
    if "?" in issuer:
        raise ValueError(f"{what} must have no query")


def is_loopback(host: str) -> bool:
    """Return whether a URL's host is ``localhost`` or a loopback address in the usual notation."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, *, what: str) -> str:
    """Return a host name or IP address as :func:`split_host` does.

    Raises ``TypeError`` or ``ValueError``, naming ``what``, if it is neither.
    """
    if not isinstance(host, str):
        raise TypeError(f"{what} must list host names as strings, not {type(host).__name__}")
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    match = _URL.fullmatch(f"https://{bracketed}")
    if match is None or match["host"] != bracketed:
        raise ValueError(f"{what} lists {host!r}; give a host name or an IP address, without scheme, port and path")
    return plain_host(bracketed)


def check_hosts(hosts: Iterable[str], *, what: str) -> tuple[str, ...]:
    """Return a list of hosts, each as :func:`check_host` does: exact names and addresses, no wildcards.

    Raises ``TypeError`` or ``ValueError``, naming ``what``, if one is invalid, or if it is a single string.
    """
    return tuple(check_host(host, what=what) for host in as_tuple(what, hosts) or ())


def split_host(url: str) -> tuple[str, str, int]:
    """Return a checked URL's scheme, host (in lower case, an IPv6 address in its shortest form) and port."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the URL has not been checked")
    port = int(match["port"]) if match["port"] is not None else {"http": 80, "https": 443}[match["scheme"]]
    return match["scheme"], plain_host(match["host"]), port


def plain_host(host: str) -> str:
    """Return a URL's host in lower case; an IPv6 address without brackets and in its shortest form."""
    if not host.startswith("["):
        return host.lower()
    try:
        return str(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        return host[1:-1].lower()


def split_path(url: str) -> tuple[str, str]:
    """Return a checked URL without query as (scheme and host, path without a final slash)."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the URL has not been checked")
    path = match["path"] or ""
    return url[: len(url) - len(path)], path.rstrip("/")


def redact(url: str) -> str:
    """Return a URL for logs and messages, without its query, which may contain a secret."""
    return url.partition("?")[0] + ("?…" if "?" in url else "")


__all__ = ["check_host", "check_hosts", "check_issuer_url", "check_url", "is_loopback", "redact"]
