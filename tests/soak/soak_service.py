"""One gate behind two servers of this process: an ASGI application under uvicorn, a WSGI application on threads."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

import uvicorn

from watchword.gate import Gate
from watchword.integrations import asgi, wsgi


def _told(decision: Any, token: Any) -> bytes:
    return json.dumps({"route": decision.route, "subject": token and token.subject}).encode()


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    told = _told(scope["state"]["decision"], scope["state"]["token"])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


def _wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    told = _told(environ["watchword.decision"], environ["watchword.token"])
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
    return [told]


@contextlib.contextmanager
def serving(gate: Gate) -> Iterator[tuple[int, int]]:
    """Yield the ports of both servers on loopback."""
    with _uvicorn(asgi.GateMiddleware(_asgi, gate)) as one, _threads(wsgi.GateMiddleware(_wsgi, gate)) as other:
        yield one, other


@contextlib.contextmanager
def _uvicorn(app: Any) -> Iterator[int]:
    # Listening from here on: a connection that comes before the loop runs waits for it.
    bound = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="uvicorn")
    thread.start()
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        # What wsgiref does, and the request line as gunicorn and others pass it on.
        environ = {**self.get_environ(), "REQUEST_URI": self.path}
        handler = ServerHandler(self.rfile, self.wfile, self.get_stderr(), environ, multithread=True)
        handler.request_handler = self  # type: ignore[attr-defined]
        handler.run(self.server.get_app())  # type: ignore[attr-defined]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up the name of 127.0.0.1.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()


@contextlib.contextmanager
def _threads(app: Any) -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.set_app(app)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="wsgi")
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
