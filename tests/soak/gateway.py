"""``python tests/soak/gateway.py --seconds 600``: nginx, ``watchword serve`` and Redis while everything changes.

The example of nginx in front of a real ``watchword serve``, with a real Redis for used proofs. Clients send valid and
invalid requests. Meanwhile the issuer rotates and withdraws keys, and its endpoint is unavailable until the keys have
expired; Redis is killed and started; the configuration is replaced, by valid and by invalid ones. Every answer is
compared with what was right at that time, and the application answers with the identity headers that reached it. A
wrong answer, a rejection without its challenge, a 5xx that was not right, memory that grows, or a file that is left
open fails the run. Durations are those that the clients saw, which share one Python process.

The same seed makes the same choices, but threads take turns as they like: it does not make the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gateways"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

import redis_server
from free_port import free_port
from gate_routes import ORIGIN
from gateway_clients import SEEN, Client, Site
from gateway_configuration import Configuration, routes
from gateway_history import GatewayHistory
from gateway_keys import CACHE, Endpoint, Keys
from gateway_redis import Redis
from gateway_report import WITHOUT_TABLES, Report
from gateway_status import metric, page
from gateways import NGINX, SECRET, running
from server_process import serving
from soak_history import Key, Span
from soak_processes import connections, open_files, resident, started_in, wait_until
from soak_tally import Tally

from watchword.testing import LocalIssuer

CLIENTS = 12

ALGORITHMS = ("EdDSA", "ES256")

#: What the token cache may use, in bytes.
_TOKEN_CACHE = 8 << 20

#: How often memory is measured.
_SAMPLES = 10

#: How long an idle connection is kept by nginx, so that none is left soon after the clients have gone.
_KEEPALIVE = 2

#: For what must happen soon, in seconds, on however slow a machine.
_SOON = 60.0


class Processes:
    """``watchword serve`` and nginx, and what they use."""

    def __init__(self, folder: Path, status: int) -> None:
        self._status = status
        (self.serve,) = started_in(folder, f"{sys.executable} -m watchword.cli serve")
        self._nginx = started_in(folder, "nginx: ")
        self._all = {"serve": [self.serve], "nginx": self._nginx}

    def memory(self) -> dict[str, int]:
        used = {name: sum(resident(pid) for pid in pids) for name, pids in self._all.items()}
        # There is one for each key, until they fill a budget of their own: so many keys as here have no issuer.
        tables = int(metric(self._status, "watchword_server_key_tables_bytes"))
        return {**used, WITHOUT_TABLES: used["serve"] - tables}

    def open_files(self) -> dict[str, list[str]]:
        return {name: [file for pid in pids for file in open_files(pid)] for name, pids in self._all.items()}

    def is_idle(self) -> bool:
        """Whether only the connection to Redis is left."""
        return connections(self.serve) <= 1 and not any(connections(pid) for pid in self._nginx)


def run(seconds: float, seed: int, clients: int, folder: Path) -> Report:
    """Return what the clients saw and what the operators did."""
    rng = random.Random(seed)
    with contextlib.ExitStack() as stack:
        (folder / "redis").mkdir()
        server = stack.enter_context(redis_server.running(folder / "redis"))
        endpoint = Endpoint(LocalIssuer(audience=ORIGIN, algorithms=ALGORITHMS))
        stack.callback(endpoint.close)
        (folder / "nginx").mkdir()
        status = free_port()
        sections = _sections(endpoint.issuer.issuer, server.url, status)
        port = stack.enter_context(_application(folder))
        ran = stack.enter_context(running(_NGINX, folder / "nginx", {}, port, **sections))
        processes = Processes(folder / "nginx", status)
        forger = LocalIssuer(endpoint.issuer.issuer, audience=ORIGIN, algorithms=ALGORITHMS)
        site = Site(ran.ports.http, endpoint.issuer, forger, GatewayHistory(), Tally(SEEN), SECRET)
        keys = Keys(site, random.Random(rng.random()), endpoint)
        redis = Redis(site, random.Random(rng.random()), server)
        file = folder / "nginx/gate.json"
        configuration = Configuration(site, random.Random(rng.random()), file, processes.serve, status)
        report = Report(site.tally, [keys, redis, configuration])
        _note_start(site)
        # It has its keys, and a connection to Redis, from here on.
        wait_until(redis.accepts, _SOON, "proofs are accepted")
        wait_until(processes.is_idle, _SOON, "the connections are closed")
        before = processes.open_files()
        _load(report, processes, [Client(site, random.Random(rng.random())) for _ in range(clients)], seconds)
        _check_files(report, before, processes)
        report.problems += _pages(status)
    log = (folder / "nginx/gate.log").read_text()
    report.problems += [line for line in log.splitlines() if "Traceback" in line or "panicked" in line]
    return report


#: The example, with connections to the gate and to the application that are closed soon.
_NGINX = replace(
    NGINX,
    edits=lambda ports: {**NGINX.edits(ports), "keepalive 64;": f"keepalive 64;\n    keepalive_timeout {_KEEPALIVE}s;"},
)


def _sections(issuer: str, replay: str, status: int) -> dict[str, Any]:
    return {
        "issuers": [{"issuer": issuer, "allow_loopback_http": True, "cache": CACHE}],
        "token": {"audience": ORIGIN, "leeway": 0},
        "token_cache": {"max_bytes": _TOKEN_CACHE},
        "dpop": {"replay": replay},
        "routes": routes(0),
        "server": {"status_listen": f"127.0.0.1:{status}"},
    }


@contextlib.contextmanager
def _application(folder: Path) -> Iterator[int]:
    """Run the application in a process of its own, and yield its port."""
    command = [sys.executable, str(Path(__file__).with_name("soak_application.py")), str(folder)]
    written = folder / "port"
    with serving(command, log=folder / "application.log", ready=written.exists, cwd=folder):
        yield int(written.read_text())


def _note_start(site: Site) -> None:
    """Note the keys and the routes that the gate has from its start."""
    with site.history.reloading():
        pass
    with site.history.publishing() as keys:
        keys += [Key(jwk["kid"], Span(), Span()) for jwk in site.issuer.jwks()["keys"]]
    now = time.monotonic()
    for key in keys:
        key.known.begins = key.known.begun = now


def _load(report: Report, processes: Processes, clients: list[Client], seconds: float) -> None:
    """Let the clients and the operators work, and measure memory meanwhile."""
    end = threading.Event()
    # Pauses are shorter in short runs, so that everything happens in them, too.
    pause = min(3.0, seconds / 100)
    begun = time.monotonic()
    working = [threading.Thread(target=client.work, args=(end,)) for client in clients]
    changing = [threading.Thread(target=each.work, args=(begun + seconds, pause)) for each in report.operators]
    for thread in working + changing:
        thread.start()
    for sample in range(1, _SAMPLES + 1):
        time.sleep(max(0.0, begun + seconds * sample / _SAMPLES - time.monotonic()))
        for name, used in processes.memory().items():
            report.memory.setdefault(name, []).append(used)
    for thread in changing:
        thread.join()
    end.set()
    for thread in working:
        thread.join()
    report.seconds = time.monotonic() - begun
    report.check_memory()


def _check_files(report: Report, before: dict[str, list[str]], processes: Processes) -> None:
    """Once the clients have gone, there must be as many open files as there were before they came."""
    counts = {name: len(files) for name, files in before.items()}

    def are_as_before() -> bool:
        now = {name: len(files) for name, files in processes.open_files().items()}
        return processes.is_idle() and now == counts

    try:
        wait_until(are_as_before, _SOON, "files are closed")
    except TimeoutError as error:
        report.problems.append(f"{error}: {before} before, {processes.open_files()} now")
    report.files = {name: (counts[name], len(files)) for name, files in processes.open_files().items()}


def _pages(status: int) -> list[str]:
    """Return which of the pages for operators do not answer 200 at the end."""
    problems = []
    for path in ("/readyz", "/livez", "/"):
        try:
            page(status, path)
        except OSError as error:
            problems.append(f"{path}: {error}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    # For watchword serve, too.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2] / "python")
    # Whatever hangs, it ends.
    faulthandler.dump_traceback_later(options.seconds + 300, exit=True)
    with tempfile.TemporaryDirectory() as folder:
        report = run(options.seconds, options.seed, options.clients, Path(folder))
    print(f"seed {options.seed}, {options.clients} clients, {report.seconds:.0f} s: {report.tally.total} answers")
    print(*report.describe(), sep="\n")
    sys.exit(bool(report.tally.wrong or report.problems or report.tally.missing()))


if __name__ == "__main__":
    main()
