"""Metrics for OpenTelemetry: what is counted anyway, when it is collected, and a histogram of durations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter

from watchword import __version__
from watchword.observability.instruments import (
    BUCKETS,
    BUILD,
    DURATION,
    KEYS,
    LOG_LINES,
    REPLAY_CAPACITY,
    REPLAY_PROOFS,
    TOKEN_CACHE,
    VERDICTS,
    Instrument,
)
from watchword.observability.sources import Source, Sources, Values

if TYPE_CHECKING:
    from watchword.gate import Decision
    from watchword.observability.metrics import Metrics

_OBSERVED = (VERDICTS, BUILD, *KEYS.values(), *TOKEN_CACHE.values(), REPLAY_PROOFS, REPLAY_CAPACITY, LOG_LINES)


def observe(metrics: Metrics, *sources: Source, meter_provider: MeterProvider | None = None) -> None:
    """Report the counts of ``metrics`` and the state of ``sources`` to OpenTelemetry with each collection.

    ``sources`` are gates; verifiers, token caches and replay stores, if there is no gate; and decision logs. The
    instruments have the names of the Prometheus metrics, with dots. ``meter_provider`` is the global one by default.
    Call it once for a provider, with all gates of the process.

    Raises ``TypeError`` if one of ``sources`` cannot be read.
    """
    meter = get_meter("watchword", __version__, meter_provider)
    snapshot = _Snapshot(metrics, Sources(sources))
    for instrument in _OBSERVED:
        create = meter.create_observable_counter if instrument.kind == "counter" else meter.create_observable_gauge
        create(
            instrument.name,
            [snapshot.callback(instrument)],
            unit=instrument.unit,
            description=instrument.description,
        )


class DurationHistogram:
    """Records how long checks took with OpenTelemetry: an ``on_verdict`` for a :class:`watchword.gate.Gate`.

    Within an active span, the SDK can keep its trace ID with a measurement (an exemplar). The SDK takes microseconds
    for a measurement, much more than ``Metrics``, whose counts :func:`observe` reports without it.
    ``meter_provider`` is the global one by default.
    """

    def __init__(self, *, meter_provider: MeterProvider | None = None) -> None:
        self._histogram = get_meter("watchword", __version__, meter_provider).create_histogram(
            DURATION.name,
            unit=DURATION.unit,
            description=DURATION.description,
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def __call__(self, decision: Decision, seconds: float) -> None:
        """Record a decision that took ``seconds``."""
        attributes: dict[str, str | bool] = {
            "watchword.result": "allowed" if decision.allowed else "rejected",
            "watchword.cached": decision.cached,
        }
        if decision.scheme is not None:
            attributes["watchword.scheme"] = decision.scheme
        self._histogram.record(seconds, attributes)


class _Snapshot:
    """All values, read once for all instruments of a collection."""

    def __init__(self, metrics: Metrics, sources: Sources) -> None:
        self._metrics = metrics
        self._sources = sources
        self._values: dict[Instrument, Values] = {}
        self._reported: set[Instrument] | None = None

    def callback(self, instrument: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
        """Return the callback of an instrument."""
        names = [f"watchword.{label}" for label in instrument.labels]

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for labels, value in self._read(instrument).items():
                # An empty label is none, as for Prometheus.
                yield Observation(value, {name: label for name, label in zip(names, labels, strict=True) if label})

        return observe

    def _read(self, instrument: Instrument) -> Values:
        if self._reported is None or instrument in self._reported:  # the first of another collection
            self._values = {
                **self._sources.read(),
                VERDICTS: {tuple(labels): count for labels, count in self._metrics.verdicts().items()},
            }
            self._reported = set()
        self._reported.add(instrument)
        return self._values.get(instrument, {})


__all__ = ["DurationHistogram", "observe"]
