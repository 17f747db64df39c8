"""docs/serve.md: its example is valid, and it names every metric and everything that needs a restart."""

from __future__ import annotations

import contextlib
import http.server
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from endpoint import eventually
from serving import request, serving

from watchword.gate import GateConfig
from watchword.serve.metrics import LAST_RELOAD, LOADED_AT, READY, RELOADS, SERVER, TABLES
from watchword.serve.settings import fixed_settings, server_settings
from watchword.testing import LocalIssuer

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")


def example() -> GateConfig:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return GateConfig.from_toml(text)


def test_the_example_is_valid() -> None:
    assert example().warnings == ()
    assert server_settings(example())["proxy"] == "nginx"


def test_every_metric_of_the_server_is_on_the_page() -> None:
    instruments = [*SERVER.values(), READY, RELOADS, LAST_RELOAD, LOADED_AT, TABLES]
    names = {one.prometheus_name + ("_total" if one.kind == "counter" else "") for one in instruments}
    of_server = {name for name in names if name.startswith("watchword_server_")}
    assert set(re.findall(r"`(watchword_server_\w+)`", PAGE)) == of_server


def test_everything_that_needs_a_restart_is_on_the_page() -> None:
    section = PAGE.split("\n## Reload\n")[1].split("\n## ")[0]
    for name in fixed_settings(example(), server_settings(example())):
        if name not in _LIMITS:
            assert f"`{name.removeprefix('server.')}`" in section, name


#: "the limits of `[server]`".
_LIMITS = {
    "server.max_connections",
    "server.header_timeout",
    "server.idle_timeout",
    "server.write_timeout",
    "server.lookup_timeout",
    "server.replay_timeout",
    "server.max_header_bytes",
    "server.path_prefix",
    "dpop.replay_capacity",
}


class Application(http.server.BaseHTTPRequestHandler):
    """Says who sent the request."""

    def do_GET(self) -> None:
        body = f"hello {self.headers['X-Auth-Sub']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_the_lines_for_nginx_work(tmp_path: Path) -> None:
    """As the page has them, but for the addresses."""
    (lines,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (gate,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    config = tmp_path / "gate.toml"
    with contextlib.ExitStack() as running:
        issuer = running.enter_context(LocalIssuer(audience="https://api.example").serve())
        config.write_text(
            gate.replace('issuer = "https://as.example"', f'issuer = "{issuer.issuer}"\nallow_loopback_http = true')
            + 'listen = "127.0.0.1:0"\nstatus_listen = "127.0.0.1:0"\n'
        )
        server = running.enter_context(serving(config))
        application = running.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application))
        threading.Thread(target=application.serve_forever, args=(0.02,), daemon=True).start()
        running.callback(application.shutdown)
        socket_path = tmp_path / "nginx.sock"
        lines = lines.replace("127.0.0.1:9200", server.address)
        lines = lines.replace("127.0.0.1:8000", f"127.0.0.1:{application.server_port}")
        temporary = "".join(
            f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary} server {{ listen unix:{socket_path};\n{lines}\n}} }}\n"
        )
        nginx = subprocess.Popen(
            ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        running.callback(nginx.wait)
        running.callback(nginx.terminate)
        eventually(socket_path.exists)
        address = f"unix:{socket_path}"
        rejected = request(address, "/orders/7")
        assert rejected.status == 401
        assert "Bearer" in rejected.headers["WWW-Authenticate"]
        token = issuer.mint(sub="alice", scope="orders:read")
        allowed = request(address, "/orders/7?x=1", {"Authorization": f"Bearer {token}", "X-Auth-Sub": "mallory"})
        assert (allowed.status, allowed.body) == (200, b"hello alice")
        assert request(address, "/health", {"X-Auth-Sub": "mallory"}).body in (b"hello ", b"hello None")
