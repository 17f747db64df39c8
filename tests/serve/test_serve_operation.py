"""``watchword serve`` as its operator sees it: reloads, signals, metrics, status page, systemd, command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import endpoint
import pytest
from endpoint import eventually
from serving import API, COMMAND, ROUTES, SOON, Served, configuration, request, serving

from watchword.testing import LocalIssuer, ServedIssuer

SCOPE = "orders:read"

MORE = ROUTES + '\n[[routes]]\npath = "/new"\npublic = true\n'


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=SOON)


# Reloads.


def test_a_changed_file_is_loaded(server: Served, issuer: ServedIssuer) -> None:
    token = issuer.mint(scope=SCOPE)
    assert server.ask(token=token).status == 200
    assert server.ask("/new").code == "no_route"
    server.config.write_text(configuration(issuer.issuer, routes=MORE))
    server.wait_for("the configuration was loaded")
    assert server.ask("/new").status == 200
    # The issuer has not changed: its keys are still there.
    assert server.ask(token=token).status == 200
    assert server.metric("watchword_keys_fetches_total") == 1
    assert server.metric("watchword_server_config_reloads_total", result="applied") == 1


def test_the_swap_of_a_link_is_loaded(tmp_path: Path, issuer: ServedIssuer) -> None:
    for name, routes in (("..1", ROUTES), ("..2", MORE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gate.toml").write_text(configuration(issuer.issuer, routes=routes))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "gate.toml").symlink_to("..data/gate.toml")
    with serving(tmp_path / "gate.toml") as server:
        assert server.ask("/new").status == 403
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").rename(tmp_path / "..data")
        server.wait_for("the configuration was loaded")
        assert server.ask("/new").status == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("scopes", "scoopes"), 'routes[1].scoopes: unknown key; did you mean "scopes"?'),
        (("[[routes]]", "[[routes"), "this is not TOML"),
        (('proxy = "nginx"', 'proxy = "caddy"'), "server.proxy: cannot change while the server runs: restart it"),
        (
            ('public_url = "https://api.test"', 'public_url = "https://other.test"'),
            "resource: cannot change while the server runs: restart it",
        ),
        (("[token]", '[dpop]\nnonce_keys_file = "missing"\n[token]'), "dpop.nonce_keys_file: "),
    ],
)
def test_what_is_invalid_is_refused_and_the_old_configuration_stays(
    server: Served, issuer: ServedIssuer, change: tuple[str, str], reason: str
) -> None:
    token = issuer.mint(scope=SCOPE)
    assert server.ask(token=token).status == 200
    server.config.write_text(configuration(issuer.issuer, routes=MORE).replace(*change))
    line = server.wait_for("the configuration was not loaded, the one before stays in use")
    assert reason in "\n".join(server.log[server.log.index(line) :])
    assert server.ask(token=token).status == 200
    assert server.ask("/new").code == "no_route"
    assert server.metric("watchword_server_config_last_reload_successful") == 0
    assert server.metric("watchword_server_config_reloads_total", result="refused") == 1
    assert "not reloaded" in server.page("/").body.decode()
    server.config.write_text(configuration(issuer.issuer, routes=MORE))
    server.wait_for("the configuration was loaded")
    assert server.ask("/new").status == 200
    assert server.metric("watchword_server_config_last_reload_successful") == 1
    assert "not reloaded" not in server.page("/").body.decode()


def test_a_file_that_is_gone_is_refused(server: Served, issuer: ServedIssuer) -> None:
    server.config.unlink()
    assert "No such file" in server.wait_for("the configuration was not loaded")
    assert server.ask("/health").status == 200


def test_a_key_file_that_comes_later_is_noticed(server: Served, issuer: ServedIssuer, tmp_path: Path) -> None:
    other = LocalIssuer("https://other.test", audience=API, algorithms=("EdDSA",))
    section = '[[issuers]]\nissuer = "https://other.test"\njwks_file = "other.json"\n'
    server.config.write_text(configuration(issuer.issuer, routes=section + ROUTES))
    server.wait_for("the configuration was not loaded")
    (tmp_path / "other.json").write_text(json.dumps(other.jwks()))
    server.wait_for("the configuration was loaded")
    assert server.ask(token=other.mint(scope=SCOPE)).status == 200


def test_sighup_loads_and_does_not_end(server: Served) -> None:
    for number in (1, 2):
        server.process.send_signal(signal.SIGHUP)
        eventually(
            lambda number=number: server.metric("watchword_server_config_reloads_total", result="applied") == number
        )
    assert server.ask("/health").status == 200


def test_issuers_come_and_go(server: Served, issuer: ServedIssuer) -> None:
    with LocalIssuer(audience=API, algorithms=("EdDSA",)).serve() as other:
        token = other.mint(scope=SCOPE)
        assert server.ask(token=token).code == "wrong_issuer"
        server.config.write_text(configuration(issuer.issuer, other.issuer))
        server.wait_for("the configuration was loaded")
        assert server.ask(token=token).status == 200
        server.config.write_text(configuration(other.issuer))
        eventually(lambda: server.ask(token=issuer.mint(scope=SCOPE)).status == 401)
        assert server.ask(token=token).status == 200
        assert list(server.page("/readyz").json["issuers"]) == [other.issuer]


def test_a_key_file_and_a_file_of_nonces_are_read_again(tmp_path: Path) -> None:
    issuer = LocalIssuer("https://as.test", audience=API, algorithms=("EdDSA",))
    keys, config, nonces = tmp_path / "keys.json", tmp_path / "gate.toml", tmp_path / "nonces"
    keys.write_text(json.dumps(issuer.jwks()))
    nonces.write_text("A" * 43)
    text = configuration("https://as.test", more='[dpop]\nnonce_keys_file = "nonces"')
    text = text.replace("allow_loopback_http = true", 'jwks_file = "keys.json"')
    config.write_text("\n".join(line for line in text.splitlines() if not line.startswith("cache")))
    with serving(config) as server:
        assert server.page("/readyz").status == 200
        assert server.ask(token=issuer.mint(scope=SCOPE)).status == 200
        issuer.rotate()
        new = tmp_path / "new.json"
        new.write_text(json.dumps(issuer.jwks()))
        new.rename(keys)
        eventually(lambda: server.ask(token=issuer.mint(scope=SCOPE)).status == 200)
        signed = issuer.sign_request("GET", f"{API}/orders/7", dpop=True, scope=SCOPE)
        before = server.ask(**dict(signed.headers)).headers["DPoP-Nonce"]
        nonces.write_text("B" * 42 + "A")
        server.wait_for("the configuration was loaded")
        assert server.ask(**dict(signed.headers)).headers["DPoP-Nonce"] != before


# What it shows.


def test_metrics_for_prometheus(server: Served, issuer: ServedIssuer) -> None:
    for token in (issuer.mint(scope=SCOPE), issuer.mint_bad("expired"), None):
        server.ask(token=token)
    by = {"issuer": issuer.issuer, "route": "/orders/{id}", "scheme": "Bearer"}
    assert server.metric("watchword_verdicts_total", code="allowed", cached="false", **by) == 1
    assert server.metric("watchword_verdicts_total", code="expired", **by) == 1
    assert server.metric("watchword_verdicts_total", code="missing_token", issuer="") == 1
    assert server.metric("watchword_verdict_duration_seconds_count") == 3
    assert server.metric("watchword_server_connections_accepted_total") == 3
    assert server.metric("watchword_server_ready") == 1
    assert server.metric("watchword_keys_cached", issuer=issuer.issuer) == 1
    assert server.metric("watchword_replay_store_capacity") == 1_000_000
    assert server.metric("watchword_server_key_tables_bytes") == 0
    answer = server.page("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    if shutil.which("promtool") is not None:
        done = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_status_page(server: Served, issuer: ServedIssuer) -> None:
    server.ask(token=issuer.mint_bad("expired"))
    eventually(lambda: "The last rejections" in server.page("/").body.decode())
    eventually(
        lambda: "1 request in the last hour" in server.page("/").body.decode().replace("\N{NO-BREAK SPACE}", " ")
    )
    answer = server.page("/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    root = ET.fromstring(answer.body.decode().partition("\n")[2])
    text = " ".join("".join(root.itertext()).split())
    for expected in ("Ready.", issuer.issuer, "eddsa-1", "expired", "/orders/{id}", str(server.config)):
        assert expected in text
    assert server.page("/elsewhere").status == 404


def test_a_hostile_kid_is_harmless_on_the_status_page(tmp_path: Path) -> None:
    key = endpoint.Key("</td><script>alert(1)</script>\u202e")
    with endpoint.running() as upstream:
        upstream.routes["/jwks"] = endpoint.answer(endpoint.jwks(key))
        config = tmp_path / "gate.toml"
        text = configuration(upstream.url)
        config.write_text(text.replace("allow_loopback", f'jwks_uri = "{upstream.url}/jwks"\nallow_loopback'))
        with serving(config) as server:
            eventually(lambda: server.page("/readyz").status == 200)
            page = server.page("/").body.decode()
            assert "<script" not in page
            assert "\u202e" not in page
            ET.fromstring(page.partition("\n")[2])


# The command line.


def test_readiness_is_asked_by_the_command_line(tmp_path: Path, issuer: ServedIssuer) -> None:
    config = tmp_path / "gate.toml"
    status = tmp_path / "status.sock"
    text = configuration(issuer.issuer)
    config.write_text(text.replace('status_listen = "127.0.0.1:0"', f'status_listen = "unix:{status}"'))
    assert run("--config", str(config), "--ready").returncode == 1
    with serving(config) as server:
        assert server.status_address == f"unix:{status}"
        eventually(lambda: server.page("/readyz").status == 200)
        done = run("--config", str(config), "--ready")
        assert (done.returncode, json.loads(done.stdout)["ready"]) == (0, True)
    assert run("--config", str(config), "--ready").returncode == 1


def test_a_unix_socket_on_the_command_line(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "gate.sock"
    with serving(config, "--listen", f"unix:{path}") as server:
        assert server.address == f"unix:{path}"
        assert server.ask("/health").status == 200
    assert not path.exists()
    # What a server that was killed has left is no obstacle.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with serving(config, "--listen", f"unix:{path}") as server:
        assert server.ask("/health").status == 200


def test_the_configuration_is_checked(config: Path) -> None:
    done = run("--config", str(config), "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{config}: valid: 1 issuer, 2 routes.\n", "")
    text = config.read_text()
    config.write_text(text + "[dpop]\nreplay = 'rediss://user:secret@redis.test/0'\n")
    for arguments in (["--check"], []):
        done = run("--config", str(config), *arguments)
        assert done.returncode == 1
        assert "dpop.replay: the replay store cannot be reached over TLS" in done.stdout + done.stderr
        assert "secret" not in done.stdout + done.stderr
    config.write_text(text + "[dpop]\nreplay = 'redis://redis.test/0'\n")
    # The server is its client: the package of Python is not needed.
    without = "import sys; sys.modules['redis'] = None; from watchword.cli.command import main; sys.exit(main())"
    command = [sys.executable, "-c", without, "serve", "--config", str(config), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    config.write_text(text.replace("[server]", "[sever]"))
    for arguments in (["--check"], []):
        done = run("--config", str(config), *arguments)
        assert done.returncode == 1
        assert 'sever: unknown key; did you mean "server"?' in done.stdout + done.stderr
    config.write_text(text.partition("[server]")[0])
    for arguments in (["--check"], []):
        done = run("--config", str(config), *arguments)
        assert done.returncode == 1
        assert 'server: is missing: add a section [server] with proxy = "nginx"' in done.stdout + done.stderr


def test_what_keeps_it_from_listening(config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("--config", str(config), "--listen", address)
        assert done.returncode == 2
        assert address in done.stderr
        assert "in use" in done.stderr
    done = run("--config", str(config), "--listen", "localhost")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "localhost" in done.stderr
    done = run("--config", str(tmp_path / "missing.toml"))
    assert done.returncode == 2
    assert "can't be read" in done.stderr
    assert run().returncode == 2


#: A host that nobody stops, while a page is rendered.
EXIT = """
import http.client, sys, threading, time
from watchword.serve import Host, host

