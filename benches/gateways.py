"""Requests per second through ``watchword serve`` and the proxies of examples/gateways.

    cargo build --release -p watchword-serve --example empty
    python benches/gateways.py --empty target/release/examples/empty

It needs wrk, and of the proxies those that are installed; the others are left out. Contenders take turns; a figure is
the median of the ratios within a turn. "Public" is ``watchword serve``, too: the same requests to a route that needs no
token, of which nothing is verified. "Empty" is a server on hyper that answers every request with an empty 200 and does
nothing else. The application behind the proxies is nginx, which answers an empty 200. CPU is that of the contender's
process.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests/gateways"))

from free_port import free_port
from gate_routes import ISSUER
from gateways import GATEWAYS, Gateway, running
from server_process import serving
from wire import Wire, send
from wrk import Turn, bearer, turn

from watchword.testing import LocalIssuer

AUDIENCE = "https://api.example"
TOKENS = 100
TARGET = "/orders/1"

#: Floors: the contender, what it is compared with, its ratio of requests per second, the highest ratio of its CPU time.
FLOORS = {
    "serve, cached": ("serve, public", 0.85, 1.5),
    "serve, cached, beside PyJWT": ("PyJWT on granian", 6.0, 1 / 12),
    "nginx auth_request, serve": ("nginx auth_request, empty", 0.85, None),
    "caddy, serve": ("caddy, empty", 0.70, None),
    "envoy ext_authz, serve": ("envoy ext_authz, empty", 0.75, None),
}

_APPLICATION = """
{user} daemon off; pid app.pid; worker_processes 1; error_log stderr warn;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 100000000; large_client_header_buffers 4 32k;
  client_body_temp_path ab; proxy_temp_path ap; fastcgi_temp_path af; uwsgi_temp_path au; scgi_temp_path as;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 ""; }} }} }}
