"""The origin that clients know a service by: scheme, host and port, as its operator configured them.

A DPoP proof is for one URI (RFC 9449 section 4.3, check 9), and protects nothing if the host of that URI is what the
request's own sender wrote into ``Host``: a proof made for another service would pass here. So the origin never comes
from a request. Whatever stands before an application and verifies proofs takes it from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from watchword._kernel import normalize_uri

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class PublicOrigin:
    """The URL of a service, or several if it is known by several.

    ``public_url`` is ``https://api.example``, or a list of such URLs. A path is kept as the beginning of every path,
    for a service behind a proxy that takes it away. Of several URLs the request's ``Host`` chooses one, and a ``Host``
    that is none of theirs stands for the first.

    Raises ``ValueError`` if there is none, or one is no ``http`` or ``https`` URL, or has a user name, a query or a
    fragment.
    """

    def __init__(self, public_url: str | Iterable[str] | None) -> None:
        urls = (public_url,) if isinstance(public_url, str) else tuple(public_url or ())
        if not urls:
            raise ValueError(
                "public_url is missing: set it to the scheme and host that clients use, as in "
                'public_url="https://api.example", or to a list of them. DPoP proofs are made for that URL, and the '
                "request's Host header is whatever its sender wrote"
            )
        self._bases = tuple(_base(url) for url in urls)
        self._by_host: dict[str, str] = {}
        for base in self._bases:
            scheme, authority, *_ = urlsplit(base)
            for host in (authority, authority + _default_port(authority, scheme)):
                if self._by_host.setdefault(host, base) != base:
                    raise ValueError(f"public_url has two URLs for the host {host!r}, and Host cannot tell them apart")

    def uri(self, path: str, *, host: str | None = None) -> str:
        """The URI that a client asked for: an origin of this service's, and the path (and query) of the request.

        ``host`` is the request's ``Host``.
        """
        base = self._bases[0]
        if host is not None and len(self._bases) > 1:
            base = self._by_host.get(host.strip().lower(), base)
        # Only a slash ends the authority for certain: "@elsewhere.example" would go on with it.
        return base + path if path.startswith("/") else f"{base}/{path}"

    def __repr__(self) -> str:
        """The URLs."""
        return f"PublicOrigin({list(self._bases)!r})"


def _base(url: str) -> str:
    """A URL in its normal form, without the slash at its end."""
    if not isinstance(url, str):
        raise TypeError("public_url must be a str, or a list of them")
    if "?" in url or "#" in url:
        raise ValueError(f"public_url is {url!r}: it must have no query and no fragment")
    try:
        return normalize_uri(url).rstrip("/")
    except ValueError as error:
        raise ValueError(f'public_url is {url!r}: it must be as in "https://api.example" ({error})') from None


def _default_port(authority: str, scheme: str) -> str:
    """The port that a client may write or leave out; normal forms leave it out."""
    return "" if urlsplit(f"//{authority}").port is not None else _DEFAULT_PORTS[scheme]


__all__ = ["PublicOrigin"]
