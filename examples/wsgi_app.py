"""A web application that requires a bearer token: plain WSGI, keys discovered from the issuer.

    python wsgi_app.py https://as.example https://api.example

One Verifier serves the whole process, from all its threads. It fetches the issuer's keys once, refreshes them before
they expire, and uses those it has while the issuer is down.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

import watchword as ww

StartResponse = Callable[[str, list[tuple[str, str]]], object]
App = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def make_app(verifier: ww.Verifier) -> App:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        scheme, _, raw = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            # A request without a token gets a challenge without an error code (RFC 6750 section 3.1).
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return [b""]
        try:
            token = verifier.verify(raw.strip())
        except ww.KeysUnavailableError:
            # Not the client's fault: its token could not be verified.
            start_response("503 Service Unavailable", [("Retry-After", "5")])
            return [b""]
        except ww.VerificationError as error:
            challenge = error.www_authenticate(realm="orders") or "Bearer"
            start_response("401 Unauthorized", [("WWW-Authenticate", challenge)])
            return [b""]
        if "orders:read" not in token.scopes:
            start_response("403 Forbidden", [("WWW-Authenticate", 'Bearer error="insufficient_scope"')])
            return [b""]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"orders_of": token.subject}).encode()]

    return app


def main(issuer: ww.Issuer, audience: str, port: int = 8000) -> None:
    with ww.Verifier([issuer], audience=audience) as verifier:
        verifier.refresh()  # fail now, not at the first request, if the issuer is unavailable
        with make_server("127.0.0.1", port, make_app(verifier)) as server:
            print(f"http://127.0.0.1:{server.server_port}/", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    main(ww.Issuer(sys.argv[1]), audience=sys.argv[2])
