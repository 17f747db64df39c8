"""examples/agents: two agents, a service behind a gate, and one refusal, which operator and auditor see."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest
from free_port import free_port
from live_authgent import Authgent
from live_authgent import authgent as running
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from server_process import answers, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "agents"


@dataclass(frozen=True)
class Service:
    url: str
    decisions: Path
    requests: Path


@pytest.fixture(name="issuer")
def _issuer(tmp_path: Path) -> Iterator[Authgent]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture(name="service")
def _service(issuer: Authgent, tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    service = Service(f"http://127.0.0.1:{port}", tmp_path / "decisions.ndjson", tmp_path / "requests.ndjson")
    environment = {
        **os.environ,
        "ISSUER": issuer.issuer,
        "PUBLIC_URL": service.url,
        "DECISION_LOG": str(service.decisions),
        "REQUEST_LOG": str(service.requests),
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


def test_the_refusal_is_the_only_one_in_metrics_log_and_audit(
    issuer: Authgent, service: Service, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, {"http://localhost:8000": issuer.issuer, "http://localhost:8001": service.url})
    (tmp_path / "writes.toml").write_text(shell.here((EXAMPLE / "writes.toml").read_text()))
    poll, tour, audit, select, audit_writes, join = shown()

    assert "  1 key: " in shell.run(poll)
    said = shell.run(f"{tour} {issuer.issuer} {service.url}").splitlines()
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

    shell.run(poll)
    # They are secrets.
    assert stat.S_IMODE(service.requests.stat().st_mode) == 0o600
    shell.check(audit)
    audited = rows(tmp_path / "audit")
    assert [(row["valid"], row["key_state"]) for row in audited] == [(True, "listed")] * 3
    assert [row["token_id"] for row in audited] == [one["token_id"] for one in requests]
    assert [row["actors"] for row in audited] == [[], [reader], [reader]]
    assert len({row["proof_hash"] for row in audited}) == 3

    shell.run(select)
    shell.check(audit_writes, status=1)
    (found,) = (row for row in rows(tmp_path / "audit-writes") if not row["valid"])
    assert (found["row"], found["code"]) == (2, refused["code"])
    assert (found["token_id"], found["token_hash"]) == (refused["token_id"], refused["token_hash"])
    shell.check(join)


class Shell:
    """Runs the README's commands in ``folder``, with the URLs of this test instead of those of the README."""

    def __init__(self, folder: Path, urls: dict[str, str]) -> None:
        self._folder = folder
        self._urls = urls

    def run(self, command: str, status: int = 0) -> str:
        """Return what a command prints."""
        programs = {"python ": f"{EXAMPLE}/", "watchword ": "-m watchword.cli "}
        for program, script in programs.items():
            if command.startswith(program):
                command = f"{shlex.quote(sys.executable)} {script}{command.removeprefix(program)}"
        done = subprocess.run(
            ["sh", "-c", self.here(command)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self._folder,
            env={**os.environ, "NO_COLOR": ""},
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def check(self, command: str, status: int = 0) -> None:
        """Run a command, which must print what the README shows; a … stands for anything."""
        expected = ".*".join(map(re.escape, self.here(shown()[command]).split("…")))
        printed = self.run(command, status).strip("\n")
        assert re.fullmatch(expected, printed), printed

    def here(self, text: str) -> str:
        for url, used in self._urls.items():
            text = text.replace(url, used)
        return text


def shown() -> dict[str, str]:
    """The README's commands, each with the output that follows it."""
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    lines = re.sub(r" \\\n +", " ", text).splitlines()
    # Within a list, code is indented by three more.
    blocks = "\n".join(re.sub("^ {4}( {3}(?=[$a-z]))?", "", line) if line[:4].strip() == "" else "$" for line in lines)
    found = re.findall(r"^\$ (.*)\n((?:(?!\$).*\n)*)", blocks, re.MULTILINE)
    return {command: output.strip("\n") for command, output in found}


def rows(audit: Path) -> list[dict[str, Any]]:
    return [row for part in sorted(audit.glob("parts/*.parquet")) for row in pq.read_table(part).to_pylist()]


def samples(service: Service) -> list[Sample]:
    families = text_string_to_metric_families(httpx2.get(f"{service.url}/metrics").text)
    return [sample for family in families for sample in family.samples]