"""


@dataclass(frozen=True)
class Contender:
    """Where requests are sent, which, and the processes whose CPU time is counted."""

    port: int
    requests: Path
    processes: tuple[int, ...]


class Bench:
    """Servers and proxies, started once."""

    def __init__(self, folder: Path, stack: ExitStack, empty: Path, threads: int) -> None:
        self._folder, self._stack = folder, stack
        issuer = LocalIssuer(ISSUER, audience=AUDIENCE, algorithms=("EdDSA",))
        self._jwks = issuer.jwks()
        tokens = [issuer.mint({"scope": "orders:read", "sub": f"agent-{i}"}, expires_in=86_400) for i in range(TOKENS)]
        self._of_clients = self._write("clients", [bearer(token) for token in tokens])
        self._of_proxies = self._write("proxies", [_of_proxy(token, TARGET) for token in tokens])
        self._public = self._write("public", [_of_proxy(token, "/health") for token in tokens])
        self._threads = threads
        self._empty_port = free_port()
        self._empty = self._run("empty", [str(empty), f"127.0.0.1:{self._empty_port}", str(threads)], self._empty_port)

    def server(self) -> dict[str, Contender]:
        """The servers themselves, without a proxy."""
        serve, pyjwt = free_port(), free_port()
        config = {
            "public_url": AUDIENCE,
            "token": {"audience": AUDIENCE},
            "server": {"proxy": "nginx", "listen": f"127.0.0.1:{serve}", "threads": self._threads},
            "issuers": [{"issuer": ISSUER, "jwks": self._jwks}],
            "routes": [{"path": "/health", "public": True}, {"path": "/orders/{id}", "scopes": ["orders:read"]}],
        }
        (self._folder / "gate.json").write_text(json.dumps(config))
        (self._folder / "jwks.json").write_text(json.dumps(self._jwks))
        command = [sys.executable, "-m", "watchword.cli", "serve", "--config", "gate.json"]
        serving_process = self._run("serve", command, serve)
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--log-level", "error"]
        command += ["gateway_app:app", "--port", str(pyjwt), "--workers", str(self._threads)]
        path = {"JWKS": "jwks.json", "PYTHONPATH": str(Path(__file__).parent)}  # PyJWT is all that it needs
        pyjwt_process = self._run("pyjwt", command, pyjwt, path)
        watchword = Contender(serve, self._of_proxies, (serving_process,))
        return {
            "empty": Contender(self._empty_port, self._of_proxies, (self._empty,)),
            "serve, public": Contender(serve, self._public, (serving_process,)),
            "serve, cached": watchword,
            "serve, cached, beside PyJWT": watchword,
            "PyJWT on granian": Contender(pyjwt, self._of_proxies, (pyjwt_process,)),
        }

    def proxy(self, gateway: Gateway, name: str) -> dict[str, Contender]:
        """A proxy with ``watchword serve``, and with the empty server in its place."""
        application = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        (self._folder / "app.conf").write_text(_APPLICATION.format(port=application, user=user))
        command = ["nginx", "-p", str(self._folder), "-c", "app.conf", "-e", "stderr"]
        self._run("application", command, application)
        found = {}
        for kind, verifier in (("serve", None), ("empty", self._empty_port)):
            folder = self._folder / f"{gateway.name}-{kind}"
            folder.mkdir()
            threads = {"threads": self._threads}
            ran = self._stack.enter_context(running(gateway, folder, self._jwks, application, verifier, server=threads))
            found[f"{name}, {kind}"] = Contender(ran.ports.http, self._of_clients, ())
        return found

    def _write(self, name: str, lines: list[str]) -> Path:
        path = self._folder / f"{name}.requests"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _run(self, name: str, command: list[str], port: int, env: Mapping[str, str] | None = None) -> int:
        environment = {**os.environ, **(env or {})}
        log = self._folder / f"{name}.log"
        process = self._stack.enter_context(
            serving(command, log=log, ready=lambda: _listens(port), cwd=self._folder, env=environment)
        )
        return process.pid


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--empty", type=Path, required=True, help="the example empty of watchword-serve")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="for each contender in a turn")
    parser.add_argument("--threads", type=int, default=1, help="of the servers: the load has one, too")
    parser.add_argument("--quick", action="store_true", help="measure nothing: does every contender work?")
    arguments = parser.parse_args()
    turns, seconds = (1, 1) if arguments.quick else (arguments.turns, arguments.seconds)
    for build in _groups():
        with _bench(arguments.empty.resolve(), arguments.threads) as (bench, folder):
            contenders = build(bench)
            measured: dict[str, list[Turn]] = {name: [] for name in contenders}
            for number in range(turns):
                for name, contender in contenders.items():
                    measured[name].append(
                        turn(
                            contender.port,
                            TARGET,
                            contender.requests,
                            contender.processes,
                            seconds=seconds,
                            first=number,
                            folder=folder,
                        )
                    )
        if not arguments.quick:
            _report(measured)


def _groups() -> Iterator[Callable[[Bench], dict[str, Contender]]]:
    yield Bench.server
    by_name = {gateway.name: gateway for gateway in GATEWAYS}
    for name, shown in (("nginx", "nginx auth_request"), ("caddy", "caddy"), ("envoy", "envoy ext_authz")):
        gateway = by_name[name]
        if gateway.binary() is None:
            print(f"{shown}: not installed", file=sys.stderr)
        else:
            yield functools.partial(Bench.proxy, gateway=gateway, name=shown)


@contextmanager
def _bench(empty: Path, threads: int) -> Iterator[tuple[Bench, Path]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        yield Bench(Path(name), stack, empty, threads), Path(name)


def _report(measured: Mapping[str, list[Turn]]) -> None:
    for name, turns in measured.items():
        rate, cpu, p99 = (statistics.median(getattr(one, field) for one in turns) for field in ("rate", "cpu", "p99"))
        line = f"| {name} | {rate:,.0f} | {f'{cpu:.0f}' if cpu else ''} | {p99 / 1000:.2f} |"
        if name in FLOORS:
            other, floor, most = FLOORS[name]
            ratios = [a.rate / b.rate for a, b in zip(turns, measured[other], strict=True)]
            line += f" {statistics.median(ratios):.2f} of {other} (floor {floor:.2f})"
            if most is not None:
                cpus = [a.cpu / b.cpu for a, b in zip(turns, measured[other], strict=True)]
                line += f"; CPU {statistics.median(cpus):.2f} (at most {most:.2f})"
        print(line, flush=True)


def _of_proxy(token: str, target: str) -> str:
    return (
        f"{bearer(token)}\tX-Original-Method: GET\tX-Original-URI: {target}\t"
        f"X-Forwarded-Method: GET\tX-Forwarded-Uri: {target}"
    )


def _listens(port: int) -> bool:
    try:
        return send(port, Wire("GET", "/")).status > 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
