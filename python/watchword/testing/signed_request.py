"""A request with its credentials, in the form that each framework's test client takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, repr=False)
class SignedRequest:
    """A request to send: ``method``, the absolute ``url``, the ``headers`` as pairs, and the bytes of the ``body``.

    Its repr shows no header, as some contain credentials.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path and query of ``url``, as the request line has them (RFC 9112 section 3.2.1)."""
        _, _, path, query, _ = urlsplit(self.url)
        return (path or "/") + (f"?{query}" if query else "")

    def for_httpx(self) -> dict[str, Any]:
        """Return arguments for ``client.request(**...)`` of httpx2, httpx, and Starlette's test client.

        Headers are pairs of bytes, so that a name may have several values.
        """
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        arguments: dict[str, Any] = {"method": self.method, "url": self.url, "headers": headers}
        return {**arguments, "content": self.body} if self.body else arguments

    def for_flask(self) -> dict[str, Any]:
        """Return arguments for ``client.open(**...)`` of the test clients of Flask and Werkzeug."""
        scheme, host, *_ = urlsplit(self.url)
        arguments: dict[str, Any] = {
            "method": self.method,
            "path": self.target,
            "base_url": f"{scheme}://{host}",
            "headers": list(self.headers),
        }
        return {**arguments, "data": self.body} if self.body else arguments

    def for_django(self) -> dict[str, Any]:
        """Return arguments for ``client.generic(**...)`` of Django's test clients.

        The values of a repeated name are joined by a comma, as WSGI servers do. The host is the test client's own.
        """
        joined: dict[str, str] = {}
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            joined[key] = f"{joined[key]},{value}" if key in joined else value
        arguments: dict[str, Any] = {"method": self.method, "path": self.target, "data": self.body, **joined}
        content_type = arguments.pop("CONTENT_TYPE", None)
        return arguments if content_type is None else {**arguments, "content_type": content_type}

    def for_grpc(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata of a call: ``stub.Method(message, metadata=...)``, with names in lower case.

        The request's method is POST, its path ``/package.Service/Method``. Raises ``ValueError`` for a value that is
        not printable ASCII, which gRPC cannot send.
        """
        for name, value in self.headers:
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"gRPC cannot send this value of {name}: it must be printable ASCII")
        return tuple((name.lower(), value) for name, value in self.headers)

    def __repr__(self) -> str:
        """Return the method and the URL without its query."""
        return f"SignedRequest({self.method} {self.url.partition('?')[0]}, {len(self.headers)} headers)"


__all__ = ["SignedRequest"]
