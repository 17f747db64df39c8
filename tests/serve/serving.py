"""``watchword serve`` in a process of its own, and what a proxy and an operator ask of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse

COMMAND = [sys.executable, "-m", "watchword.cli", "serve"]

#: For what must happen soon, in seconds, on however slow a machine.
SOON = 60.0

API = "https://api.test"

ROUTES = """
[[routes]]
path = "/health"
public = true

[[routes]]
path = "/orders/{id}"
scopes = ["orders:read"]
"""

#: An unknown kid causes a fetch at once; what fails is tried again soon.
CACHE = "{ cooldown = 0, backoff_base = 0.05, backoff_cap = 0.1, timeout = 5 }"


def configuration(*issuers: str, routes: str = ROUTES, top: str = "", server: str = "", more: str = "") -> str:
    """A configuration for issuers on loopback."""
    sections = "".join(
        f'[[issuers]]\nissuer = "{issuer}"\nallow_loopback_http = true\ncache = {CACHE}\n\n' for issuer in issuers
    )
    return (
        f'public_url = "{API}"\n{top}\n[token]\naudience = "{API}"\n\n{sections}{routes}\n'
        f'[server]\nproxy = "nginx"\nlisten = "127.0.0.1:0"\nstatus_listen = "127.0.0.1:0"\n{server}\n{more}\n'
    )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The code of a rejection; ``None`` if it is none."""
        return self.json["code"] if self.body else None


class Served:
    """A running server."""

    def __init__(self, config: Path, *arguments: str, **environment: str) -> None:
        self.config = config
        self.process = subprocess.Popen(
            [*COMMAND, "--config", str(config), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        )
        self.log: list[str] = []
        self.decisions: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines))
            for stream, lines in ((self.process.stderr, self.log), (self.process.stdout, self.decisions))
        ]
        for reader in self._readers:
            reader.start()

    def wait_until_listening(self) -> None:
        found = re.search(r"listening at (\S+).*; status at (\S+)", self.wait_for("listening at"))
        self.address, self.status_address = found[1], found[2]

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, text: str, *, after: int = 0, in_decisions: bool = False) -> str:
        """Wait for a line of the log, or of the decision log; return it."""
        lines = self.decisions if in_decisions else self.log

        def found() -> bool:
            return any(text in line for line in lines[after:]) or self._ended

        with self._changed:
            assert self._changed.wait_for(found, SOON), f"{text!r} was expected: {lines}"
        matching = [line for line in lines[after:] if text in line]
        assert matching, f"{text!r} was expected, and the process ended: {self.log}"
        return matching[0]

    # As a proxy.

    def ask(self, target: str = "/orders/7", token: str | None = None, method: str = "GET", **headers: str) -> Answer:
        """Ask as nginx does."""
        sent = {"X-Original-Method": method, "X-Original-URI": target}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return request(self.address, "/watchword-gate", sent)

    # As an operator.

    def page(self, path: str) -> Answer:
        return request(self.status_address, path)

    def metric(self, name: str, **labels: str) -> float | None:
        """The sum of the samples with these labels; ``None`` without any."""
        found = [
            sample.value
            for family in parse(self.page("/metrics").body.decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it, and return its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(SOON)
        for reader in self._readers:
            reader.join(SOON)
        return status


def request(address: str, path: str, headers: dict[str, str] | None = None) -> Answer:
    """A request on a connection of its own."""
    with contextlib.closing(connected(address)) as connection:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def connected(address: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("localhost", timeout=SOON)
    if address.startswith("unix:"):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(SOON)
        connection.sock.connect(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        connection.sock = socket.create_connection((host.strip("[]"), int(port)), SOON)
    return connection


@contextlib.contextmanager
def serving(config: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """A running server, which is stopped at the end: it must end well."""
    served = Served(config, *arguments, **environment)
    try:
        served.wait_until_listening()
        yield served
        if served.process.poll() is None:
            assert served.stop() == 0, served.log
        assert not [line for line in served.log if "Traceback" in line], served.log
    finally:
        served.process.kill()
        served.wait()
        served.process.stdout.close()
        served.process.stderr.close()
