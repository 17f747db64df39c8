"""One application behind the gate, for each interface: it answers what it was given.

Its settings come from the environment: the key set of the issuer, and the file that lists the requests that reached it.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from typing import Any

from gate_routes import ISSUER, ORIGIN, ROUTES

import watchword as ww
from watchword.gate import Gate, Route


@functools.cache
def gate() -> Gate:
    issuer = ww.Issuer(ISSUER, jwks=json.loads(os.environ["TEST_JWKS"]))
    return Gate(ww.Verifier([issuer], audience=ORIGIN), [Route(**route) for route in ROUTES], public_url=ORIGIN)


def seen(method: str, path: str, headers: Iterable[tuple[str, str]], decision: Any, token: Any) -> bytes:
    """What the application was given, as JSON. Its call is noted in the file of requests that reached it."""
    pairs = [(name.lower(), value) for name, value in headers]
    for name, value in pairs:
        if name == "x-case":
            with open(os.environ["TEST_REACHED"], "a") as reached:
                reached.write(f"{value}\n")
    told = {
        "reached": True,
        "method": method,
        "path": path,
        "headers": pairs,
        "subject": None if token is None else token.subject,
        "scheme": None if decision is None else decision.scheme,
        "variables": None if decision is None else dict(decision.variables),
        "identity": [] if decision is None else [(name.lower(), value) for name, value in decision.identity_headers],
    }
    return json.dumps(told).encode()


# ASGI


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    state = scope.get("state", {})
    told = seen(scope.get("method", "GET"), scope["path"], pairs, state.get("decision"), state.get("token"))
    if scope["type"] == "websocket":
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": told})
        await receive()
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


def asgi() -> Any:
    from watchword.integrations.asgi import GateMiddleware

    return GateMiddleware(_asgi, gate(), identity_headers=True)


# WSGI


def _environ_headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]


def _wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    decision, token = environ.get("watchword.decision"), environ.get("watchword.token")
    told = seen(environ["REQUEST_METHOD"], environ["PATH_INFO"], _environ_headers(environ), decision, token)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
    return [told]


def wsgi() -> Any:
    from watchword.integrations.wsgi import GateMiddleware

    return GateMiddleware(_wsgi, gate(), identity_headers=True)


def flask_wsgi() -> Any:
    import flask

    from watchword.integrations.flask import init_app

    app = flask.Flask(__name__)
    init_app(app, gate())

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST", "DELETE"])
    def echo(path: str) -> Any:
        environ = flask.request.environ
        decision = environ.get("watchword.decision")
        told = seen(flask.request.method, "/" + path, flask.request.headers.items(), decision, flask.g.get("token"))
        return flask.Response(told, content_type="application/json")

    return app


# Django


def _django() -> None:
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["api.example", "127.0.0.1"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="for a test",
        MIDDLEWARE=["watchword.integrations.django.GateMiddleware"],
        WATCHWORD_GATE=f"{__name__}.the_gate",
        APPEND_SLASH=False,
    )
    django.setup()


def _echo(request: Any, path: str = "") -> Any:
    from django.http import HttpResponse

    decision = getattr(request, "decision", None)
    told = seen(request.method, request.path, request.headers.items(), decision, getattr(request, "token", None))
    return HttpResponse(told, content_type="application/json")


def django_wsgi() -> Any:
    _django()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def django_asgi() -> Any:
    _django()
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def __getattr__(name: str) -> Any:
    """Made when they are read: Django's URL patterns, and the gate by its dotted path."""
    if name == "urlpatterns":
        from django.urls import re_path

        return [re_path(r"^(?P<path>.*)$", _echo)]
    if name == "the_gate":
        return gate()
    raise AttributeError(name)
