"""Metrics for Prometheus, by ``prometheus_client`` (the extra ``prometheus``).

    from prometheus_client import start_http_server

    start_http_server(9464, registry=registry(metrics, gate, log))   # a port of its own, which clients cannot reach

To add them to an application's registry: ``prometheus_client.REGISTRY.register(GateCollector(metrics, gate))``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest, make_asgi_app, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from watchword.observability.instruments import BUCKETS, DURATION, VERDICTS
from watchword.observability.sources import Source, Sources

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from watchword.observability.metrics import Metrics


class GateCollector(Collector):
    """A collector for a ``prometheus_client`` registry: the counts of ``metrics``, and the state of ``sources``.

    ``sources`` are gates; verifiers, token caches and replay stores, if there is no gate; and decision logs. They are
    read when Prometheus scrapes. One collector takes all gates of a process: two collectors in one registry would have
    metrics of the same names, which the registry rejects with a ``ValueError``.

    Raises ``TypeError`` if one of ``sources`` cannot be read.
    """

    def __init__(self, metrics: Metrics, *sources: Source) -> None:
        self._metrics = metrics
        self._sources = Sources(sources)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        verdicts = CounterMetricFamily(VERDICTS.prometheus_name, VERDICTS.description, labels=VERDICTS.labels)
        for labels, count in self._metrics.verdicts().items():
            verdicts.add_metric(labels, count)
        yield verdicts
        durations = HistogramMetricFamily(DURATION.prometheus_name, DURATION.description, labels=DURATION.labels)
        for by, histogram in self._metrics.durations().items():
            durations.add_metric(by, list(zip(_BOUNDS, accumulate(histogram.counts), strict=True)), histogram.total)
        yield durations
        for instrument, values in self._sources.read().items():
            family: type[CounterMetricFamily | GaugeMetricFamily]
            family = CounterMetricFamily if instrument.kind == "counter" else GaugeMetricFamily
            found = family(instrument.prometheus_name, instrument.description, labels=instrument.labels)
            for names, value in values.items():
                found.add_metric(names, value)
            yield found


_BOUNDS = [*map(floatToGoString, BUCKETS), "+Inf"]


def registry(metrics: Metrics, *sources: Source) -> CollectorRegistry:
    """Return a registry of its own with one :class:`GateCollector`. Raises as it does."""
    own = CollectorRegistry(auto_describe=True)
    own.register(GateCollector(metrics, *sources))
    return own


def exposition(metrics: Metrics, *sources: Source) -> bytes:
    """Return the metrics in Prometheus' text format. Raises as :class:`GateCollector` does."""
    return generate_latest(registry(metrics, *sources))


def asgi_app(metrics: Metrics, *sources: Source) -> Callable[..., Any]:
    """Return an ASGI application that answers with the metrics. Raises as :class:`GateCollector` does."""
    return make_asgi_app(registry(metrics, *sources))


def wsgi_app(metrics: Metrics, *sources: Source) -> WSGIApplication:
    """Return a WSGI application that answers with the metrics. Raises as :class:`GateCollector` does."""
    return make_wsgi_app(registry(metrics, *sources))


__all__ = ["GateCollector", "asgi_app", "exposition", "registry", "wsgi_app"]