rendering = threading.Event()

def slow(*_):
    rendering.set()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass
    return b""

host.exposition = slow
server = Host(sys.argv[1])
server.start()
address = server.status_addresses[0]
# It stays open: for a client that has gone no page would be rendered.
client = http.client.HTTPConnection(address)
status = 503
while status != 200:
    client.request("GET", "/readyz")
    with client.getresponse() as answer:
        status = answer.status
        answer.read()
client.request("GET", "/metrics")
rendering.wait()
sys.exit(7)
"""


def test_the_end_of_the_interpreter_stops_a_host(config: Path) -> None:
    command = [sys.executable, "-c", EXIT, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=False)
    assert (done.returncode, done.stderr) == (7, "")


def test_systemd_is_told(config: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SOON)
        with serving(config, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000") as server:
            assert manager.recv(1024) == b"READY=1"
            assert manager.recv(1024) == b"WATCHDOG=1"
            server.process.send_signal(signal.SIGHUP)
            while not (message := manager.recv(1024)).startswith(b"RELOADING=1"):
                assert message == b"WATCHDOG=1"
            assert manager.recv(1024).startswith(b"STATUS=")
            assert manager.recv(1024) == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            while (message := manager.recv(1024)) != b"STOPPING=1":
                assert message == b"WATCHDOG=1"
            assert server.wait() == 0


def test_a_root_that_cannot_be_written_to(config: Path) -> None:
    """It writes no file: with a limit of 0 bytes for files, which SIGXFSZ would report."""
    code = "import resource as r, os, sys; r.setrlimit(r.RLIMIT_FSIZE, (0, 0)); os.execv(sys.argv[1], sys.argv[1:])"
    limited = [sys.executable, "-c", code, *COMMAND, "--config", str(config)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(limited, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    line = process.stderr.readline()
    while "listening at" not in line:
        assert line, "it has ended"
        line = process.stderr.readline()
    address = line.partition("listening at ")[2].partition(";")[0]
    headers = {"X-Original-Method": "GET", "X-Original-URI": "/health"}
    assert request(address, "/", headers).status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(SOON) == 0
    process.stderr.close()
