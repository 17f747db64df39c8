"""The example of examples/observability under a real Prometheus: dashboard, alert rules, several worker processes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from free_port import free_port
from live_prometheus import EXAMPLE, Prometheus, prometheus
from server_process import answers, serving

from watchword.testing import LocalIssuer

#: Seconds: a rate needs two scrapes, of which there are two in a second.
PATIENCE = 60.0


def eventually(look: Callable[[], Any]) -> Any:
    """Return the first true value of ``look``."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, "nothing appeared"
        time.sleep(0.1)
    return found


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus, and demo.py, which it scrapes."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    command = [sys.executable, str(EXAMPLE / "demo.py"), "--port", str(port)]
    metrics = f"http://127.0.0.1:{port}/metrics"
    with (
        serving(command, log=folder / "demo.log", ready=lambda: answers(metrics), cwd=folder),
        prometheus(folder, port=port) as server,
    ):
        yield server


def _panels() -> list[Any]:
    dashboard = json.loads((EXAMPLE / "dashboard.json").read_text())
    return [
        pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]


@pytest.mark.parametrize("expression", _panels())
def test_every_panel_of_the_dashboard_has_a_series(server: Prometheus, expression: str) -> None:
    for variable, value in (("$__rate_interval", "5s"), ("$job", "watchword"), ("$issuer", ".*")):
        expression = expression.replace(variable, value)
    assert "$" not in expression
    found = eventually(lambda: server.query(expression))
    assert all(float(series["value"][1]) >= 0 or series["value"][1] == "NaN" for series in found)


def test_the_figures_are_those_of_the_traffic(server: Prometheus) -> None:
    codes = "sum by (code) (watchword_verdicts_total)"
    expected = {
        "allowed", "dpop_replayed", "expired", "invalid_signature", "insufficient_scope", "missing_token",
    }  # fmt: skip
    found = eventually(
        lambda: (codes_now := {one["metric"]["code"] for one in server.query(codes)}) >= expected and codes_now
    )
    assert found == expected
    (keys,) = server.query("watchword_keys_cached")
    assert keys["value"][1] == "1"
    (left,) = server.query("watchword_keys_expires_in_seconds")
    assert 3500 < float(left["value"][1]) <= 3900


def test_the_alert_rules_can_be_evaluated_and_are_quiet(server: Prometheus) -> None:
    rules = eventually(
        lambda: (all_rules := server.rules()) and all(r["health"] == "ok" for r in all_rules) and all_rules
    )
    assert len(rules) == 9
    quiet = {rule["name"] for rule in rules if rule["state"] == "inactive"}
    assert {"WatchwordKeysExpireSoon", "WatchwordKeysUnavailable", "WatchwordReplayStoreFull"} <= quiet


def test_the_workers_of_gunicorn_are_found_and_their_counts_add_up(tmp_path: Path) -> None:
    targets, port = tmp_path / "targets", free_port()
    url = f"http://127.0.0.1:{port}/orders"
    command = [
        sys.executable, "-m", "gunicorn", "--config", str(EXAMPLE / "gunicorn_conf.py"), "--bind", f"127.0.0.1:{port}",
        "--chdir", str(EXAMPLE), "service:app",
    ]  # fmt: skip
    with LocalIssuer(audience="https://api.example").serve() as issuer:
        environment = {**os.environ, "ISSUER": issuer.issuer, "METRICS_TARGETS": str(targets)}

        def send(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
            return httpx2.get(url, headers=headers, timeout=30, trust_env=False).status_code

        with (
            serving(
                command,
                log=tmp_path / "gunicorn.log",
                ready=lambda: len(list(targets.glob("*.json"))) == 2,
                cwd=tmp_path,
                env=environment,
            ),
            prometheus(tmp_path, targets=targets) as server,
        ):
            good, expired = issuer.mint(scope="orders:read"), issuer.mint_bad("expired")
            assert [send(good) for _ in range(30)] == [200] * 30
            assert [send(expired) for _ in range(10)] == [401] * 10
            total = "sum by (code) (watchword_verdicts_total)"
            wanted = {("allowed", "30"), ("expired", "10")}
            eventually(lambda: {(one["metric"]["code"], one["value"][1]) for one in server.query(total)} == wanted)
            assert len(server.query("count by (worker) (watchword_build_info)")) == 2
            text = (tmp_path / "gunicorn.log").read_text()
            assert text.count('"code":"expired"') == 10
            assert good not in text
        assert list(targets.glob("*.json")) == []
