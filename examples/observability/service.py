"""A service with metrics and a decision log, in several processes: gunicorn -c gunicorn_conf.py service:app"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import watchword as ww
from watchword.gate import Gate, Route
from watchword.integrations.wsgi import GateMiddleware
from watchword.observability import DecisionLog, Metrics, combine

logging.basicConfig(format="%(message)s")

metrics, log = Metrics(), DecisionLog()
verifier = ww.Verifier(
    [ww.Issuer(os.environ["ISSUER"], allow_loopback_http=True)],
    audience="https://api.example",
    token_cache=ww.TokenCache(max_bytes=16 * 1024 * 1024),
)
gate = Gate(
    verifier,
    [Route("/orders", scopes=["orders:read"])],
    public_url="https://api.example",
    on_verdict=combine(metrics, log),
)


def orders(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application behind the gate."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"orders of {environ['watchword.token'].subject}\n".encode()]


app = GateMiddleware(orders, gate)
