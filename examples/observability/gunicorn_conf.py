"""Each worker of gunicorn counts for itself, and exposes its metrics on a port of its own, which Prometheus discovers.

The folder ``targets`` (or ``METRICS_TARGETS``) has a file for each worker: see ``file_sd_configs`` in prometheus.yml.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from prometheus_client import start_http_server

from watchword.observability.prometheus import registry

workers = 2
targets = Path(os.environ.get("METRICS_TARGETS", "targets"))


class Worker(Protocol):
    """What is used of gunicorn's worker: its process, and its number."""

    pid: int
    age: int


def on_starting(_server: object) -> None:
    """Remove what an earlier run left."""
    targets.mkdir(exist_ok=True)
    for old in targets.glob("*.json"):
        old.unlink()


def post_worker_init(worker: Worker) -> None:
    """Expose the metrics of this worker, once the application is loaded."""
    from service import gate, log, metrics

    exposed, _ = start_http_server(0, addr="127.0.0.1", registry=registry(metrics, gate, log))
    target = {"targets": [f"127.0.0.1:{exposed.server_port}"], "labels": {"worker": str(worker.age)}}
    # Written beside and renamed, so that Prometheus never reads half of it.
    new = targets / f"{worker.pid}.new"
    new.write_text(json.dumps([target]))
    new.rename(targets / f"{worker.pid}.json")


def child_exit(_server: object, worker: Worker) -> None:
    """Remove the target of a worker that has ended, in whatever way."""
    (targets / f"{worker.pid}.json").unlink(missing_ok=True)
