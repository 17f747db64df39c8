"""The servers that applications run in, started as processes of their own on free loopback ports."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from free_port import free_port
from wire import LONG, Answer, Wire, send

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Server:
    """A server, and the application of ``gated_apps`` that it runs. ``protocol`` is what requests are sent by."""

    name: str
    app: str
    command: Callable[[str, int], list[str]]
    websockets: bool = False
    protocol: str = "http/1.1"

    @property
    def identity_headers(self) -> bool:
        """Whether the application gets the gate's headers: its middleware was asked for them."""
        return self.app in ("asgi", "wsgi")


def _uvicorn(http: str, websockets: str) -> Callable[[str, int], list[str]]:
    return lambda app, port: [
        "uvicorn", f"gated_apps:{app}", "--factory", "--port", str(port), "--http", http, "--ws", websockets,
        "--lifespan", "off", "--no-access-log",
    ]  # fmt: skip


def _granian(interface: str) -> Callable[[str, int], list[str]]:
    return lambda app, port: [
        "granian", f"gated_apps:{app}", "--factory", "--interface", interface, "--port", str(port),
        "--workers", "1", "--backpressure", "64",
    ]  # fmt: skip


def _hypercorn(app: str, port: int) -> list[str]:
    return ["hypercorn", f"gated_apps:{app}()", "--bind", f"127.0.0.1:{port}"]


def _gunicorn(worker: str) -> Callable[[str, int], list[str]]:
    size = ["--threads", "4"] if worker == "gthread" else []
    return lambda app, port: [
        "gunicorn", f"gated_apps:{app}()", "--bind", f"127.0.0.1:{port}", "--worker-class", worker, *size,
        "--no-control-socket",
    ]  # fmt: skip


SERVERS = (
    Server("uvicorn-h11", "asgi", _uvicorn("h11", "wsproto"), websockets=True),
    Server("uvicorn-httptools", "asgi", _uvicorn("httptools", "websockets-sansio"), websockets=True),
    Server("granian-asgi", "asgi", _granian("asgi"), websockets=True),
    Server("granian-wsgi", "wsgi", _granian("wsgi")),
    Server("hypercorn-h11", "asgi", _hypercorn, websockets=True),
    Server("hypercorn-h2", "asgi", _hypercorn, protocol="h2"),
    Server("gunicorn-gthread", "wsgi", _gunicorn("gthread")),
    Server("gunicorn-gevent", "wsgi", _gunicorn("gevent")),
    Server("gunicorn-gthread-flask", "flask_wsgi", _gunicorn("gthread")),
    Server("gunicorn-gevent-flask", "flask_wsgi", _gunicorn("gevent")),
    Server("gunicorn-gthread-django", "django_wsgi", _gunicorn("gthread")),
    Server("uvicorn-django", "django_asgi", _uvicorn("httptools", "none")),
)


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    server: Server
    port: int
    log: Path

    def send(self, wire: Wire) -> Answer:
        return send(self.port, wire, self.server.protocol)

    @contextlib.contextmanager
    def showing_log(self) -> Iterator[None]:
        """On failure, add what the server wrote meanwhile to the error."""
        start = self.log.stat().st_size
        try:
            yield
        except Exception as error:
            error.add_note(f"{self.server.name} wrote:\n{self.log.read_bytes()[start:].decode(errors='replace')}")
            raise


@contextlib.contextmanager
def running(server: Server, log: Path, env: Mapping[str, str]) -> Iterator[Running]:
    """Start the server, wait until it answers, and stop it at the end with all its processes."""
    port = free_port()
    command = [sys.executable, "-m", *server.command(server.app, port)]
    path = os.pathsep.join([str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    given = {**os.environ, **env, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=log.parent, env=given, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            found = Running(server, port, log)
            _wait(found, process)
            yield found
        finally:
            _stop(process)


def _wait(found: Running, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 2 * LONG
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found.send(Wire("GET", "/public")).status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{found.server.name} did not answer on port {found.port}:\n{found.log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The group: some servers have workers.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
    process.wait()
