"""The origin by which clients know a service: scheme, host and port, as its operator configured them.

A DPoP proof is for one URI (RFC 9449 section 4.3, check 9). If the host of that URI were taken from the request's
``Host``, which its sender chooses, a proof made for another service would be valid here. So middlewares that verify
proofs take the origin from their configuration, by :class:`PublicOrigin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from watchword._kernel import normalize_uri

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class PublicOrigin:
    """The URL of a service, or several if it is known by several.

    ``public_url`` is ``https://api.example``, or a list of such URLs. Its path is a prefix of every path, for a service
    behind a proxy that removes it. Of several URLs the request's ``Host`` selects one; any other ``Host`` selects the
    first.

    Raises ``ValueError`` if there is no URL, or if one is not an ``http`` or ``https`` URL, or has a user name, a query
    or a fragment; ``TypeError`` if one is not ``str``.
    """

    def __init__(self, public_url: str | Iterable[str] | None) -> None:
        urls = (public_url,) if isinstance(public_url, str) else tuple(public_url or ())
        if not urls:
            raise ValueError(
                "public_url is missing: set it to the scheme and host that clients use, such as "
                'public_url="https://api.example", or to a list of them. DPoP proofs are made for that URL, and the '
                "sender of a request chooses its Host header"
            )
        self._bases = tuple(_base(url) for url in urls)
        self._by_host: dict[str, str] = {}
        for base in self._bases:
            scheme, authority, *_ = urlsplit(base)
            for host in (authority, authority + _default_port(authority, scheme)):
                if self._by_host.setdefault(host, base) != base:
                    raise ValueError(f"public_url has two URLs for the host {host!r}: give one of them")

    def uri(self, path: str, *, host: str | None = None) -> str:
        """Return the URI that a client requested: an origin of this service, and ``path`` (with the query, if any).

        ``host`` is the request's ``Host``.
        """
        base = self._bases[0]
        if host is not None and len(self._bases) > 1:
            base = self._by_host.get(host.strip().lower(), base)
        # Only a slash ends the authority for certain: "@elsewhere.example" would extend it.
        return base + path if path.startswith("/") else f"{base}/{path}"

    def __repr__(self) -> str:
        """Return the URLs."""
        return f"PublicOrigin({list(self._bases)!r})"


def _base(url: str) -> str:
    """Return a URL in its normal form, without a slash at its end."""
    if not isinstance(url, str):
        raise TypeError(f"public_url must be a str or a list of them, not {type(url).__name__}")
    if "?" in url or "#" in url:
        raise ValueError(f"public_url is {url!r}: it must have no query and no fragment")
    try:
        return normalize_uri(url).rstrip("/")
    except ValueError as error:
        raise ValueError(f'public_url is {url!r}: it must be a URL such as "https://api.example" ({error})') from None


def _default_port(authority: str, scheme: str) -> str:
    """Return the port that a client may write or omit; normal forms omit it."""
    return "" if urlsplit(f"//{authority}").port is not None else _DEFAULT_PORTS[scheme]


__all__ = ["PublicOrigin"]
