"""A Prometheus server (Debian's package) with the configuration of examples/observability."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml
from free_port import free_port
from live_install import unavailable
from server_process import answers, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "observability"


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression returns now."""
        result: list[dict[str, Any]] = self._get("/api/v1/query", query=expression)["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        """The alert rules, and whether they could be evaluated."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        answer = httpx2.get(self.url + path, params=parameters, timeout=30, trust_env=False).json()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def prometheus(folder: Path, *, port: int | None = None, targets: Path | None = None) -> Iterator[Prometheus]:
    """Scrape a metrics port on loopback, or what the files of ``targets`` list, several times a second."""
    command = shutil.which("prometheus")
    if command is None:
        unavailable("no prometheus: install Debian's package of that name")
    settings = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    settings["rule_files"] = [str(EXAMPLE / "alerts.yml")]
    fixed, workers = settings["scrape_configs"]
    fixed["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"] if port else []
    workers["file_sd_configs"] = [{"files": [f"{targets or folder}/*.json"], "refresh_interval": "500ms"}]
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(settings))
    own = free_port()
    arguments = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
    ]
    url = f"http://127.0.0.1:{own}"
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    ready = f"{url}/-/ready"
    with serving([command, *arguments], log=folder / "log", ready=lambda: answers(ready), cwd=folder, env=environment):
        yield Prometheus(url)
