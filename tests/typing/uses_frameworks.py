"""A program with the integrations of WSGI, Flask and Django. It is never run: ``mypy --strict`` must accept it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, Response, g

import watchword as ww
from watchword.gate import Decision, Gate, Route
from watchword.integrations import flask as for_flask
from watchword.integrations import wsgi
from watchword.integrations.django import GateMiddleware, authenticated, get_gate, request_allowed, request_rejected

gate = Gate(ww.Verifier("https://as.example"), [Route("/{path...}")], public_url="https://api.example")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    decision: Decision = environ["watchword.decision"]
    token: ww.VerifiedToken | None = environ["watchword.token"]
    start_response("200 OK", [])
    return [str(decision.route).encode(), b"" if token is None else str(token.subject).encode()]


served: Callable[[Any, Any], Iterable[bytes]] = wsgi.GateMiddleware(application, gate, identity_headers=True)

app = Flask(__name__)
blueprint = Blueprint("b", __name__)
for_flask.init_app(app, gate)
for_flask.init_app(blueprint, gate)
app.wsgi_app = wsgi.GateMiddleware(app.wsgi_app, gate)  # type: ignore[method-assign]  # as Flask documents it


@app.get("/orders/<int:number>")
@for_flask.authenticated(gate, scopes=["orders:{number}"], max_age=300)
def order(number: int) -> Response:
    return Response(f"{number} {g.token.subject}")


@app.get("/orders")
@for_flask.authenticated(gate, optional=True)
async def orders() -> str:
    decision: Decision = for_flask.check_request(gate, gate.guard(scopes=["a"]))
    return decision.code


kept: Response = order(5)


@authenticated(scopes=["orders:read"])
def view(request: object, number: int) -> str:
    return f"{request} {number} {get_gate()}"


shown: str = view(object(), number=5)
middleware = GateMiddleware(lambda request: request)
request_allowed.connect(print)
request_rejected.connect(print)
