"""The same small application in FastAPI and in Flask, and real servers for both, on loopback."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import flask
import uvicorn
from fastapi import Depends, FastAPI, Request
from werkzeug.serving import WSGIRequestHandler, make_server

from watchword.providers.authgent import AgentIdentity
from watchword.providers.authgent.middleware import fastapi as for_fastapi
from watchword.providers.authgent.middleware import flask as for_flask

#: What clients know both applications by, wherever they are served.
PUBLIC = "https://app.example"

Serve = Callable[[Any], contextlib.AbstractContextManager[str]]


def shown(identity: AgentIdentity | None) -> dict[str, Any]:
    if identity is None:
        return {"agent": None}
    return {
        "agent": identity.subject,
        "scopes": identity.scopes,
        "actors": [actor["sub"] for actor in identity.delegation_chain.actors],
    }


def fastapi_app(issuer: str, audience: Any = None, **options: Any) -> FastAPI:
    options.setdefault("public_url", PUBLIC)
    app = FastAPI()
    app.add_middleware(for_fastapi.AgentAuthMiddleware, issuer=issuer, audience=audience, **options)

    @app.get("/health")
    @app.get("/")
    async def anybody(request: Request) -> dict[str, Any]:
        return shown(getattr(request.state, "authgent_identity", None))

    @app.get("/me")
    async def me(request: Request) -> dict[str, Any]:
        return shown(for_fastapi.get_agent_identity(request))

    @app.post("/tools/search")
    @for_fastapi.require_agent_auth(scopes=["search:execute", "read"])
    async def search(identity: Annotated[AgentIdentity, Depends(for_fastapi.get_agent_identity)]) -> dict[str, Any]:
        return shown(identity)

    return app


def flask_app(issuer: str, audience: Any = None, **options: Any) -> flask.Flask:
    options.setdefault("public_url", PUBLIC)
    app = flask.Flask(__name__)
    for_flask.AgentAuthMiddleware(app, issuer=issuer, audience=audience, **options)

    @app.get("/health")
    @app.get("/")
    def anybody() -> dict[str, Any]:
        return shown(flask.g.get("authgent_identity"))

    @app.get("/me")
    def me() -> dict[str, Any]:
        return shown(for_flask.get_agent_identity())

    @app.post("/tools/search")
    @for_flask.require_agent_auth(scopes=["search:execute", "read"])
    def search() -> dict[str, Any]:
        return shown(flask.g.authgent_identity)

    return app


@contextlib.contextmanager
def asgi(app: Any) -> Iterator[str]:
    """Serve an ASGI application with uvicorn, and yield its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-uvicorn")
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "uvicorn did not start"
            assert time.monotonic() < until, "uvicorn did not start"
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Log nothing, to keep the output of tests clean."""


@contextlib.contextmanager
def wsgi(app: Any) -> Iterator[str]:
    """Serve a WSGI application with a thread for each request, and yield its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="test-werkzeug")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


#: name -> how the application is made, and how it is served.
FRAMEWORKS: dict[str, tuple[Callable[..., Any], Serve]] = {"fastapi": (fastapi_app, asgi), "flask": (flask_app, wsgi)}
