"""An in-memory issuer whose keys are served over HTTP on loopback, with both discovery documents."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from watchword import Issuer
from watchword.jwks import CacheSettings
from watchword.testing.local_issuer import LocalIssuer

JWKS_PATH = "/jwks.json"
DISCOVERY_PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


class ServedIssuer(LocalIssuer):
    """The issuer of :meth:`LocalIssuer.serve`, whose identifier is the URL at which it is served."""

    def __init__(self, origin: LocalIssuer, url: str) -> None:
        # The key ring is shared: a rotation of either is one of both.
        self._issuer = url
        self._audience = origin._audience
        self._ring = origin._ring
        self._clock = origin._clock
        self._holder = origin._holder
        self._requests: list[str] = []
        self._outage: int | None = None

    @property
    def jwks_uri(self) -> str:
        """The URL of the key set."""
        return self.issuer + JWKS_PATH

    @property
    def requests(self) -> tuple[str, ...]:
        """The paths of all requests so far, in order: they show how often keys were fetched."""
        return tuple(self._requests)

    @contextlib.contextmanager
    def outage(self, status: int = 503) -> Iterator[None]:
        """Return a context manager within which every request is answered with ``status`` and an empty object."""
        self._outage = status
        try:
            yield
        finally:
            self._outage = None

    def as_issuer(self, **options: object) -> Issuer:
        """Return the :class:`watchword.Issuer` for this issuer's URL, from which a Verifier discovers the keys.

        ``options`` are :class:`watchword.Issuer`'s. An unknown ``kid`` triggers a fetch at once (``cooldown`` 0 instead
        of 30 seconds), so that a test finds a new key without waiting.
        """
        given: dict[str, Any] = {"algorithms": self.algorithms, "allow_loopback_http": True}
        given.update({"cache_settings": CacheSettings(cooldown=0), **options})
        return Issuer(self.issuer, **given)

    @classmethod
    @contextlib.contextmanager
    def start(cls, origin: LocalIssuer, port: int, max_age: int | None) -> Iterator[ServedIssuer]:
        """Return a context manager that serves ``origin``'s keys; ``max_age`` is in seconds."""
        server = _new_server(port)
        try:
            host, bound = server.server_address[:2]
            served = cls(origin, f"http://{host!s}:{bound}")
            served.jwks()  # RSA keys take long to make: before the first request, which may have a short timeout.
            server.RequestHandlerClass = _handler(served._answer, max_age)
            # The socket is listening already: requests before the thread runs are answered when it does.
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="watchword-issuer", daemon=True)
            thread.start()
            try:
                yield served
            finally:
                server.shutdown()
                thread.join()
        finally:
            server.server_close()

    def _answer(self, path: str) -> tuple[int, bytes]:
        path = path.partition("?")[0]
        self._requests.append(path)
        if self._outage is not None:
            return self._outage, b"{}"
        if path == JWKS_PATH:
            return 200, json.dumps(self.jwks()).encode()
        if path in DISCOVERY_PATHS:
            return 200, json.dumps(self._metadata()).encode()
        return 404, b"{}"

    def _metadata(self) -> dict[str, Any]:
        """Return metadata (RFC 8414 section 2) with the members that OpenID Connect Discovery section 3 requires."""
        return {
            "issuer": self.issuer,
            "jwks_uri": self.jwks_uri,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(self.algorithms),
        }


def _new_server(port: int) -> ThreadingTCPServer:
    # Not http.server.HTTPServer, which looks up the name of 127.0.0.1 in the DNS and may wait for it.
    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            # A client that closes the connection early is not worth a line in the output of tests.
            if not isinstance(sys.exc_info()[1], OSError):
                super().handle_error(request, client_address)  # type: ignore[arg-type]  # narrower in its base

    return Server(("127.0.0.1", port), BaseRequestHandler)


def _handler(answer: Callable[[str], tuple[int, bytes]], max_age: int | None) -> type[BaseHTTPRequestHandler]:
    # HTTP/1.0, so that no connection outlives its response: a closed port must reject everyone.
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if max_age is not None:
                self.send_header("Cache-Control", f"max-age={max_age}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing, to keep the output of tests clean."""

    return Handler
