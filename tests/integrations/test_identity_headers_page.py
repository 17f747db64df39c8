"""docs/identity-headers.md: its table is that of the gate, and its programs accept what they say, in each language."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asgi_calls import call
from asgi_calls import http as scope
from free_port import free_port

from watchword.gate import Gate, GateConfig, Route
from watchword.testing import LocalIssuer

PAGE = (Path(__file__).parents[2] / "docs" / "identity-headers.md").read_text(encoding="utf-8")
SECRET = secrets.token_urlsafe(32)
LONG = 60.0

ISSUER = LocalIssuer(audience="https://api.example")
GATE = Gate(ISSUER.verifier(), [Route("/x")], public_url="https://api.example", identity_secret=SECRET)


def identity_headers() -> list[tuple[str, str]]:
    headers = [("Authorization", f"Bearer {ISSUER.mint(sub='alice')}")]
    return list(GATE.check(method="GET", target="/x", headers=headers).identity_headers)


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


def test_the_table_has_the_headers() -> None:
    table = [line for line in PAGE.splitlines() if line.startswith("| `X-Auth-")]
    documented = [name for line in table for name in re.findall(r"`(X-Auth-[\w-]+)`", line.split("|")[1])]
    assert sorted(documented) == sorted(name for name, _ in identity_headers())
    assert "eleven" in PAGE
    assert len(documented) == 11
    assert GateConfig.from_toml(
        'public_url = "https://api.example"\nissuers = [{ issuer = "https://as.example" }]\n' + block("toml").strip()
    ).identity_secret_file == Path("identity.secret")


def test_the_programs_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "identity.secret").write_text(SECRET + "\n")
    monkeypatch.chdir(tmp_path)
    reading, asgi, wsgi = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(reading, names)
    assert names["subject_of"](identity_headers()) == "alice"
    assert names["subject_of"]({"X-Auth-Sub": "admin"}).startswith("403 X-Auth-Secret is missing")
    exec(asgi, names)
    encoded = [(name.lower().encode(), value.encode()) for name, value in identity_headers()]
    assert call(names["service"], scope(headers=encoded)).messages[1]["body"] == b"alice"
    assert call(names["service"], scope()).status == 403
    exec(wsgi, names)
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in identity_headers()}
    assert names["service"]({**environ, "REQUEST_METHOD": "GET"}, lambda *_: None) == [b"alice"]


# Programs that answer by 200 what comes from the gate, and by 403 anything else.

GO = """package main

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"os"
)

BLOCK
func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromGate(r, os.Args[1]) {
			w.WriteHeader(403)
		}
	}))
}
"""

NODE = """const crypto = require("crypto");
BLOCK
const server = require("http").createServer((request, response) => {
  response.statusCode = fromGate(request, process.argv[2]) ? 200 : 403;
  response.end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextlib.contextmanager
def running(*command: str) -> Iterator[int]:
    """Run a program that prints its port. Yields that."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def needed(program: str) -> str:
    found = shutil.which(program) or shutil.which(program, path=f"{os.defpath}:/usr/sbin:/usr/local/go/bin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def status(port: int, headers: list[tuple[str, str]]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    connection.putrequest("GET", "/")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    with contextlib.closing(connection):
        return connection.getresponse().status


def check(port: int, *, joins: bool = True) -> None:
    sent = identity_headers()
    assert status(port, sent) == 200
    assert status(port, []) == 403
    assert status(port, sent[:-1]) == 403
    for wrong in ("", SECRET[:-1], SECRET + "x", SECRET.swapcase(), f"x{SECRET}"):
        assert status(port, [*sent[:-1], ("X-Auth-Secret", wrong)]) == 403
    if joins:
        assert status(port, [*sent, ("x-auth-sub", "admin")]) == 403
        assert status(port, [*sent, ("x-auth-secret", SECRET)]) == 403


def test_the_program_in_go(tmp_path: Path) -> None:
    go = needed("go")
    (tmp_path / "main.go").write_text(GO.replace("BLOCK", block("go")))
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOCACHE": str(tmp_path / "cache")}
    subprocess.run([go, "build", "-o", "app", "main.go"], cwd=tmp_path, env=environment, check=True)
    with running(str(tmp_path / "app"), SECRET) as port:
        check(port)


def test_the_program_in_node(tmp_path: Path) -> None:
    node = needed("node")
    (tmp_path / "main.js").write_text(NODE.replace("BLOCK", block("js")))
    with running(node, str(tmp_path / "main.js"), SECRET) as port:
        check(port)


class _Upstream(BaseHTTPRequestHandler):
    seen: ClassVar[list[Any]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_the_configuration_of_nginx(tmp_path: Path) -> None:
    nginx = needed("nginx")
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    port = free_port()
    (tmp_path / "identity-secrets.map").write_text(f'"~^{SECRET}$" 1;\n')
    served = block("nginx").replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace(":8000", f":{upstream.server_port}")
    paths = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {paths}\n{served}}}"
    )
    command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + LONG
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), LONG):
                    break
                assert time.monotonic() < deadline, "nginx does not listen"
                assert process.poll() is None, process.stderr and process.stderr.read()
            check(port, joins=False)
        finally:
            process.terminate()
    upstream.shutdown()
    upstream.server_close()
    (received,) = _Upstream.seen
    assert received["X-Auth-Sub"] == "alice"
    # The application never sees it, so that it cannot show it.
    assert "X-Auth-Secret" not in received
