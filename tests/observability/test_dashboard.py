"""The dashboard and the alert rules of examples/observability, as Prometheus' own parser reads them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import watchword.errors
from watchword.errors.verification import CLASSES
from watchword.observability.instruments import (
    BUILD,
    DURATION,
    KEYS,
    LOG_LINES,
    REPLAY_CAPACITY,
    REPLAY_PROOFS,
    TOKEN_CACHE,
    VERDICTS,
    Instrument,
)  # fmt: skip

FOLDER = Path(__file__).parents[2] / "examples" / "observability"
DOCS = FOLDER.parents[1] / "docs" / "observability.md"

INSTRUMENTS = (
    VERDICTS, DURATION, *KEYS.values(), *TOKEN_CACHE.values(), REPLAY_PROOFS, REPLAY_CAPACITY, LOG_LINES, BUILD,
)  # fmt: skip


def names(instrument: Instrument) -> set[str]:
    """The names of an instrument's time series."""
    name = instrument.prometheus_name
    return {
        "counter": {f"{name}_total"},
        "gauge": {name},
        "histogram": {f"{name}_bucket", f"{name}_sum", f"{name}_count"},
    }[instrument.kind]


LABELS = {
    name: {*instrument.labels, "job", "instance", "le"} for instrument in INSTRUMENTS for name in names(instrument)
}


def dashboard() -> dict[str, Any]:
    return json.loads((FOLDER / "dashboard.json").read_text())


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return group["rules"]


def promtool(*arguments: str | Path) -> None:
    """Run Debian's promtool in the folder of the example."""
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no promtool: install Debian's package prometheus")
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_parses_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(dashboard_expressions())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", path)


def test_the_configuration_is_valid_and_the_alerts_pass_their_tests() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")


@pytest.mark.parametrize("source", ["dashboard", "alerts"])
def test_expressions_use_metrics_and_labels_that_exist(source: str) -> None:
    expressions = dashboard_expressions() if source == "dashboard" else [rule["expr"] for rule in alerts()]
    assert len(expressions) > 5
    for expression in expressions:
        used = re.findall(r"\b(watchword_\w+)(?:\{([^}]*)\})?", expression)
        assert used, expression
        for name, matchers in used:
            assert name in LABELS, name
            assert set(re.findall(r"(\w+)[=!]~?\"", matchers or "")) <= LABELS[name], expression


def test_every_metric_is_on_the_dashboard_and_in_the_documentation() -> None:
    shown = " ".join(dashboard_expressions())
    documented = DOCS.read_text()
    for instrument in INSTRUMENTS:
        assert any(name in shown for name in names(instrument)), instrument.name
        exposed = f"{instrument.prometheus_name}_total" if instrument.kind == "counter" else instrument.prometheus_name
        assert f"`{exposed}`" in documented, instrument.name


def test_every_alert_is_in_the_documentation_and_has_a_test() -> None:
    documented, tests = DOCS.read_text(), (FOLDER / "alerts_test.yml").read_text()
    for rule in alerts():
        assert f"`{rule['alert']}`" in documented
        assert tests.count(f"alertname: {rule['alert']}\n") >= 1
        assert rule["annotations"]["summary"]


def test_the_codes_that_are_not_the_clients_fault_are_those_with_a_status_of_500_and_above() -> None:
    assert watchword.errors  # all classes are registered
    expected = {code for code, error in CLASSES.items() if error.http_status >= 500}
    for text in (*dashboard_expressions(), *(rule["expr"] for rule in alerts())):
        for codes in re.findall(r'code=~"([^"]*)"', text):
            assert set(codes.split("|")) == expected


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
