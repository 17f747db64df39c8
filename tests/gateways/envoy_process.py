"""An Envoy with filters of a test's choice in front of the recording application."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from free_port import free_port
from gateways import ENVOY, envoy_modules
from server_process import serving
from wire import Answer, Wire, send

TYPES = "type.googleapis.com/envoy.extensions"
FILTERS = f"{TYPES}.filters.http"
_MANAGER = f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_LOG = f"{TYPES}.access_loggers.file.v3.FileAccessLog"
_MODULE = {"name": "watchword_envoy", "metrics_namespace": "watchword"}


def struct(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.protobuf.Struct", "value": value}


def watchword(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """The filter; ``config`` is the message with its configuration."""
    typed = {
        "@type": f"{FILTERS}.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": _MODULE,
        "filter_name": "watchword",
        **({} if config is None else {"filter_config": config}),
    }
    return {"name": "watchword", "typed_config": typed}


def route(prefix: str, requirements: Mapping[str, Any] | None = None, **match: Any) -> dict[str, Any]:
    """A route to the application, with requirements of its own for the module."""
    found: dict[str, Any] = {"match": {"prefix": prefix, **match}, "route": {"cluster": "application"}}
    if requirements is not None:
        found["typed_per_filter_config"] = {
            "watchword": {
                "@type": f"{FILTERS}.dynamic_modules.v3.DynamicModuleFilterPerRoute",
                "dynamic_module_config": _MODULE,
                "per_route_config_name": "of-envoy",
                "filter_config": struct(requirements),
            }
        }
    return found


def configuration(
    application: int,
    ports: Sequence[int],
    filters: Sequence[dict[str, Any]],
    routes: Sequence[dict[str, Any]] = (),
    tls: Mapping[str, Any] | None = None,
    cluster: Mapping[str, Any] | None = None,
    **manager: Any,
) -> dict[str, Any]:
    """Envoy's configuration: the listener and the administration are on these ports."""
    hosts = [{"name": "all", "domains": ["*"], "routes": [*(routes or [route("/")])]}]
    text = {"text_format_source": {"inline_string": "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n"}}
    connection_manager = {
        "@type": _MANAGER,
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [*filters, {"name": "router", "typed_config": {"@type": f"{FILTERS}.router.v3.Router"}}],
        "access_log": [
            {"name": "file", "typed_config": {"@type": _LOG, "path": "access.log", "log_format": text}},
        ],
        **manager,
    }
    chain: dict[str, Any] = {"filters": [{"name": "manager", "typed_config": connection_manager}]}
    if tls is not None:
        context = {"@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext", **tls}
        chain["transport_socket"] = {"name": "tls", "typed_config": context}
    endpoint = {"endpoint": {"address": _address(application)}}
    to_application = {
        "name": "application",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "application", "endpoints": [{"lb_endpoints": [endpoint]}]},
        **(cluster or {}),
    }
    listener = {"name": "test", "address": _address(ports[0]), "filter_chains": [chain]}
    return {
        "admin": {"address": _address(ports[1])},
        "static_resources": {"listeners": [listener], "clusters": [to_application]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@dataclass(frozen=True)
class RunningEnvoy:
    port: int
    admin: int
    folder: Path

    def send(self, wire: Wire) -> Answer:
        return send(self.port, wire)

    def stats(self) -> dict[str, int]:
        lines = httpx2.get(f"http://127.0.0.1:{self.admin}/stats?filter=watchword", trust_env=False).text.splitlines()
        return {name: int(value) for name, value in (line.split(": ") for line in lines)}

    @property
    def log(self) -> str:
        return (self.folder / "envoy.log").read_text(errors="replace")

    def access_log(self) -> list[str]:
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []


def command() -> list[str]:
    """The command, without the name of the configuration; the test is skipped if there is no Envoy or no module."""
    binary, modules = ENVOY.binary(), envoy_modules()
    if binary is None or modules is None:
        message = "Envoy 1.40 or libwatchword_envoy.so is not there: CONTRIBUTING.md says how"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    assert binary is not None
    return [binary, "--use-dynamic-base-id", "--log-level", "info", "-c"]


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": envoy_modules() or ""}


@contextlib.contextmanager
def envoy(
    folder: Path, application: int, filters: Sequence[dict[str, Any]], workers: int = 1, **more: Any
) -> Iterator[RunningEnvoy]:
    """Run Envoy with two free ports while the block runs."""
    ports = (free_port(), free_port())
    with _running(folder, ports, configuration(application, ports, filters, **more), workers) as running:
        yield running


@contextlib.contextmanager
def updated_envoy(
    folder: Path, application: int, filters: Sequence[dict[str, Any]]
) -> Iterator[tuple[RunningEnvoy, Callable[[str], None]]]:
    """The same, with a listener that is updated by what is yielded, which sets the name of the server."""
    ports = (free_port(), free_port())
    whole = configuration(application, ports, filters)
    (listener,) = whole["static_resources"].pop("listeners")
    file = folder / "listeners.json"

    def update(server_name: str) -> None:
        listener["filter_chains"][0]["filters"][0]["typed_config"]["server_name"] = server_name
        resource = {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", **listener}
        file.with_suffix(".new").write_text(json.dumps({"resources": [resource]}))
        file.with_suffix(".new").replace(file)

    update("first")
    path = {"path": str(file), "watched_directory": {"path": str(folder)}}
    dynamic = {"lds_config": {"resource_api_version": "V3", "path_config_source": path}}
    whole.update(node={"id": "test", "cluster": "test"}, dynamic_resources=dynamic)
    with _running(folder, ports, whole, 1) as running:
        yield running, update


@contextlib.contextmanager
def _running(folder: Path, ports: tuple[int, int], whole: Mapping[str, Any], workers: int) -> Iterator[RunningEnvoy]:
    (folder / "envoy.json").write_text(json.dumps(whole))
    with serving(
        [*command(), "envoy.json", "--concurrency", str(workers), "--file-flush-interval-msec", "50"],
        log=folder / "envoy.log",
        ready=lambda: _is_ready(ports[1]),
        cwd=folder,
        env=_env(folder),
    ):
        yield RunningEnvoy(*ports, folder)


def _is_ready(admin: int) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"http://127.0.0.1:{admin}/ready", trust_env=False).status_code == 200
    return False


def refusal(folder: Path, filters: Sequence[dict[str, Any]], **more: Any) -> str:
    """What Envoy writes when it refuses to start with this configuration."""
    (folder / "envoy.json").write_text(json.dumps(configuration(1, (free_port(), free_port()), filters, **more)))
    ended = subprocess.run(
        [*command(), "envoy.json", "--concurrency", "1"],
        cwd=folder,
        env=_env(folder),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    return ended.stderr.decode(errors="replace")
