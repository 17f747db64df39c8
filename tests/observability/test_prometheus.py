"""What Prometheus scrapes: names, values, formats, and the state of key caches, token caches and replay stores."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import decisions
import prometheus_client
import pytest
from endpoint import Clock
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse

import watchword as ww
from watchword.dpop import DpopVerifier, MemoryReplayStore
from watchword.observability import DecisionLog, Metrics
from watchword.observability.prometheus import GateCollector, asgi_app, exposition, registry, wsgi_app
from watchword.testing import LocalIssuer, ServedIssuer

ISSUER = "https://as.example"


def value(text: bytes, name: str, **labels: str) -> float | None:
    """The value of a sample; ``None`` if there is none."""
    found = [
        sample.value
        for family in parse(text.decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    assert len(found) <= 1
    return found[0] if found else None


def served_verifier(server: ServedIssuer, clock: Clock, **options: Any) -> ww.Verifier:
    return ww.Verifier([server.as_issuer()], audience=decisions.API, monotonic=clock, **options)


@pytest.fixture(name="traffic")
def _traffic(verifier: ww.Verifier, issuer: LocalIssuer, good: str) -> tuple[Metrics, Any]:
    """Metrics and a gate after some requests."""
    metrics = Metrics()
    gate = decisions.make_gate(verifier, metrics)
    for token in (good, good, good, issuer.mint_bad("expired"), None):
        decisions.send(gate, token)
    return metrics, gate


def test_verdicts_and_durations(traffic: tuple[Metrics, Any]) -> None:
    text = exposition(*traffic)
    labels = {"issuer": ISSUER, "scheme": "Bearer"}
    assert value(text, "watchword_verdicts_total", code="allowed", cached="false", **labels) == 1
    assert value(text, "watchword_verdicts_total", code="allowed", cached="true", **labels) == 2
    assert value(text, "watchword_verdicts_total", code="expired", cached="false", **labels) == 1
    assert value(text, "watchword_verdicts_total", issuer="", code="missing_token", scheme="", cached="false") == 1
    name, by = "watchword_verdict_duration_seconds", {"result": "allowed", "scheme": "Bearer", "cached": "true"}
    assert value(text, f"{name}_bucket", le="+Inf", **by) == value(text, f"{name}_count", **by) == 2
    assert 0 < value(text, f"{name}_sum", **by) < 60


def test_promtool_accepts_the_text_without_a_remark(traffic: tuple[Metrics, Any]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: install Debian's package prometheus")
    log = DecisionLog(io.StringIO())
    done = subprocess.run(
        [promtool, "check", "metrics"], input=exposition(*traffic, log), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_name_and_type_is_stable(traffic: tuple[Metrics, Any]) -> None:
    found = {family.name: family.type for family in parse(exposition(*traffic, DecisionLog(io.StringIO())).decode())}
    counters = {
        "verdicts", "keys_fetches", "keys_fetch_failures", "keys_set_changes", "keys_stale_uses", "keys_waits",
        "keys_waits_rejected", "keys_unavailable", "keys_unknown", "keys_unknown_limited", "keys_unknown_repeated",
        "token_cache_hits", "token_cache_misses", "token_cache_evictions", "decision_log_lines",
    }  # fmt: skip
    gauges = {
        "build_info", "keys_cached", "keys_rejected", "keys_consecutive_failures", "token_cache_tokens",
        "token_cache_size_bytes", "token_cache_limit_bytes", "replay_store_proofs", "replay_store_capacity",
    }  # fmt: skip
    expected = dict.fromkeys(counters, "counter") | dict.fromkeys(gauges, "gauge")
    expected["verdict_duration_seconds"] = "histogram"
    assert found == {f"watchword_{name}": kind for name, kind in expected.items()}


def test_keys_their_age_and_the_time_until_they_expire(issuer: LocalIssuer) -> None:
    metrics, clock = Metrics(), Clock()
    with issuer.serve() as server, served_verifier(server, clock) as verifier:
        gate = decisions.make_gate(verifier, metrics)
        labels = {"issuer": server.issuer}
        before = exposition(metrics, gate)
        assert value(before, "watchword_keys_cached", **labels) == 0
        assert value(before, "watchword_keys_age_seconds", **labels) is None
        assert value(before, "watchword_keys_expires_in_seconds", **labels) is None
        verifier.refresh()
        clock.move(60)
        after = exposition(metrics, gate)
        assert value(after, "watchword_keys_cached", **labels) == 1
        assert value(after, "watchword_keys_age_seconds", **labels) == 60
        assert value(after, "watchword_keys_expires_in_seconds", **labels) == 300 + 3600 - 60
        assert value(after, "watchword_keys_fetches_total", **labels) == 1
        assert value(after, "watchword_keys_fetch_failures_total", **labels) == 0
        with server.outage(), pytest.raises(ww.KeysUnavailableError):
            verifier.refresh()
        failed = exposition(metrics, gate)
        assert value(failed, "watchword_keys_fetch_failures_total", **labels) == 1
        assert value(failed, "watchword_keys_consecutive_failures", **labels) == 1


def test_token_cache_and_replay_store(issuer: LocalIssuer, traffic: tuple[Metrics, Any]) -> None:
    metrics, gate = traffic
    text = exposition(metrics, gate)
    assert value(text, "watchword_token_cache_hits_total") == 2
    assert value(text, "watchword_token_cache_tokens") == 1
    assert value(text, "watchword_token_cache_size_bytes") > 0
    assert value(text, "watchword_token_cache_limit_bytes") == 1 << 20
    assert value(text, "watchword_replay_store_proofs") == 0
    assert value(text, "watchword_replay_store_capacity") == 1_000_000
    with issuer.verifier(dpop=DpopVerifier(replay=None)) as bare:
        text = exposition(metrics, bare)
    assert value(text, "watchword_token_cache_tokens") is None
    assert value(text, "watchword_replay_store_proofs") is None


def test_what_gates_share_is_counted_once_and_what_they_do_not_is_added(issuer: LocalIssuer, good: str) -> None:
    metrics, cache, store = Metrics(), ww.TokenCache(max_bytes=1 << 20), MemoryReplayStore(7)
    options = {"token_cache": cache, "dpop": DpopVerifier(replay=store)}
    with issuer.verifier(**options) as one, issuer.verifier(**options) as other:
        gates = [decisions.make_gate(verifier, metrics) for verifier in (one, one, other)]
        for gate in gates:
            decisions.send(gate, good)
        text = exposition(metrics, *gates)
        assert value(text, "watchword_token_cache_limit_bytes") == 1 << 20
        assert value(text, "watchword_replay_store_capacity") == 7
        assert value(text, "watchword_keys_cached", issuer=ISSUER) == 1
        assert exposition(metrics, one, cache, store, other) == text


def test_lines_of_the_decision_log(decide: Callable[[str], Any]) -> None:
    log = DecisionLog(io.StringIO(), burst=2)
    for _ in range(5):
        log(decide("expired"), 1e-5)
    text = exposition(Metrics(), log)
    assert value(text, "watchword_decision_log_lines_total", result="written") == 2
    assert value(text, "watchword_decision_log_lines_total", result="dropped") == 3
    assert value(text, "watchword_decision_log_lines_total", result="failed") == 0


def test_the_collector_joins_the_registry_of_an_application(traffic: tuple[Metrics, Any]) -> None:
    own = prometheus_client.CollectorRegistry(auto_describe=True)
    prometheus_client.Counter("orders", "Orders.", registry=own).inc()
    own.register(GateCollector(*traffic))
    names = {family.name for family in parse(prometheus_client.generate_latest(own).decode())}
    assert {"orders", "watchword_verdicts", "watchword_keys_cached"} <= names
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        own.register(GateCollector(*traffic))


def test_wsgi_endpoint(traffic: tuple[Metrics, Any]) -> None:
    from werkzeug.test import Client

    answer = Client(wsgi_app(*traffic)).get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert value(answer.data, "watchword_keys_cached", issuer=ISSUER) == 1


def test_asgi_endpoint_in_open_metrics(traffic: tuple[Metrics, Any]) -> None:
    import asyncio

    import httpx

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(asgi_app(*traffic))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics.example") as client:
            return await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    answer = asyncio.run(get())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "watchword_verdicts" in {family.name for family in parse_open_metrics(answer.text)}


def test_what_cannot_be_observed_is_an_error() -> None:
    with pytest.raises(TypeError, match="str cannot be observed: give gates, verifiers"):
        registry(Metrics(), "https://as.example")
