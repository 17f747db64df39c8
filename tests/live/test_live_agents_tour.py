"""The example of examples/agents: two agents, a service behind a gate, and one refusal that the operator sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from live_authgent import Authgent
from live_authgent import authgent as running
from live_process import answers, free_port, serving
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

EXAMPLE = Path(__file__).parents[2] / "examples" / "agents"


@dataclass(frozen=True)
class Service:
    url: str
    decisions: Path


@pytest.fixture(name="issuer")
def _issuer(tmp_path: Path) -> Iterator[Authgent]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture(name="service")
def _service(issuer: Authgent, tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    service = Service(f"http://127.0.0.1:{port}", tmp_path / "decisions.ndjson")
    environment = {
        **os.environ,
        "ISSUER": issuer.issuer,
        "PUBLIC_URL": service.url,
        "DECISION_LOG": str(service.decisions),
    }
    command = [sys.executable, "-m", "uvicorn", "orders:app", "--port", str(port)]
    with serving(
        command,
        log=tmp_path / "service.log",
        ready=lambda: answers(f"{service.url}/metrics"),
        cwd=EXAMPLE,
        env=environment,
    ):
        yield service


def test_the_refusal_is_the_only_one_in_metrics_and_log(issuer: Authgent, service: Service) -> None:
    done = subprocess.run(
        [sys.executable, "tour.py", issuer.issuer, service.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=EXAMPLE,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == [
        "planner changes the order: 200",
        "delegated: 1 actor, scopes ['orders:read']",
        "reader reads the order: 200",
    ]
    assert said[3].startswith('reader changes the order: 403 DPoP error="insufficient_scope"')
    assert 'scope="orders:write"' in said[3]

    decisions = [json.loads(line) for line in service.decisions.read_text().splitlines()]
    requests = [one for one in decisions if one["route"] != "/metrics"]
    assert [one["code"] for one in requests] == ["allowed", "allowed", "insufficient_scope"]
    planner, reader = requests[0]["subject"], requests[1]["actors"][0]["subject"]
    refused = requests[2]
    assert (refused["decision"], refused["status"], refused["route"]) == ("rejected", 403, "/orders/{id}")
    assert (refused["subject"], refused["actors"]) == (planner, [{"subject": reader}])
    assert refused["detail"] == "the token's scopes do not include orders:write"
    assert refused["token_id"] == requests[1]["token_id"]

    counted = {
        sample.labels["code"]: sample.value
        for sample in samples(service)
        if sample.name == "watchword_verdicts_total" and sample.labels["issuer"]
    }
    assert counted == {"allowed": 2, "insufficient_scope": 1}


def samples(service: Service) -> list[Sample]:
    families = text_string_to_metric_families(httpx2.get(f"{service.url}/metrics").text)
    return [sample for family in families for sample in family.samples]
